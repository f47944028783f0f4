import type { Command } from "commander";
import type { RunRequest } from "../sweep/plan.ts";
import { readJson } from "../tasks/config.ts";
import { TASKS } from "../tasks/registry.ts";
import { DATA_DIR_OPTION } from "./options.ts";
import { withLabel } from "./settings.ts";

/** What `run` and `sweep` are told alike: the settings of their runs, and which rows to read. */
export interface RequestOptions {
  readonly split?: string;
  readonly config?: string;
  readonly data?: string;
  readonly test?: string;
  readonly label?: string;
  readonly dataDir?: string;
}

/** What a command may be asked to train on, for `--help`. */
export const BENCHMARKS = `${TASKS.map(({ name }) => name).join(", ")}; tabular and graph are data of your own`;

/** Adds the options of {@link RequestOptions} to a command. */
export function addRequestOptions(command: Command): Command {
  return command
    .option("--split <name>", "split of the data, where there are several")
    .option("--config <file>", "settings as JSON; what is left out has its default")
    .option("--data <file>", "own data: CSV with a header line, may end in .gz; of a graph, its folder")
    .option("--test <file>", "own data: test rows in a file of their own")
    .option("--label <column>", "own data: the column to predict")
    .addOption(DATA_DIR_OPTION);
}

/**
 * The part of a request that these options decide.
 *
 * @throws DataError when the config file cannot be read or is no JSON
 */
export async function readRequest({
  split,
  config: file,
  data,
  test,
  label,
  dataDir,
}: RequestOptions): Promise<Pick<RunRequest, "split" | "config" | "configName" | "source">> {
  return {
    ...(split === undefined ? {} : { split }),
    config: withLabel(file === undefined ? {} : await readJson(file), label),
    configName: file ?? "config",
    source: {
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(data === undefined ? {} : { file: data }),
      ...(test === undefined ? {} : { testFile: test }),
    },
  };
}
