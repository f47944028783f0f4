import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { RunRequest } from "../sweep/plan.ts";
import { readJson } from "../tasks/config.ts";
import { TASKS } from "../tasks/registry.ts";
import { DATA_DIR_OPTION, integer, MODEL_DIR_OPTION } from "./options.ts";
import { withColumns, withPretrained } from "./settings.ts";

/** What `run` and `sweep` are told alike: the settings of their runs, and which rows to read. */
export interface RequestOptions {
  readonly split?: string;
  readonly config?: string;
  readonly data?: string;
  readonly test?: string;
  readonly label?: string;
  readonly text?: string;
  readonly model?: string;
  readonly trainableLayers?: number;
  readonly dataDir?: string;
  readonly modelDir?: string;
}

/** What a command may be asked to train on, for `--help`. */
export const BENCHMARKS = `${TASKS.map(({ name }) => name).join(", ")}; tabular, text and graph are data of your own`;

/** Adds the options of {@link RequestOptions} to a command. */
export function addRequestOptions(command: Command): Command {
  return command
    .option("--split <name>", "split of the data, where there are several")
    .option("--config <file>", "settings as JSON; what is left out has its default")
    .option(
      "--data <file>",
      "own data: CSV with a header line; texts also as .jsonl or .parquet; of a graph, its folder",
    )
    .option("--test <file>", "own data: test rows in a file of their own")
    .option("--label <column>", "own data: the column to predict")
    .option("--text <column>", "own texts: the column that holds them")
    .option("--model <name>", "texts: a pretrained encoder, by its name under the model folder or by its path")
    .option(
      "--trainable-layers <n>",
      "texts: blocks of the pretrained encoder that are trained, the last ones",
      integer,
    )
    .addOption(DATA_DIR_OPTION)
    .addOption(MODEL_DIR_OPTION);
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
  text,
  model: chosen,
  trainableLayers,
  dataDir,
  modelDir: models,
}: RequestOptions): Promise<Pick<RunRequest, "split" | "config" | "configName" | "source">> {
  // A path names a folder, as does the name of a model here where no other place is given; results do not depend on where it is.
  const isHere = models === undefined && chosen !== undefined && existsSync(join(chosen, "config.json"));
  const isPath = chosen !== undefined && (isHere || basename(resolve(chosen)) !== chosen);
  const model = isPath ? basename(resolve(chosen)) : chosen;
  const modelDir = isPath ? dirname(resolve(chosen)) : models;
  const given = file === undefined ? {} : await readJson(file);
  const columns = { ...(label === undefined ? {} : { label }), ...(text === undefined ? {} : { text }) };
  const pretrained = {
    ...(model === undefined ? {} : { model }),
    ...(trainableLayers === undefined ? {} : { trainableLayers }),
  };
  return {
    ...(split === undefined ? {} : { split }),
    config: withPretrained(withColumns(given, columns), pretrained),
    configName: file ?? "config",
    source: {
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(modelDir === undefined ? {} : { modelDir }),
      ...(data === undefined ? {} : { file: data }),
      ...(test === undefined ? {} : { testFile: test }),
    },
  };
}
