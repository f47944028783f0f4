import { ConfigError } from "@l0gm/core";
import { type Module, ModuleLayer, type SeededLayerArgs, uniform, type Weight } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import { checkCardinalities, embeddingFill, lookUp, offsetsOf, totalOf } from "./categorical-embedding.ts";

/** Options of {@link FeatureTokenizer}. */
export interface FeatureTokenizerOptions {
  /** Numeric columns; may be 0. */
  readonly columns: number;
  /** Number of indices of each categorical column; may be empty. */
  readonly cardinalities: readonly number[];
  /** Numbers a token. */
  readonly dimension: number;
}

type Name = "weight" | "table" | "bias";

/** Tokens that the tokenizer makes of a row, [CLS] included. */
export function tokenCount({ columns, cardinalities }: FeatureTokenizerOptions): number {
  return 1 + columns + cardinalities.length;
}

export function featureTokenizer(options: FeatureTokenizerOptions): Module<tf.Tensor[], Name> {
  const { columns, cardinalities, dimension } = options;
  checkCardinalities("FeatureTokenizer", cardinalities);
  const tokens = tokenCount(options);
  if (tokens < 2) {
    throw new ConfigError({ where: "FeatureTokenizer", expected: "at least one column", received: options });
  }
  const offsets = offsetsOf(cardinalities);
  const fill = uniform(1 / Math.sqrt(dimension));
  const weight: Weight = { shape: [columns, dimension], fill, decay: false };
  const table: Weight = {
    shape: [totalOf(cardinalities), dimension],
    fill: embeddingFill(cardinalities, dimension, fill),
    decay: false,
  };
  const bias: Weight = { shape: [tokens, dimension], fill, decay: false };
  // A weight without numbers would be trained, saved and checked for nothing.
  const weights = { ...(columns > 0 ? { weight } : {}), ...(cardinalities.length > 0 ? { table } : {}), bias };
  return {
    weights: weights as Record<Name, Weight>,
    macs: 0,
    apply: (values, inputs) => {
      const rows = inputs[0]?.shape[0] ?? 0;
      // [CLS] is all bias: one vector, whatever the row.
      const parts: tf.Tensor[] = [tf.zeros([rows, 1, dimension])];
      if (columns > 0) {
        const x = tf.reshape(inputs[0] as tf.Tensor, [rows, columns, 1]);
        parts.push(tf.mul(x, tf.reshape(values.weight, [1, columns, dimension])));
      }
      if (offsets.length > 0) parts.push(lookUp(inputs.at(-1) as tf.Tensor, values.table, offsets));
      return tf.add(tf.concat(parts, 1), tf.reshape(values.bias, [1, tokens, dimension]));
    },
  };
}

/**
 * Makes a token of every column, and a [CLS] token before them: `x_j * w_j + b_j` of numbers, a learned vector plus `b_j` of
 * categories. Inputs are the numbers, float32 `[rows, columns]`, and the categories, int32 `[rows, columns]`, one of them alone where
 * there is no column of the other kind; the output is `[rows, 1 + columns of both, dimension]`. Gorishniy, Rubachev, Khrulkov and
 * Babenko, "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021.
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/core";
 * await useBackend("cpu");
 * const layer = new FeatureTokenizer({ columns: 2, cardinalities: [4], dimension: 8 });
 * const tokens = layer.apply([tf.zeros([5, 2]), tf.zeros([5, 1], "int32")]) as tf.Tensor;
 * console.log(tokens.shape[1]); // 4
 * ```
 */
export class FeatureTokenizer extends ModuleLayer<FeatureTokenizerOptions, Name> {
  static readonly className = "FeatureTokenizer";

  /** @throws ConfigError when there is no column */
  constructor(options: FeatureTokenizerOptions & SeededLayerArgs) {
    super(options, featureTokenizer(options), [tokenCount(options), options.dimension]);
  }
}

tf.serialization.registerClass(FeatureTokenizer);
