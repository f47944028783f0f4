import { ConfigError, type Encoder, registerEncoder } from "@l0gm/core";
import {
  checkInteger,
  checkRate,
  dense,
  dropout,
  type EncoderKind,
  heUniform,
  type ModuleWeights,
  moduleEncoder,
} from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { TableBatch } from "./dataset.ts";
import { categoricalEmbedding } from "./layers/categorical-embedding.ts";
import { periodicEmbedding } from "./layers/periodic-embedding.ts";
import { piecewiseLinearEmbedding } from "./layers/piecewise-linear-embedding.ts";
import { checkColumns, checkedTrunk, type TableEncoderOptions } from "./table-encoder.ts";

/** Options of {@link mlpEncoder}. */
export interface MlpEncoderOptions extends TableEncoderOptions {
  /** Widths of the hidden layers, at least one. @defaultValue [256, 256] */
  readonly hidden?: readonly number[];
  /** Rate after every hidden layer. @defaultValue 0.1 */
  readonly dropout?: number;
  /** What becomes of a number before the hidden layers. @defaultValue "piecewise-linear" */
  readonly numericEmbedding?: "none" | "piecewise-linear" | "periodic";
  /** Numbers that stand for a numeric value, unless its embedding is "none". @defaultValue 8 */
  readonly numericDimension?: number;
  /** Numbers that stand for a category. @defaultValue 8 */
  readonly categoricalDimension?: number;
  /** For the periodic embedding. @defaultValue 16 */
  readonly frequencies?: number;
  /** Standard deviation of the periodic embedding's initial frequencies. @defaultValue 0.1 */
  readonly frequencyDeviation?: number;
}

const KIND = "tabular/mlp";

type Read = (batch: TableBatch) => tf.Tensor;

/** The batch's numbers as `[rows, width]`. */
function numericPart(weights: ModuleWeights, options: MlpEncoderOptions): [read: Read, width: number] {
  const { data, numericEmbedding = "piecewise-linear", numericDimension: dimension = 8 } = options;
  const columns = data.numeric;
  if (numericEmbedding === "none") return [({ numeric }) => numeric, columns];
  checkInteger(KIND, "numericDimension", dimension);
  const flat = (embed: (inputs: tf.Tensor[]) => tf.Tensor): [Read, number] => [
    ({ numeric }) => tf.reshape(embed([numeric]), [-1, columns * dimension]),
    columns * dimension,
  ];
  if (numericEmbedding === "periodic") {
    const { frequencies = 16, frequencyDeviation: deviation = 0.1 } = options;
    checkInteger(KIND, "frequencies", frequencies);
    return flat(weights.bind("numeric", periodicEmbedding({ columns, dimension, frequencies, deviation })));
  }
  if (numericEmbedding !== "piecewise-linear") {
    const expected = 'numericEmbedding to be "none", "piecewise-linear" or "periodic"';
    throw new ConfigError({ where: KIND, expected, received: numericEmbedding });
  }
  const edges = data.binEdges;
  if (edges?.length !== columns) {
    throw new ConfigError({
      where: KIND,
      expected: `data.binEdges for ${columns} numeric columns`,
      received: edges === undefined ? "none" : `for ${edges.length}`,
      hint: "Take data from encoderOptionsFrom(preprocessor), or choose another numericEmbedding.",
    });
  }
  return flat(weights.bind("numeric", piecewiseLinearEmbedding({ edges, dimension })));
}

/** The batch's categories as `[rows, width]`. */
function categoricalPart(weights: ModuleWeights, options: MlpEncoderOptions): [read: Read, width: number] {
  const { data, categoricalDimension: dimension = 8 } = options;
  checkInteger(KIND, "categoricalDimension", dimension);
  const { cardinalities } = data;
  const width = cardinalities.length * dimension;
  const embed = weights.bind("categorical", categoricalEmbedding({ cardinalities, dimension }));
  return [({ categorical }) => tf.reshape(embed([categorical]), [-1, width]), width];
}

const MLP: EncoderKind<TableBatch, MlpEncoderOptions> = {
  kind: KIND,
  trunk(weights, options) {
    checkColumns(KIND, options.data);
    const { data, hidden = [256, 256], dropout: rate = 0.1 } = options;
    checkRate(KIND, "dropout", rate);
    const parts = [
      ...(data.numeric > 0 ? [numericPart(weights, options)] : []),
      ...(data.cardinalities.length > 0 ? [categoricalPart(weights, options)] : []),
    ];
    let width = parts.reduce((sum, part) => sum + part[1], 0);
    checkInteger(KIND, "the number of hidden layers", hidden.length);
    const layers = hidden.map((outputs, i) => {
      checkInteger(KIND, "the width of a hidden layer", outputs);
      const layer = weights.bind(
        `hidden${i}`,
        dense({ inputs: width, outputs, fill: heUniform(width), activation: "relu" }),
      );
      width = outputs;
      return layer;
    });
    return checkedTrunk(KIND, data, {
      width,
      apply(batch, context) {
        const x = tf.concat(
          parts.map(([read]) => read(batch)),
          1,
        );
        return layers.reduce((y, layer) => dropout(layer(y), rate, context), x);
      },
    });
  },
};

/**
 * A multilayer perceptron over a table's columns: numbers through an embedding (piecewise-linear or periodic; Gorishniy et al. 2022)
 * or as they are, categories as learned vectors, then hidden layers with ReLU and dropout, then the linear projection that makes the
 * representation `[rows, width]`.
 *
 * @throws ConfigError when an option is out of range, or bins are wanted but not given
 *
 * @example
 * ```ts
 * import { EVALUATION, useBackend } from "@l0gm/core";
 * await useBackend("cpu");
 * const encoder = mlpEncoder({ data: { numeric: 3, cardinalities: [4, 5] }, numericEmbedding: "periodic", width: 16 });
 * const batch = { numeric: tf.zeros<tf.Rank.R2>([2, 3]), categorical: tf.zeros<tf.Rank.R2>([2, 2], "int32") };
 * const representation = encoder.encode(batch, EVALUATION);
 * console.log(representation.shape[1]); // 16
 * ```
 */
export function mlpEncoder(options: MlpEncoderOptions): Encoder<TableBatch> {
  return moduleEncoder(MLP, options);
}

registerEncoder(KIND, (config) => mlpEncoder(config as MlpEncoderOptions) as Encoder<never>);
