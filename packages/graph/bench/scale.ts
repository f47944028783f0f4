/**
 * `pnpm bench:graph`: what a simulated graph of ogbn-products' kind takes in time and memory, at several sizes: to be read from csv.gz and
 * from the cache, for an epoch of training on sampled neighbours, and for inference over all nodes. A step that was measured before is not
 * measured again.
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { cpus, release, tmpdir, totalmem, type } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { directory } from "@l0gm/core/node";
import { Command, InvalidArgumentError } from "commander";
import { fillSection } from "./page.ts";
import { type Entry, type ScaleRun, scaleText } from "./scale-report.ts";
import { type Measured, STEPS, type Step, type Task } from "./scale-steps.ts";

interface Options {
  readonly scales: readonly number[];
  readonly seed: number;
  readonly batches?: number;
  readonly again: readonly Step[];
  readonly folder: string;
  readonly dataDir?: string;
  readonly keep: boolean;
  readonly json: string;
  readonly markdown?: string;
}

function scalesOf(text: string): number[] {
  const scales = text.split(",").map((each) => {
    const [above = Number.NaN, below = 1] = each.split("/").map(Number);
    const scale = above / below;
    if (!(scale > 0 && scale <= 1)) throw new InvalidArgumentError(`"${each}" is no number above 0 and up to 1.`);
    return scale;
  });
  return scales.sort((a, b) => a - b);
}

function integerOf(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("It is an integer of at least 0.");
  return value;
}

function stepsOf(text: string): Step[] {
  return text.split(",").map((name) => {
    const step = STEPS.find((each) => each === name);
    if (step === undefined) throw new InvalidArgumentError(`There is no "${name}"; there are ${STEPS.join(", ")}.`);
    return step;
  });
}

const program = new Command("bench:graph")
  .description("time and memory of a simulated graph of ogbn-products' kind, at several sizes")
  .option("--scales <list>", "of the published size", scalesOf, scalesOf("1/64,1/16,1/4,1"))
  .option("--seed <n>", "of the graph and the model", integerOf, 0)
  .option("--batches <n>", "of training, at most; all of an epoch when left out", integerOf)
  .option("--again <list>", `steps that are measured again: ${STEPS.join(", ")}`, stepsOf, [])
  .option("--folder <dir>", "for graphs, caches and models: 3 GB at full size", join(tmpdir(), "l0gm-bench-graph"))
  .option("--data-dir <dir>", "holds ogbn_products_partial, for the real labels; L0GM_DATA_DIR when left out")
  .option("--keep", "leaves graphs where they are", false)
  .option("--json <file>", "where every number goes, and from where a run goes on", "runs/graph-benchmark.json")
  .option("--markdown <file>", "a page with a section <!-- scale -->, which is written anew")
  .parse();

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a step in a process of its own. */
async function measure(task: Task): Promise<Measured> {
  const script = join(import.meta.dirname, "scale-steps.ts");
  const args = [...process.execArgv, script, JSON.stringify(task)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let answer = "";
  child.stdout.on("data", (piece: Buffer) => {
    answer += piece;
  });
  const code = await new Promise<number | string | null>((end, fail) => {
    child.on("error", fail);
    child.on("close", (status, signal) => end(status ?? signal));
  });
  if (code !== 0) throw new Error(`step ${task.step} at scale ${task.scale} ended with ${code}`);
  return JSON.parse(answer) as Measured;
}

/** What decides a step's numbers, the machine aside. */
function keyOf({ step, scale, seed, labelsFrom, batches }: Task): string {
  const labels = labelsFrom === undefined ? "simulated labels" : "real labels";
  return [step, scale, seed, labels, ...(step === "train" && batches !== undefined ? [`${batches} batches`] : [])].join(
    ", ",
  );
}

async function readRun(path: string): Promise<ScaleRun> {
  return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as ScaleRun) : { format: 1, steps: {} };
}

const options: Options = program.opts();
const { seed, batches, json } = options;
const partial = join(options.dataDir ?? process.env["L0GM_DATA_DIR"] ?? "", "ogbn_products_partial");
const labelsFrom = existsSync(join(partial, "raw/node-label.csv.gz")) ? resolve(partial) : undefined;
if (labelsFrom === undefined) say(`${partial} has no labels: they are simulated, too`);

const run = await readRun(json);
const entries: Entry[] = [];
for (const scale of options.scales) {
  const folder = join(options.folder, `scale-${scale}-seed-${seed}${labelsFrom === undefined ? "-labels" : ""}`);
  const common = { scale, seed, folder, ...(labelsFrom && { labelsFrom }), ...(batches && { batches }) };
  const tasks = STEPS.map((step): Task => ({ ...common, step }));
  const isDone = (task: Task): boolean => keyOf(task) in run.steps && !options.again.includes(task.step);
  for (const [place, task] of tasks.entries()) {
    // What a later step reads has to be there.
    const isNeeded = place < 2 && !existsSync(join(folder, "cache")) && !tasks.every(isDone);
    if (!isDone(task) || isNeeded) {
      if (task.step === "write") await rm(folder, { recursive: true, force: true });
      if (task.step === "csv") await rm(join(folder, "cache"), { recursive: true, force: true });
      say(`scale ${scale}: ${task.step}`);
      const measured = await measure(task);
      const [processor] = cpus();
      run.steps[keyOf(task)] = {
        scale,
        step: task.step,
        ...measured,
        date: new Date().toISOString(),
        machine: {
          processor: processor?.model ?? "unknown",
          cores: cpus().length,
          memoryBytes: totalmem(),
          system: `${type()} ${release()}`,
          node: process.version,
        },
      };
      // Whole or not at all: a run that is killed goes on from what it had.
      await directory(dirname(resolve(json))).write(
        basename(json),
        new TextEncoder().encode(`${JSON.stringify(run, undefined, 2)}\n`),
      );
    }
    entries.push(run.steps[keyOf(task)] as Entry);
  }
  if (!options.keep) await rm(folder, { recursive: true, force: true });
}
const text = scaleText(entries);
process.stdout.write(text);
if (options.markdown !== undefined) {
  const page = await readFile(options.markdown, "utf8");
  await writeFile(options.markdown, fillSection(page, "scale", text, options.markdown));
}
