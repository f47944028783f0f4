import type { Dataset, Encoder } from "@l0gm/core";
import type { z } from "zod";
import type { RunConfig } from "./config.ts";

/** Where a task's rows come from, as the command line says it. Paths stay out of a run's config and key; checksums stand for them. */
export interface TaskSource {
  readonly dataDir?: string;
  /** Own data: the file with all rows, or with the training rows when `testFile` is given. */
  readonly file?: string;
  readonly testFile?: string;
}

/** Identity of the rows, known without parsing them. */
export interface DataIdentity {
  readonly name: string;
  /** SHA-256, hexadecimal, over everything that is read. */
  readonly checksum: string;
}

/** Test rows that share one value of a column. */
export interface Subgroup {
  readonly column: string;
  readonly value: string;
  /** Indices into the test rows. */
  readonly rows: readonly number[];
}

/** What a run needs of a benchmark. */
export interface TaskData<Batch> {
  readonly train: Dataset<Batch>;
  readonly validation: Dataset<Batch>;
  readonly test: Dataset<Batch>;
  /** Names of the classes, by index. */
  readonly classes: readonly string[];
  /** Named subsets of the test rows, as indices. */
  readonly subsets: Readonly<Record<string, readonly number[]>>;
  readonly subgroups: readonly Subgroup[];
  /** A new encoder, initialised from `seed`; the caller's to dispose. */
  encoder(seed: number): Encoder<Batch>;
  /** JSON files that are kept with the run, by name, so that it can be applied to new rows. */
  readonly artefacts: Readonly<Record<string, unknown>>;
}

/** What {@link Task.load} is asked for. */
export interface LoadRequest<Config> {
  readonly config: Config;
  readonly source: TaskSource;
  readonly split: string;
  /** Seed of splits that the publisher did not make. */
  readonly seed: number;
}

/** A benchmark, or a kind of own data. The only code of the bench that knows a modality. */
export interface Task<Batch, Config extends RunConfig = RunConfig> {
  readonly name: string;
  /** The benchmark that this one stands in for and is never reported as. */
  readonly standInFor?: string;
  readonly config: z.ZodType<Config>;
  /** Names of the splits; the first is the default. */
  readonly splits: readonly [string, ...string[]];
  /** @throws DataError when the rows are not there */
  identify(source: TaskSource, config: Config): Promise<DataIdentity>;
  /** @throws DataError when the rows are not what they are declared to be */
  load(request: LoadRequest<Config>): Promise<TaskData<Batch>>;
  /**
   * New rows for a finished run, prepared as its training rows were; all labels are 0.
   *
   * @param artefact - reads one of the run's {@link TaskData.artefacts}
   * @throws DataError when the rows do not fit
   */
  newRows(file: string, config: Config, artefact: (name: string) => Promise<unknown>): Promise<NewRows<Batch>>;
}

/** Rows to predict. */
export interface NewRows<Batch> {
  readonly rows: Dataset<Batch>;
  readonly classes: readonly string[];
}
