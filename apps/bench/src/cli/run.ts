import { Command, Option } from "commander";
import type { Method } from "../run/spec.ts";
import { finishedRun, obtainRun, prepareOutput } from "../run/store.ts";
import { planRuns } from "../sweep/plan.ts";
import { interruptible } from "./exit.ts";
import { fraction, integer, JSON_OPTION, printJson, weight } from "./options.ts";
import { showProgress } from "./progress.ts";
import { addRequestOptions, BENCHMARKS, type RequestOptions, readRequest } from "./request-options.ts";
import { describeResult } from "./run-summary.ts";
import { checkLabel } from "./settings.ts";

interface RunOptions extends RequestOptions {
  readonly target?: number;
  readonly lambda?: number;
  readonly path?: boolean;
  readonly dense?: boolean;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

/** The fraction of a run that is told nothing. */
const DEFAULT_TARGET = 1 / 8;

const EXAMPLES = `
Examples:
  l0gm run adult --target 1/8                     an eighth of the dimensions stays, exactly
  l0gm run adult --path --json                    a whole frontier from one run; a list of documents
  l0gm run tabular --data my.csv --label class    a table of your own
  l0gm run imdb --model all-minilm-l6-v2 --trainable-layers 2 --path
  l0gm run text --data my.jsonl --text body --label topic
  l0gm run amazon-computers --split random_60_20_20 --dense
  l0gm run graph --data my-graph --path           a folder: edges.csv, features.csv, labels.csv, or OGB's raw layout
  l0gm schema config tabular                      the settings that --config FILE can hold
`;

export function runCommand(): Command {
  const command = new Command("run")
    .description("train one model and measure it")
    .argument("<benchmark>", BENCHMARKS)
    .addOption(
      new Option("--target <fraction>", "active fraction of the finished model (default: 1/8)")
        .argParser(fraction)
        .conflicts(["lambda", "path", "dense"]),
    )
    .addOption(
      new Option("--lambda <number>", "weight of the L0 penalty instead of a target")
        .argParser(weight)
        .conflicts(["path", "dense"]),
    )
    .addOption(new Option("--path", "all fractions of the config's path from one run").conflicts(["dense"]))
    .option("--dense", "no gate")
    .option("--seed <n>", "initial weights, order of rows, gate noise and dropout", integer, 0);
  return addRequestOptions(command)
    .option("--out <folder>", "where the run's folder is made", "l0gm-runs")
    .addOption(JSON_OPTION)
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(benchmark: string, options: RunOptions): Promise<void> {
  const { seed, out } = options;
  checkLabel(benchmark, options.label);
  const request = { ...(await readRequest(options)), benchmark, methods: [methodOf(options)], seeds: [seed] };
  const [planned] = await planRuns([request], out);
  if (planned === undefined) throw new Error("a request for one run gave none");
  await prepareOutput(out);
  const reused = (await finishedRun(planned)) !== undefined;
  const progress = showProgress(1);
  if (!reused) progress.onStart(planned);
  const results = await interruptible(async (signal) => {
    try {
      return await obtainRun(planned, {
        signal,
        onEpoch: ({ epoch, validationNll }, epochs) =>
          progress.onEpoch(planned, { epoch: epoch + 1, epochs, validationNll }),
        onPrepare: (step) => progress.onPrepare(planned, step),
      });
    } finally {
      progress.stop();
    }
  });
  const [first] = results;
  if (options.json === true) printJson(planned.method.kind === "path" ? results : first);
  else for (const result of results) process.stdout.write(`${describeResult(result)}\n`);
  for (const warning of new Set(results.flatMap(({ warnings }) => warnings)))
    process.stderr.write(`warning: ${warning}\n`);
  process.stderr.write(`${reused ? "done before, kept in" : "kept in"} ${planned.folder}\n`);
}

function methodOf({ target, lambda, path, dense }: RunOptions): Method {
  if (dense === true) return { kind: "dense" };
  if (path === true) return { kind: "path" };
  if (lambda !== undefined) return { kind: "penalty", lambda };
  return { kind: "target", fraction: target ?? DEFAULT_TARGET };
}
