import type { Dataset, Encoder, GatedClassifier, Predictions } from "@l0gm/core";
import type { z } from "zod";
import type { RunConfig } from "./config.ts";

/** Where a task's rows come from, as the command line says it. Paths stay out of a run's config and key; checksums stand for them. */
export interface TaskSource {
  readonly dataDir?: string;
  /** Where pretrained models are looked for first. */
  readonly modelDir?: string;
  /** Own data: the file (of a graph, the folder) with all rows, or with the training rows when `testFile` is given. */
  readonly file?: string;
  readonly testFile?: string;
}

/** Identity of the rows, known without parsing them. */
export interface DataIdentity {
  readonly name: string;
  /** SHA-256, hexadecimal, over everything that is read. */
  readonly checksum: string;
  /** The rows were made up; `name` says how. */
  readonly simulated?: true;
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
  encoder(seed: number): Encoder<Batch> | Promise<Encoder<Batch>>;
  /** JSON files that are kept with the run, by name, so that it can be applied to new rows. */
  readonly artefacts: Readonly<Record<string, unknown>>;
  /** What the config's batch size `auto` stands for. @defaultValue about a 64th of the training rows */
  readonly batchSize?: number;
  /** Multiply-accumulates of encoding a row, on average, where that depends on the rows. @defaultValue those that the encoder states */
  readonly macs?: (encoder: Encoder<Batch>) => number;
  /** Whose batches are timed, where those of `validation` would not tell what a batch costs. */
  readonly timed?: Dataset<Batch>;
  /** What is odd in the data, and yet allowed. */
  readonly warnings?: readonly string[];
  /** Predictions that take no model, by the name of their comparator. */
  readonly untrained?: Readonly<Record<string, () => UntrainedPredictions>>;
  /**
   * Comparators that cut a model between two parts of its training, by name. Called with the untrained model and the level.
   *
   * @throws ConfigError when the model cannot be cut that far
   */
  readonly pruned?: Readonly<Record<string, (model: GatedClassifier<Batch>, level: number) => Pruning<Batch>>>;
}

/**
 * Makes a smaller encoder out of that of the model, which has been trained by now and stays as it is.
 *
 * @returns the same for the same seed and weights; the caller's to dispose
 */
export type Pruning<Batch> = (seed: number) => Promise<Encoder<Batch>>;

/** What a comparator without a model says. */
export interface UntrainedPredictions {
  readonly validation: Predictions;
  readonly test: Predictions;
  /** Multiply-accumulates a row. */
  readonly macs: number;
  /** Time of all of them, and how many rows that were. */
  readonly milliseconds: number;
  readonly rows: number;
}

/**
 * Something that a modality would do anyway, trained without a gate beside L0GM: less of its input, or a plain baseline. It changes the
 * settings of a dense run, or cuts its model ({@link TaskData.pruned}), and nothing else, so that both have the same epochs, batches and
 * optimizer.
 */
export interface Comparator<Config> {
  readonly summary: string;
  /** How far it goes, where there is a choice; a run of its own for each. */
  readonly levels?: readonly number[];
  /**
   * @param level - one of `levels`, or another number that the user named; NaN for a comparator without levels
   * @throws ConfigError when it cannot be had with these settings
   */
  configure(config: Config, level: number): Config;
  /**
   * Checks what a pretrained model's files have to say before anything is trained.
   *
   * @param config - as it was before {@link configure}
   * @throws ConfigError when the level does not suit the model
   */
  check?(config: Config, level: number, source: TaskSource): Promise<void>;
}

/** What {@link Task.load} is asked for. */
export interface LoadRequest<Config> {
  readonly config: Config;
  readonly source: TaskSource;
  readonly split: string;
  /** Seed of splits that the publisher did not make. */
  readonly seed: number;
  /** Told how far something has come that takes minutes: computed once, it is found on disk from then on. */
  readonly onPrepare?: (step: Preparation) => void;
  readonly signal?: AbortSignal;
}

/** Part of the work before training. */
export interface Preparation {
  /** What is computed. */
  readonly what: string;
  readonly done: number;
  readonly rows: number;
}

/** A benchmark, or a kind of own data. The only code of the bench that knows a modality. */
export interface Task<Batch, Config extends RunConfig = RunConfig> {
  readonly name: string;
  /** The benchmark that this one stands in for and is never reported as. */
  readonly standInFor?: string;
  readonly config: z.ZodType<Config>;
  /** The same settings, with the defaults of a split or of what else is asked for; without it, those of {@link config}. */
  configFor?(split: string, given: unknown): z.ZodType<Config>;
  /** Names of the splits; the first is the default. */
  readonly splits: readonly [string, ...string[]];
  /** Own data may have splits of any name. */
  readonly ownSplits?: boolean;
  /** By name. */
  readonly comparators?: Readonly<Record<string, Comparator<Config>>>;
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
