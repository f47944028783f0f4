import { Command } from "commander";
import { methodsNamed } from "../sweep/methods.ts";
import { defaultWorkers } from "../sweep/pool.ts";
import { taskNamed } from "../tasks/registry.ts";
import { count, fractions, JSON_OPTION } from "./options.ts";
import { addRequestOptions, BENCHMARKS, type RequestOptions, readRequest } from "./request-options.ts";
import { checkLabel, withPathFractions } from "./settings.ts";

interface SweepCommandOptions extends RequestOptions {
  readonly targets: number[];
  readonly seeds: number;
  readonly methods: string;
  readonly workers: number;
  readonly out: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  l0gm sweep adult --targets 1,1/2,1/4,1/8 --seeds 5
  l0gm sweep amazon-computers --split random_60_20_20 --methods dense,l0gm,mlp,label-propagation,drop-edge-0.5
  l0gm sweep tabular --data my.csv --label class --methods dense,l0gm-path --seeds 3
`;

export function sweepCommand(): Command {
  const command = new Command("sweep")
    .description(
      "train a grid of methods, fractions and seeds side by side; an interrupted sweep goes on when called again",
    )
    .argument("<benchmark...>", BENCHMARKS)
    .option("--targets <list>", "active fractions of l0gm and l0gm-path", fractions, [1, 0.5, 0.25, 0.125, 0.0625])
    .option("--seeds <n>", "seeds 0 to n - 1", count, 5)
    .option("--methods <list>", "dense, l0gm, l0gm-path, and the benchmark's comparators", "dense,l0gm")
    .option("--workers <n>", "runs side by side", count, defaultWorkers());
  return addRequestOptions(command)
    .option("--out <folder>", "where the runs' folders and the report go", "l0gm-runs")
    .addOption(JSON_OPTION)
    .addHelpText("after", EXAMPLES)
    .action(sweep);
}

async function sweep(benchmarks: string[], options: SweepCommandOptions): Promise<void> {
  const { targets, seeds, workers, out, json = false } = options;
  for (const benchmark of benchmarks) checkLabel(benchmark, options.label);
  const request = await readRequest(options);
  const requests = benchmarks.map((benchmark) => ({
    ...request,
    benchmark,
    methods: methodsNamed(
      options.methods.split(",").map((name) => name.trim()),
      targets,
      taskNamed(benchmark),
    ),
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    config: withPathFractions(request.config, targets),
  }));
  const { runGrid } = await import("./grid.ts");
  await runGrid(requests, { workers, out, json, title: `L0GM: sweep of ${benchmarks.join(", ")}` });
}
