import { ConfigError } from "@l0gm/core";
import { Command } from "commander";
import type { Method } from "../run/spec.ts";
import { defaultWorkers } from "../sweep/pool.ts";
import { readJson } from "../tasks/config.ts";
import { count, DATA_DIR_OPTION, fractions, JSON_OPTION } from "./options.ts";
import { withLabel, withPathFractions } from "./settings.ts";

const METHODS = ["dense", "l0gm", "l0gm-path"];

interface SweepCommandOptions {
  readonly targets: number[];
  readonly seeds: number;
  readonly methods: string;
  readonly workers: number;
  readonly split?: string;
  readonly config?: string;
  readonly dataDir?: string;
  readonly data?: string;
  readonly test?: string;
  readonly label?: string;
  readonly out: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  l0gm sweep adult --targets 1,1/2,1/4,1/8 --seeds 5
  l0gm sweep tabular --data my.csv --label class --methods dense,l0gm-path --seeds 3
`;

export function sweepCommand(): Command {
  return new Command("sweep")
    .description(
      "train a grid of methods, fractions and seeds side by side; an interrupted sweep goes on when called again",
    )
    .argument("<benchmark...>", "adult, or tabular for a CSV file of your own")
    .option("--targets <list>", "active fractions of l0gm and l0gm-path", fractions, [1, 0.5, 0.25, 0.125, 0.0625])
    .option("--seeds <n>", "seeds 0 to n - 1", count, 5)
    .option("--methods <list>", METHODS.join(", "), "dense,l0gm")
    .option("--workers <n>", "runs side by side", count, defaultWorkers())
    .option("--split <name>", "split of the data, where there are several")
    .option("--config <file>", "settings as JSON; what is left out has its default")
    .option("--data <file>", "own data: CSV with a header line, may end in .gz")
    .option("--test <file>", "own data: test rows in a file of their own")
    .option("--label <column>", "own data: the column to predict")
    .addOption(DATA_DIR_OPTION)
    .option("--out <folder>", "where the runs' folders and the report go", "l0gm-runs")
    .addOption(JSON_OPTION)
    .addHelpText("after", EXAMPLES)
    .action(sweep);
}

async function sweep(benchmarks: string[], options: SweepCommandOptions): Promise<void> {
  const { targets, seeds, split, config: configFile, dataDir, data, test, label, workers, out, json = false } = options;
  const settings = withLabel(configFile === undefined ? {} : await readJson(configFile), label);
  const requests = benchmarks.map((benchmark) => ({
    benchmark,
    methods: methodsOf(options.methods, targets),
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    ...(split === undefined ? {} : { split }),
    config: withPathFractions(settings, targets),
    configName: configFile ?? "config",
    source: {
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(data === undefined ? {} : { file: data }),
      ...(test === undefined ? {} : { testFile: test }),
    },
  }));
  const { runGrid } = await import("./grid.ts");
  await runGrid(requests, { workers, out, json, title: `L0GM: sweep of ${benchmarks.join(", ")}` });
}

function methodsOf(names: string, targets: readonly number[]): Method[] {
  return names.split(",").flatMap((name): Method[] => {
    switch (name.trim()) {
      case "dense":
        return [{ kind: "dense" }];
      case "l0gm":
        return targets.map((fraction) => ({ kind: "target", fraction }));
      case "l0gm-path":
        return [{ kind: "path" }];
      default:
        throw new ConfigError({ where: "--methods", expected: `a list out of ${METHODS.join(", ")}`, received: name });
    }
  });
}
