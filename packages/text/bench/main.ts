/**
 * `pnpm bench:text`: training steps and inference of MiniLM-L6 and of the Transformer from scratch, ours and PyTorch's on the same weights and
 * the same batch, in one interleaved run.
 */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { Random } from "@l0gm/core";
import { BACKENDS, CASES, type CaseName, type Measured, type Ready, ROWS, type Task, TOKENS } from "./cases.ts";
import type { Extras } from "./extras.ts";
import { Peer } from "./peer.ts";
import { extrasText, fillSpeed, type Result, type Series, spread, table } from "./report.ts";

const USAGE = `usage: pnpm bench:text [options]
  --model DIR      all-minilm-l6-v2; under L0GM_MODEL_DIR when left out
  --python FILE    an interpreter with PyTorch 2, transformers and safetensors; PYTHON, or python3, when left out
  --imdb PATH      IMDB, for tokenizing; imdb under L0GM_DATA_DIR when left out
  --backend NAME   wasm, or webgpu beside PyTorch with CUDA
  --threads LIST   1,2; 1 with webgpu
  --rounds N       measurements of each (5)
  --steps N        steps in a measurement (1)
  --only LIST      of ${Object.keys(CASES).join(", ")}
  --json FILE      where every number goes (runs/text-benchmark.json)
  --markdown FILE  a page with a section <!-- speed -->, which is written anew`;

/** Losses of the same weights and batch agree to this. */
const AGREEMENT = 1e-4;

/** Texts of the epoch that the cache is measured on. */
const CACHE_TEXTS = 4 * ROWS;

const { values } = parseArgs({
  options: {
    model: { type: "string", default: join(process.env["L0GM_MODEL_DIR"] ?? "models", "all-minilm-l6-v2") },
    python: { type: "string", default: process.env["PYTHON"] ?? "python3" },
    imdb: { type: "string" },
    backend: { type: "string", default: "wasm" },
    threads: { type: "string" },
    rounds: { type: "string", default: "5" },
    steps: { type: "string", default: "1" },
    only: { type: "string", default: Object.keys(CASES).join(",") },
    json: { type: "string", default: "runs/text-benchmark.json" },
    markdown: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} is "${text}", and has to be an integer of at least 1`);
}

const [rounds, steps] = [count("rounds", values.rounds), count("steps", values.steps)];
const backend = BACKENDS.find((each) => each === values.backend);
if (backend === undefined) throw new Error(`--backend is "${values.backend}"; there are ${BACKENDS.join(", ")}`);
const { threads: asked = backend === "wasm" ? "1,2" : "1" } = values;
const threads = asked.split(",").map((each) => count("threads", each));
const names = values.only.split(",").map((name) => {
  if (name in CASES) return name as CaseName;
  throw new Error(`--only names "${name}"; there are ${Object.keys(CASES).join(", ")}`);
});
const dataFolder = process.env["L0GM_DATA_DIR"];
const imdb = values.imdb ?? (dataFolder === undefined ? undefined : join(dataFolder, "imdb"));

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Seconds of all cores since the machine started. */
function processorTime(): { readonly busy: number; readonly all: number } {
  const times = cpus().map((each) => each.times);
  const idle = times.reduce((sum, each) => sum + each.idle, 0) / 1000;
  const all = times.flatMap((each) => Object.values(each)).reduce((sum, each) => sum + each, 0) / 1000;
  return { busy: all - idle, all };
}

/** Starts all, measures them in a random order each round, and ends them. */
async function measure(
  name: CaseName,
  on: Task["backend"],
  folder: string,
): Promise<{ result: Result; versions: Ready["versions"] }> {
  const weights = join(folder, `${name}.safetensors`);
  const common = { name, backend: on, case: CASES[name], rows: ROWS, tokens: TOKENS, model: values.model, weights };
  const started: { readonly title: string; readonly series: Series; readonly peer: Peer }[] = [];
  const versions: Record<string, string> = {};
  const losses: number[] = [];
  const before = processorTime();
  try {
    // Ours first: they write the weights that PyTorch reads.
    for (const of of ["ours", "PyTorch"] as const) {
      for (const count of threads) {
        const task = JSON.stringify({ ...common, threads: count } satisfies Task);
        const peer =
          of === "ours"
            ? new Peer(process.execPath, [...process.execArgv, join(import.meta.dirname, "worker.ts"), task])
            : new Peer(values.python, [join(import.meta.dirname, "torch_peer.py"), task]);
        started.push({
          title: `${of} x${count}`,
          peer,
          series: { of, threads: count, milliseconds: [], peakBytes: 0 },
        });
        const ready = await peer.answer<Ready>();
        losses.push(ready.loss);
        Object.assign(versions, ready.versions);
      }
    }
    // Written so that NaN disagrees.
    if (!(Math.max(...losses) - Math.min(...losses) <= AGREEMENT)) {
      const shown = started.map(({ title }, i) => `${title} ${losses[i]}`).join(", ");
      throw new Error(`${name}: losses differ by more than ${AGREEMENT}: ${shown}`);
    }
    const series = started.map((each) => ({ ...each.series, milliseconds: [] as number[] }));
    const computed = started.map(() => 0);
    for (let round = 0; round <= rounds; round++) {
      for (const i of Random.from(0, name, round).permutation(started.length)) {
        const [each, own] = [started[i], series[i]];
        if (each === undefined || own === undefined) continue;
        const { times, peakBytes, processorSeconds } = await each.peer.answer<Measured>(steps);
        const { median } = spread(times);
        say(`${name}, round ${round} of ${rounds}, ${each.title}: ${(median / 1000).toFixed(2)} s`);
        // The first round finds compilers and caches cold.
        if (round > 0) own.milliseconds.push(median);
        Object.assign(own, { peakBytes });
        computed[i] = processorSeconds;
      }
    }
    const after = processorTime();
    const measured = computed.reduce((sum, each) => sum + each, 0);
    const others = Math.max(0, after.busy - before.busy - measured) / (after.all - before.all);
    return { result: { case: CASES[name], tokens: ROWS * TOKENS, others, series }, versions };
  } finally {
    for (const { peer } of started) peer.end();
  }
}

async function measureExtras(on: Task["backend"]): Promise<Extras> {
  const script = join(import.meta.dirname, "extras.ts");
  const most = Math.max(...threads);
  const args = [on, values.model, most, CACHE_TEXTS, TOKENS, ...(imdb === undefined ? [] : [imdb])].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, script, ...args]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Extras;
}

const folder = await mkdtemp(join(tmpdir(), "l0gm-bench-text-"));
const results: Result[] = [];
let versions: Ready["versions"] = {};
try {
  for (const name of names) {
    const measured = await measure(name, backend, folder);
    results.push(measured.result);
    versions = { ...versions, ...measured.versions };
  }
} finally {
  await rm(folder, { recursive: true });
}
say("the cache of frozen layers, and tokenizing");
const extras = await measureExtras(backend);
const machine = {
  processor: cpus()[0]?.model,
  cores: availableParallelism(),
  memoryBytes: totalmem(),
};
const date = new Date().toISOString();
await mkdir(dirname(values.json), { recursive: true });
const run = { format: 1, date, machine, versions, rounds, steps, results, extras };
await writeFile(values.json, `${JSON.stringify(run, undefined, 2)}\n`);
const notes = [
  ...extrasText(extras, TOKENS, Math.max(...threads)),
  `- Batches of ${ROWS} texts of ${TOKENS} tokens; ${rounds} rounds of ${steps === 1 ? "one step" : `${steps} steps`} each, in random order; medians [quartiles] over the rounds; ratios are taken within a round. A step is forward, backward with dropout, clipping and AdamW. ${backend === "webgpu" ? "Ours by WebGPU, PyTorch's by CUDA, each waited for after every step. " : ""}The losses of ours and PyTorch's agreed to ${AGREEMENT} before. Peak is the resident memory of the process that measures the case, start and loading included; *others* is the share of the machine that other processes used meanwhile.`,
  `- ${machine.processor?.trim()}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB; ${Object.entries(
    versions,
  )
    .map((entry) => entry.join(" "))
    .join(", ")}; ${date.slice(0, 10)}.`,
];
const text = `${table(results)}\n\n${notes.join("\n")}\n`;
process.stdout.write(text);
if (values.markdown !== undefined) {
  const page = await readFile(values.markdown, "utf8");
  await writeFile(values.markdown, fillSpeed(page, text, values.markdown));
}
