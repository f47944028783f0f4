/**
 * `pnpm bench:backend`: this package, the stock backend, native TensorFlow and PyTorch, measured in one interleaved run.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { dirname } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { CASES } from "./cases.ts";
import { goalsOf } from "./goals.ts";
import { FILLED, implementations } from "./implementations.ts";
import { Peer, PeerFailure } from "./peer.ts";
import { anyRefused, fillPage, type Run, terminalText } from "./report.ts";
import { type CaseResult, caseResult, type Entry } from "./result.ts";
import { measureInRounds } from "./rounds.ts";

interface Options {
  readonly rounds?: number;
  readonly seconds?: number;
  readonly only?: readonly string[];
  readonly without?: readonly string[];
  readonly threads: readonly number[];
  readonly python: string;
  readonly seed: number;
  readonly json: string;
  readonly markdown?: string;
  readonly quick: boolean;
}

/** Seconds that an answer may take. The stock backend needs half a minute for a step of the largest model. */
const PATIENCE = 600;

/** A machine busier than this with other things makes spreads wide. */
const BUSY = 0.1;

const KINDS: readonly string[] = ["products", "steps"];

function positive(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new InvalidArgumentError("It is a number above 0.");
  return value;
}

function count(text: string): number {
  const value = positive(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("It is an integer of at least 1.");
  return value;
}

function counts(text: string): number[] {
  return [...new Set(text.split(",").map(count))].sort((a, b) => a - b);
}

function someOf(names: readonly string[]): (text: string) => string[] {
  return (text) => {
    const chosen = text.split(",");
    const unknown = chosen.find((each) => !names.includes(each));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`There is no "${unknown}"; there are ${names.join(", ")}.`);
    }
    return chosen;
  };
}

/** The share of all cores that was busy during a second in which the bench itself waits. */
async function busyShare(): Promise<number> {
  const read = (): { readonly idle: number; readonly all: number } => {
    const times = cpus().map((each) => each.times);
    return {
      idle: times.reduce((sum, { idle }) => sum + idle, 0),
      all: times.reduce((sum, { idle, irq, nice, sys, user }) => sum + idle + irq + nice + sys + user, 0),
    };
  };
  const before = read();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const after = read();
  return 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
}

function threadSettings(): Record<string, string> {
  const set = Object.entries(process.env).filter(([name]) => /^(OMP|GOMP|KMP|MKL|TF)_/.test(name));
  return Object.fromEntries(set.map(([name, value]) => [name, value ?? ""]));
}

/** The command without the paths of this machine. */
function commandLine(args: readonly string[]): string {
  const local = /^--(python|json)(=|$)/;
  const kept = args.filter((arg, i) => !local.test(arg) && !/^--(python|json)$/.test(args[i - 1] ?? ""));
  return ["pnpm bench:backend", ...kept].join(" ");
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function run(options: Options): Promise<void> {
  const { threads, python, seed, only, quick } = options;
  const rounds = options.rounds ?? (quick ? 3 : 9);
  const seconds = options.seconds ?? (quick ? 0.2 : 0.3);
  // Filled, the stock backend takes a minute for the largest model alone.
  const all = implementations({ threads, python });
  const known = all.map(({ id }) => id);
  const unknown = options.without?.find((id) => !known.includes(id));
  if (unknown !== undefined) program.error(`error: there is no "${unknown}"; there are ${known.join(", ")}`);
  const without = [...(options.without ?? []), ...(quick ? [FILLED] : [])];
  const chosen = CASES.filter(
    ({ name, kind }) => only === undefined || only.includes(name) || only.includes(`${kind}s`),
  );
  const before = await busyShare();
  if (before > BUSY) {
    say(`warning: other processes use ${Math.round(before * 100)} % of this machine; ratios will spread`);
  }

  const entries: Entry[] = [];
  const peers = new Map<string, Peer>();
  const cases: CaseResult[] = [];
  try {
    const substitutes = new Map<string, string>();
    for (const { id, title, command, standsFor } of all) {
      if (without.includes(id)) {
        entries.push({ id, title, absent: "left out of this run" });
        continue;
      }
      try {
        const peer = await Peer.start(command, PATIENCE);
        peers.set(id, peer);
        if (standsFor !== undefined) substitutes.set(id, standsFor);
        entries.push({ id, title, ...peer.ready });
      } catch (error) {
        if (!(error instanceof PeerFailure)) throw error;
        entries.push({ id, title, absent: error.message });
        say(`${title} is left out: ${error.message}`);
      }
    }
    for (const each of chosen) {
      const start = performance.now();
      const times = await measureInRounds(peers, each.workload, { rounds, seconds, seed, substitutes });
      cases.push(caseResult(each, times, threads));
      say(`${each.name}: ${times.refused ?? `${((performance.now() - start) / 1000).toFixed(0)} s`}`);
    }
  } finally {
    await Promise.all([...peers.values()].map((peer) => peer.end()));
  }

  const [processor] = cpus();
  const result: Run = {
    format: 1,
    date: new Date().toISOString(),
    command: commandLine(process.argv.slice(2)),
    machine: {
      processor: processor?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${release()}`,
      node: process.versions.node,
      busy: [before, await busyShare()],
    },
    options: { rounds, seconds, seed, threads, environment: threadSettings() },
    implementations: entries,
    cases,
    goals: goalsOf(cases, threads),
  };
  await mkdir(dirname(options.json), { recursive: true });
  await writeFile(options.json, `${JSON.stringify(result, undefined, 1)}\n`);
  process.stdout.write(`${terminalText(result)}\n`);
  say(`every time and ratio: ${options.json}`);
  if (anyRefused(result)) {
    process.exitCode = 1;
    say("some results differ, so their times are not compared; no page is written");
    return;
  }
  if (options.markdown === undefined) return;
  const page = await readFile(options.markdown, "utf8");
  await writeFile(options.markdown, fillPage(page, result, options.markdown));
  say(`tables: ${options.markdown}`);
}

const names = CASES.map(({ name }) => name);

const program = new Command("bench:backend");

await program
  .description("Measures this package against stock TensorFlow.js, tfjs-node and PyTorch, where those are installed")
  .option("--rounds <n>", "rounds over all implementations (default: 9, quick 3)", count)
  .option("--seconds <s>", "how long each measures in a round (default: 0.3, quick 0.2)", positive)
  .option("--only <cases>", `of products, steps, ${names.join(", ")}`, someOf([...KINDS, ...names]))
  .option("--without <ids>", "implementations to leave out, such as filled,tfjs-node", (text: string) =>
    text.split(","),
  )
  .option("--threads <list>", "threads of this package and of PyTorch", counts, [1, 2])
  .option("--python <path>", "interpreter that has PyTorch", process.env["PYTHON"] ?? "python3")
  .option("--seed <n>", "of the order within rounds", count, 1)
  .option("--json <file>", "where every time goes", "runs/backend-benchmark.json")
  .option("--markdown <file>", "page between whose marks, those for this version of Node, the tables go")
  .option("--quick", "about two minutes: fewer rounds, without the filled stock backend", false)
  .action(run)
  .parseAsync();
