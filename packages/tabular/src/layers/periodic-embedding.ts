import { type Module, ModuleLayer, normal, type SeededLayerArgs } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import { columnsFirst, perColumnLinear, perColumnLinearWeights } from "./per-column-linear.ts";

/** Options of {@link PeriodicEmbedding}. */
export interface PeriodicEmbeddingOptions {
  /** Numeric columns. */
  readonly columns: number;
  /** Numbers that stand for a value. */
  readonly dimension: number;
  /** Trained frequencies a column. @defaultValue 16 */
  readonly frequencies?: number;
  /** Standard deviation of the initial frequencies, in periods per unit of input. @defaultValue 0.1 */
  readonly deviation?: number;
}

export function periodicEmbedding(
  options: PeriodicEmbeddingOptions,
): Module<tf.Tensor[], "frequencies" | "kernel" | "bias"> {
  const { columns, dimension, frequencies = 16, deviation = 0.1 } = options;
  return {
    weights: {
      frequencies: { shape: [columns, 1, frequencies], fill: normal(deviation), decay: false },
      ...perColumnLinearWeights(columns, 2 * frequencies, dimension),
    },
    macs: columns * 2 * frequencies * dimension,
    apply: (weights, [x]) => {
      const angle = tf.mul(columnsFirst(x as tf.Tensor), tf.mul(weights.frequencies, 2 * Math.PI));
      return perColumnLinear(tf.concat([tf.cos(angle), tf.sin(angle)], 2), weights);
    },
  };
}

/**
 * Sines and cosines of a number at trained frequencies, then one linear layer a column and a ReLU: float32 `[rows, columns]` to
 * `[rows, columns, dimension]`. "PLR" of Gorishniy, Rubachev and Babenko, "On Embeddings for Numerical Features in Tabular Deep
 * Learning", NeurIPS 2022.
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/core";
 * await useBackend("cpu");
 * const layer = new PeriodicEmbedding({ columns: 3, dimension: 8 });
 * const vectors = layer.apply(tf.zeros([5, 3])) as tf.Tensor;
 * console.log(vectors.size); // 120
 * ```
 */
export class PeriodicEmbedding extends ModuleLayer<PeriodicEmbeddingOptions, "frequencies" | "kernel" | "bias"> {
  static readonly className = "PeriodicEmbedding";

  constructor(options: PeriodicEmbeddingOptions & SeededLayerArgs) {
    super(options, periodicEmbedding(options), [options.columns, options.dimension]);
  }
}

tf.serialization.registerClass(PeriodicEmbedding);
