/**
 * Type checks and runs every ```ts block in the TSDoc of the packages and in the guides.
 *
 * - A TSDoc block is a module of its own. Names that its package exports, or one of ours that it depends on, are imported for it;
 *   `tf` is TensorFlow.js.
 * - The blocks of a guide form one module, from top to bottom, and import what they use.
 * - `console.log(x); // 0.25 true` and `f(x); // 0.25` with nothing but numbers and booleans in the comment are checked, to the
 *   decimals given. Text after a colon is a remark: `// 0.25: rounded`.
 * - A block with a `declare` at its top level is only type checked.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { type CodeBlock, codeBlocks, tsdocExamples } from "./code-blocks.ts";

const ROOT = resolve(import.meta.dirname, "..");
/** Generated modules. Inside the workspace, so that they resolve packages as our own code does; ignored by git. */
const OUT = join(import.meta.dirname, ".examples");

const TOKEN = String.raw`(?:-?\d[\d.]*(?:e-?\d+)?|true|false)`;
const PRINTED = new RegExp(
  String.raw`^(\s*)(?:console\.log\((.*)\)|(\w[\w.]*\(.*)); // (${TOKEN}(?:,? ${TOKEN})*)(?::.*)?$`,
  "gm",
);

/** The compiler options of the packages, but an example may leave a name unused and need not annotate its exports. */
const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
const options: ts.CompilerOptions = {
  ...ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options,
  declaration: false,
  declarationMap: false,
  isolatedDeclarations: false,
  noUnusedLocals: false,
  verbatimModuleSyntax: false,
};

interface Example {
  /** Where it stands: `packages/core/src/gate/compact.ts:12`. */
  readonly name: string;
  /** The generated module: one line of imports, then the example line by line. */
  readonly module: string;
  readonly file: string;
  readonly line: number;
  readonly runs: boolean;
}

/** An entry of a package's `exports`: the name to import it by, and the names it exports. */
interface Entry {
  readonly specifier: string;
  readonly folder: string;
  readonly names: ReadonlySet<string>;
}

function files(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending) && !path.endsWith(".test.ts"))
    .map((path) => `${folder}/${path}`)
    .sort();
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly "@l0gm/source": string }>>;
}

/** Every package's folder, with its own entries first and then those of the packages of ours that it depends on. */
function readPackages(): { folder: string; entries: Entry[] }[] {
  const packages = readdirSync(join(ROOT, "packages")).map((name) => {
    const folder = `packages/${name}`;
    return { folder, manifest: JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Manifest };
  });
  const targets = packages.flatMap(({ folder, manifest: { name, exports } }) =>
    Object.entries(exports).flatMap(([key, target]) => {
      if (typeof target === "string") return [];
      return [{ name, specifier: name + key.slice(1), source: join(ROOT, folder, target["@l0gm/source"]) }];
    }),
  );
  const program = ts.createProgram({ rootNames: targets.map(({ source }) => source), options });
  const checker = program.getTypeChecker();
  const entriesOf = (wanted: string): Entry[] =>
    targets
      .filter(({ name }) => name === wanted)
      .map(({ specifier, source }) => {
        const file = program.getSourceFile(source);
        const symbol = file && checker.getSymbolAtLocation(file);
        const names = symbol ? checker.getExportsOfModule(symbol).map((exported) => exported.name) : [];
        return { specifier, folder: dirname(source), names: new Set(names) };
      });
  return packages.map(({ folder, manifest: { name, dependencies = {} } }) => ({
    folder,
    entries: [name, ...Object.keys(dependencies)].flatMap(entriesOf),
  }));
}

/** Names that a module uses and those it declares or imports. */
function namesIn(code: string): { used: Set<string>; declared: Set<string>; ambient: boolean } {
  const used = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      if ((parent as ts.NamedDeclaration).name === node && !ts.isShorthandPropertyAssignment(parent)) {
        if (!ts.isPropertyAccessExpression(parent) && !ts.isPropertyAssignment(parent)) declared.add(node.text);
      } else used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  const file = ts.createSourceFile("example.ts", code, ts.ScriptTarget.ES2022, true);
  visit(file);
  const ambient = file.statements.some(
    (statement) =>
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some((modifier) => modifier.kind === ts.SyntaxKind.DeclareKeyword),
  );
  return { used, declared, ambient };
}

/** The imports that an example leaves out. */
function importsFor(code: string, file: string, entries: readonly Entry[]): string {
  const { used, declared } = namesIn(code);
  const missing = new Set([...used].filter((name) => !declared.has(name)));
  const lines = missing.has("tf") ? ['import * as tf from "@tensorflow/tfjs-core";'] : [];
  // The entry nearest to the file comes first: an example under src/node may use names of "@l0gm/core/node" and "@l0gm/core".
  const near = (entry: Entry): number => (join(ROOT, file).startsWith(entry.folder) ? -entry.folder.length : 0);
  for (const { specifier, names } of [...entries].sort((a, b) => near(a) - near(b))) {
    const taken = [...missing].filter((name) => names.has(name));
    for (const name of taken) missing.delete(name);
    if (taken.length > 0) lines.push(`import { ${taken.join(", ")} } from "${specifier}";`);
  }
  return lines.join(" ");
}

function write(file: string, { line, code }: CodeBlock, imports: string): Example {
  const name = `${file}:${line}`;
  const module = join(OUT, `${name.replaceAll(/[^\w]+/g, "-")}.ts`);
  const checked = code.replaceAll(PRINTED, '$1printed("$4", $2$3);');
  writeFileSync(module, `import { printed } from "../printed.ts"; ${imports} export {};\n${checked}`);
  return { name, module, file, line, runs: !namesIn(code).ambient };
}

/** The blocks of a guide as one, each on the lines where it stands. */
function joined(blocks: readonly CodeBlock[]): CodeBlock {
  const lines: string[] = [];
  for (const { line, code } of blocks) lines.push(...Array(line - 1 - lines.length).fill(""), ...code.split("\n"));
  return { line: 1, code: lines.join("\n") };
}

function collect(): Example[] {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const examples: Example[] = [];
  for (const { folder, entries } of readPackages()) {
    for (const file of files(`${folder}/src`, ".ts")) {
      for (const block of tsdocExamples(join(ROOT, file))) {
        examples.push(write(file, block, importsFor(block.code, file, entries)));
      }
    }
  }
  for (const file of [...files("docs/guide", ".md"), "README.md"]) {
    const blocks = codeBlocks(readFileSync(join(ROOT, file), "utf8"));
    if (blocks.length > 0) examples.push(write(file, joined(blocks), ""));
  }
  return examples;
}

const examples = collect();

test("every example passes the type check", () => {
  const program = ts.createProgram({ rootNames: examples.map(({ module }) => module), options });
  const complaints = examples.flatMap(({ module, file, line }) => {
    const source = program.getSourceFile(module);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((diagnostic) => {
      const at = source?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0;
      return `${file}:${line + at - 1} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")}`;
    });
  });
  expect(complaints).toEqual([]);
  expect(examples.length).toBeGreaterThan(10);
});

describe("every example runs", () => {
  beforeAll(() => {
    vi.spyOn(console, "log").mockImplementation(() => undefined);
    return () => vi.restoreAllMocks();
  });

  // readme.test.ts runs the README's snippet, in a process of its own and as a reader would.
  for (const { name, module, file, runs } of examples) {
    if (runs && file !== "README.md") test(name, () => import(module));
  }
});
