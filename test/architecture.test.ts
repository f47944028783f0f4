import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { ICruiseResult } from "dependency-cruiser";
import { afterAll, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "l0gm-arrows-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Every violation under `folder` as "rule: from -> to". */
function violations(folder: string): { lines: string[]; modules: number } {
  const config = join(ROOT, ".dependency-cruiser.cjs");
  const bin = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const args = [bin, "--config", config, "--output-type", "json", "packages", "apps"];
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (run.stdout === "") throw new Error(run.stderr);
  const { summary } = JSON.parse(run.stdout) as ICruiseResult;
  const lines = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  return { lines: lines.sort(), modules: summary.totalCruised };
}

test("the packages keep to the arrows of docs/architecture/overview.md", () => {
  const { lines, modules } = violations(ROOT);
  expect(lines).toEqual([]);
  expect(modules).toBeGreaterThan(20);
});

test("a workspace that breaks every arrow is reported arrow by arrow", () => {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), text);
  };
  for (const name of ["backend", "core", "graph", "tabular", "vision"]) {
    const exports = { ".": { "@l0gm/source": "./src/index.ts", default: "./dist/index.js" } };
    const dependencies = { "@l0gm/tabular": "0.0.0", "@l0gm/core": "0.0.0" };
    write(
      `packages/${name}/package.json`,
      JSON.stringify({ name: `@l0gm/${name}`, type: "module", exports, dependencies }),
    );
  }
  const link = (from: string, to: string): void => {
    mkdirSync(join(scratch, `packages/${from}/node_modules/@l0gm`), { recursive: true });
    symlinkSync(join(scratch, `packages/${to}`), join(scratch, `packages/${from}/node_modules/@l0gm/${to}`));
  };
  link("graph", "tabular");
  link("backend", "core");
  write("tsconfig.base.json", "{}");
  write("apps/bench/src/index.ts", "export const bench = 1;\n");
  write("packages/backend/src/index.ts", 'import "@l0gm/core";\n');
  write("packages/core/src/index.ts", 'import "./gate/gate.ts";\nimport "./node/files.ts";\n');
  write("packages/core/src/gate/gate.ts", 'import { readFile } from "node:fs";\nexport const read = readFile;\n');
  write("packages/core/src/node/files.ts", 'import "node:fs";\n');
  write("packages/graph/src/index.ts", 'import type { Table } from "@l0gm/tabular";\nexport type T = Table;\n');
  write(
    "packages/tabular/src/index.ts",
    'import "./loop.ts";\nimport "../../core/src/gate/gate.ts";\nexport interface Table {}\n',
  );
  write("packages/tabular/src/loop.ts", 'import "./index.ts";\nimport "../../../apps/bench/src/index.ts";\n');
  write("packages/vision/src/index.ts", 'import "../../core/src/index.ts";\nimport "./absent.ts";\n');
  expect(violations(scratch).lines).toEqual([
    "backend-imports-only-itself: packages/backend/src/index.ts -> packages/core/src/index.ts",
    "core-does-not-reach-into-its-node-half: packages/core/src/index.ts -> packages/core/src/node/files.ts",
    "core-runs-in-a-browser: packages/core/src/gate/gate.ts -> fs",
    "every-package-has-a-rule: packages/vision/src/index.ts -> packages/core/src/index.ts",
    "everything-resolves: packages/vision/src/index.ts -> ./absent.ts",
    "graph-imports-only-core: packages/graph/src/index.ts -> packages/tabular/src/index.ts",
    "no-cycles: packages/tabular/src/index.ts -> packages/tabular/src/loop.ts",
    "packages-by-their-public-names: packages/tabular/src/index.ts -> packages/core/src/gate/gate.ts",
    "packages-by-their-public-names: packages/tabular/src/loop.ts -> apps/bench/src/index.ts",
    "packages-by-their-public-names: packages/vision/src/index.ts -> packages/core/src/index.ts",
    "tabular-imports-only-core: packages/tabular/src/loop.ts -> apps/bench/src/index.ts",
  ]);
});
