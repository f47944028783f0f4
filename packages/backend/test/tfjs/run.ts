/**
 * Runs the tests that TensorFlow.js publishes with its npm package on the stock WebAssembly backend and on ours, each in a process of its
 * own. Fails where a test passes on the stock backend and not on ours, and where results.md, which lists the tests that pass only on ours,
 * is not what was found.
 *
 * usage: pnpm test:tfjs [--write]
 */

import { type ChildProcess, fork } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { version_core } from "@tensorflow/tfjs-core";
import { build } from "esbuild";
import type { Message, Order } from "./messages.ts";

const here = fileURLToPath(import.meta.url);
const folder = dirname(here);
const document = join(folder, "results.md");
const require = createRequire(import.meta.url);
const core = dirname(require.resolve("@tensorflow/tfjs-core/package.json"));
const wasm = dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));

const VARIANTS: readonly Variant[] = [
  { title: "stock", variant: "stock", threads: 1 },
  { title: "ours on one thread", variant: "ours", threads: 1 },
  { title: "ours on two threads", variant: "ours", threads: 2 },
];

/** A test that is silent for longer is given up, and the rest go on in a new process. */
const PATIENCE = 60_000;
/** Processes are not started more often: something is wrong with more than one test. */
const MOST_STARTS = 10;

interface Variant {
  readonly title: string;
  readonly variant: "stock" | "ours";
  readonly threads: number;
}

interface Outcome {
  readonly passed: boolean;
  readonly message: string;
}

type Outcomes = ReadonlyMap<string, Outcome>;

function testFiles(): string[] {
  return readdirSync(join(core, "dist"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_test.js"))
    .map((name) => name.replaceAll("\\", "/"))
    .sort();
}

/** One script that holds TensorFlow.js, its WebAssembly backend, our kernels and all tests, next to tfjs's modules. */
async function bundle(target: string): Promise<string> {
  const outfile = join(target, "tests.cjs");
  const loads = testFiles().map(
    (name) => `[${JSON.stringify(name)}, () => require(${JSON.stringify(join(core, "dist", name))})]`,
  );
  await build({
    stdin: {
      contents: `import { runVariant } from "./variant.ts";\nvoid runVariant([${loads.join(",\n")}]);`,
      resolveDir: folder,
    },
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    conditions: ["@l0gm/source"],
    // The ES modules of tfjs, so that there is one tfjs-core: its CommonJS build is another instance.
    mainFields: ["module", "main"],
    plugins: [
      {
        name: "tfjs",
        setup({ onResolve }) {
          // A file of tfjs asks for jasmine-core, which its package does not declare.
          const path = require.resolve("jasmine-core/lib/jasmine-core/jasmine.js");
          onResolve({ filter: /^jasmine-core\// }, () => ({ path }));
          // Our sources import these where they are needed, which is not the case here.
          onResolve({ filter: /^@tensorflow\/tfjs-(layers|backend-cpu)$/ }, () => ({ path: "unused", external: true }));
        },
      },
    ],
    // Test files have effects only.
    ignoreAnnotations: true,
    sourcemap: false,
    logLevel: "error",
  });
  for (const name of readdirSync(join(wasm, "wasm-out"))) {
    if (name.endsWith(".wasm")) cpSync(join(wasm, "wasm-out", name), join(target, name));
  }
  return outfile;
}

/** Runs what is not done yet, until the end, a crash or a hang; adds to `outcomes`. Resolves to whether the end was reached. */
function runOnce(script: string, { variant, threads }: Variant, outcomes: Map<string, Outcome>): Promise<boolean> {
  const order: Order = { variant, threads, done: [...outcomes.keys()], here };
  const orderFile = join(dirname(script), `order-${variant}-${threads}-${outcomes.size}.json`);
  writeFileSync(orderFile, JSON.stringify(order));
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(script, [orderFile], { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] });
    let ended = false;
    let current: string | undefined;
    let silent = false;
    let errors = "";
    const giveUp = (): void => {
      silent = true;
      child.kill("SIGKILL");
    };
    let timer = setTimeout(giveUp, PATIENCE);
    child.stderr?.on("data", (text) => {
      errors = (errors + String(text)).slice(-2000);
    });
    child.on("message", (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, PATIENCE);
      if (message.type === "start") current = message.name;
      if (message.type === "end") ended = true;
      if (message.type !== "result") return;
      current = undefined;
      outcomes.set(message.name, { passed: message.passed, message: message.message });
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (ended) return resolve(true);
      if (current === undefined)
        return reject(new Error(`the process ended (${code ?? signal}) outside a test:\n${errors}`));
      const message = silent
        ? `no end after ${PATIENCE / 1000} s`
        : `the process ended with ${code ?? signal}: ${errors}`;
      outcomes.set(current, { passed: false, message });
      resolve(false);
    });
  });
}

async function runVariant(script: string, variant: Variant): Promise<Outcomes> {
  const start = performance.now();
  const outcomes = new Map<string, Outcome>();
  for (let starts = 1; !(await runOnce(script, variant, outcomes)); starts++) {
    console.error(`${variant.title}: ${[...outcomes.keys()].at(-1)} ended its process`);
    if (starts < MOST_STARTS) continue;
    console.error(`${variant.title}: given up after ${starts} processes`);
    break;
  }
  const passed = [...outcomes.values()].filter((outcome) => outcome.passed).length;
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${variant.title}: ${passed} of ${outcomes.size} pass (${seconds} s)`);
  return outcomes;
}

/** The generated document. It says nothing that depends on the machine or the day. */
function report(stock: Outcomes, gains: readonly string[]): string {
  const passed = [...stock.values()].filter((outcome) => outcome.passed).length;
  const files = new Map<string, string[]>();
  for (const name of gains) {
    const [file = "", ...rest] = name.split(": ");
    files.set(file, [...(files.get(file) ?? []), rest.join(": ").replace(" wasm {} ", ": ")]);
  }
  const lists = [...files].map(([file, names]) => `## ${file}\n\n${names.map((name) => `- ${name}`).join("\n")}\n`);
  return `# TensorFlow.js's own tests on our kernels

Written by \`pnpm test:tfjs --write\`; \`pnpm test:tfjs\` checks it. Of the ${stock.size} tests that \`@tensorflow/tfjs-core\`
${version_core} publishes and that apply to the WebAssembly backend in Node, ${passed} pass on the stock backend. All of these pass
on ours, on one thread and on two, and so do the ${gains.length} below, which fail on the stock backend.

${lists.join("\n")}`;
}

const { values: options } = parseArgs({ options: { write: { type: "boolean", default: false } } });

const scratch = mkdtempSync(join(tmpdir(), "l0gm-tfjs-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
const script = await bundle(scratch);
const [stock, ...ours] = await Promise.all(VARIANTS.map((variant) => runVariant(script, variant)));
if (stock === undefined) throw new Error("the stock backend has to be among the variants");

const passesOnStock = (name: string): boolean => stock.get(name)?.passed === true;
let sound = true;
ours.forEach((outcomes, i) => {
  for (const name of stock.keys()) {
    if (!passesOnStock(name) || outcomes.get(name)?.passed) continue;
    sound = false;
    console.error(`passes on stock, fails on ${VARIANTS[i + 1]?.title}: ${name}`);
    console.error(`  ${outcomes.get(name)?.message ?? "it did not run"}`);
  }
});
// A second thread must not change what passes, so a gain is one with any number of them.
const gains = [...stock.keys()].filter(
  (name) => !passesOnStock(name) && ours.every((outcomes) => outcomes.get(name)?.passed),
);
const text = report(stock, gains);
if (options.write && sound) {
  writeFileSync(document, text);
  console.log(`wrote ${relative(process.cwd(), document)}`);
} else if (readFileSync(document, "utf8") !== text) {
  sound = false;
  console.error(
    `${relative(process.cwd(), document)} is not what was found: run pnpm test:tfjs --write and read the difference`,
  );
}
console.log(`${gains.length} tests pass on our kernels only.`);
process.exitCode = sound ? 0 : 1;
