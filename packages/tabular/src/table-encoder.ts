import {
  ConfigError,
  type EncodeContext,
  type Encoder,
  type EncoderCost,
  type EncoderDescription,
  type Parameter,
  Projection,
  Random,
  ShapeError,
} from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import type { TableBatch } from "./dataset.ts";
import { ModuleWeights } from "./module.ts";
import type { TablePreprocessor } from "./preprocess.ts";

/** The columns that an encoder reads. */
export interface TableColumns {
  /** Numeric columns of a batch. */
  readonly numeric: number;
  /** Number of indices of each categorical column. */
  readonly cardinalities: readonly number[];
  /** For each numeric column the ascending borders of its bins; needed by the piecewise-linear embedding alone. */
  readonly binEdges?: readonly (readonly number[])[];
}

/** What all encoders of this package take. */
export interface TableEncoderOptions {
  /** The columns to read, as {@link encoderOptionsFrom} tells them. */
  readonly data: TableColumns;
  /** Columns of the representation. @defaultValue 128 */
  readonly width?: number;
  /** Seed of the initial weights. @defaultValue 0 */
  readonly seed?: number;
}

/**
 * The part of an encoder's options that follows from the data.
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/core";
 * await useBackend("cpu");
 * const rows = [{ age: 31, town: "Ghent", class: "a" }, { age: 17, town: "Lyon", class: "b" }];
 * const preprocessor = TablePreprocessor.fit(rows, inferSchema(rows, { label: "class" }));
 * const encoder = mlpEncoder({ ...encoderOptionsFrom(preprocessor), width: 32 });
 * console.log(encoder.width); // 32
 * ```
 */
export function encoderOptionsFrom(preprocessor: TablePreprocessor): Pick<TableEncoderOptions, "data"> {
  const { numericNames, cardinalities, binEdges } = preprocessor;
  return { data: { numeric: numericNames.length, cardinalities, binEdges } };
}

/** @throws ConfigError unless `value` is an integer of at least `least` */
export function checkInteger(where: string, name: string, value: unknown, least = 1): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw new ConfigError({ where, expected: `${name} to be an integer of at least ${least}`, received: value });
}

/** @throws ConfigError unless `value` is at least 0 and below 1 */
export function checkRate(where: string, name: string, value: unknown): void {
  if (typeof value === "number" && value >= 0 && value < 1) return;
  throw new ConfigError({ where, expected: `${name} to be at least 0 and below 1`, received: value });
}

/** @throws ConfigError when the columns are not told as they should be */
export function checkColumns(where: string, data: TableColumns | undefined): void {
  if (data === undefined || !Array.isArray(data.cardinalities)) {
    const hint = "Take it from encoderOptionsFrom(preprocessor).";
    throw new ConfigError({ where, expected: "data with numeric and cardinalities", received: data, hint });
  }
  checkInteger(where, "data.numeric", data.numeric, 0);
  for (const cardinality of data.cardinalities) checkInteger(where, "every cardinality", cardinality);
  if (data.numeric + data.cardinalities.length === 0) {
    throw new ConfigError({ where, expected: "at least one column", received: "none" });
  }
}

/** Everything of an encoder but its projection: a batch to `[rows, width]`, nonlinear at its end. */
export interface Trunk {
  readonly width: number;
  apply(batch: TableBatch, context: EncodeContext): tf.Tensor;
}

/** What tells one kind of encoder from another. */
export interface EncoderKind<Options extends TableEncoderOptions> {
  /** As it is registered. */
  readonly kind: string;
  /** Makes the trunk's variables by way of `weights`, the same for the same options. */
  trunk(weights: ModuleWeights, options: Options): Trunk;
}

const WIDTH = 128;

/** A trunk, and the linear projection that makes the representation of what comes out of it. */
class TableEncoder<Options extends TableEncoderOptions> implements Encoder<TableBatch> {
  readonly width: number;
  readonly parameters: readonly Parameter[];
  readonly cost: EncoderCost;
  readonly #kind: EncoderKind<Options>;
  readonly #options: Options;
  readonly #weights: ModuleWeights;
  readonly #trunk: Trunk;
  readonly #projection: Projection;

  /** @param narrowed - whose trunk to copy, and the projection to take over */
  constructor(
    kind: EncoderKind<Options>,
    options: Options,
    narrowed?: { readonly trunk: readonly Parameter[]; readonly projection: Projection },
  ) {
    const { width = WIDTH, seed = 0 } = options;
    checkInteger(kind.kind, "width", width);
    checkInteger(kind.kind, "seed", seed, 0);
    checkColumns(kind.kind, options.data);
    this.width = width;
    this.#kind = kind;
    this.#options = options;
    this.#weights = narrowed === undefined ? ModuleWeights.seeded(seed) : ModuleWeights.copied(narrowed.trunk);
    try {
      this.#trunk = kind.trunk(this.#weights, options);
    } catch (error) {
      // Variables of the parts before the one that was refused.
      this.#weights.dispose();
      throw error;
    }
    const random = Random.from(seed, "initial", "projection");
    this.#projection = narrowed?.projection ?? Projection.create({ inputs: this.#trunk.width, outputs: width, random });
    this.parameters = [...this.#weights.parameters, ...this.#projection.parameters];
    this.cost = {
      parameters: this.parameters.reduce((sum, { variable }) => sum + variable.size, 0),
      macs: this.#weights.macs + this.#trunk.width * width,
    };
  }

  encode(batch: TableBatch, context: EncodeContext): tf.Tensor2D {
    const { numeric, cardinalities } = this.#options.data;
    for (const [name, expected] of [
      ["numeric", numeric],
      ["categorical", cardinalities.length],
    ] as const) {
      const { shape } = batch[name];
      if (shape.length === 2 && shape[1] === expected) continue;
      throw new ShapeError({ where: this.#kind.kind, expected: `${name} [rows, ${expected}]`, received: shape });
    }
    return tf.tidy(() => this.#projection.apply(this.#trunk.apply(batch, context) as tf.Tensor2D));
  }

  narrow(keep: readonly number[]): Encoder<TableBatch> {
    const projection = this.#projection.select(keep);
    const options = { ...this.#options, width: keep.length };
    return new TableEncoder(this.#kind, options, { trunk: this.#weights.parameters, projection });
  }

  describe(): EncoderDescription {
    return { kind: this.#kind.kind, config: this.#options };
  }

  dispose(): void {
    this.#weights.dispose();
    this.#projection.dispose();
  }
}

/** @throws ConfigError when an option is out of range */
export function tableEncoder<Options extends TableEncoderOptions>(
  kind: EncoderKind<Options>,
  options: Options,
): Encoder<TableBatch> {
  return new TableEncoder(kind, options);
}
