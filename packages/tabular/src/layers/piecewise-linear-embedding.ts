import { ConfigError } from "@l0gm/core";
import type { Module } from "@l0gm/core/modules";
import { ModuleLayer, type SeededLayerArgs } from "@l0gm/core/modules";
import { piecewiseLinear } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";
import { perColumnLinearWeights } from "./per-column-linear.ts";

/** Options of {@link PiecewiseLinearEmbedding}. */
export interface PiecewiseLinearEmbeddingOptions {
  /** For each column the ascending borders of its bins, at least two. */
  readonly edges: readonly (readonly number[])[];
  /** Numbers that stand for a value. */
  readonly dimension: number;
}

function checkEdges(edges: readonly (readonly number[])[]): void {
  const ascending = (of: readonly number[]): boolean =>
    of.length > 1 && of.every((edge, k) => Number.isFinite(edge) && (k === 0 || edge > (of[k - 1] ?? edge)));
  const wrong = edges.findIndex((of) => !ascending(of));
  if (edges.length === 0 || wrong >= 0) {
    throw new ConfigError({
      where: "PiecewiseLinearEmbedding",
      expected: "at least two ascending edges a column",
      received: edges[wrong] ?? "no column",
    });
  }
}

export function piecewiseLinearEmbedding(
  options: PiecewiseLinearEmbeddingOptions,
): Module<tf.Tensor[], "kernel" | "bias"> {
  const { edges, dimension } = options;
  checkEdges(edges);
  const bins = Math.max(...edges.map((of) => of.length - 1));
  return {
    weights: perColumnLinearWeights(edges.length, bins, dimension),
    macs: edges.length * bins * dimension,
    apply: ({ kernel, bias }, [x]) => {
      const linear = piecewiseLinear(x as tf.Tensor2D, kernel as tf.Tensor3D, edges);
      return tf.relu(tf.add(linear, tf.reshape(bias, [1, edges.length, dimension])));
    },
  };
}

/**
 * Says of a number how far it reaches through each bin of its column, then applies one linear layer a column and a ReLU:
 * float32 `[rows, columns]` to `[rows, columns, dimension]`. "PLE" with "LR" of Gorishniy, Rubachev and Babenko, "On Embeddings for
 * Numerical Features in Tabular Deep Learning", NeurIPS 2022. Columns with fewer bins than others have zeros in their place.
 *
 * @example
 * ```ts
 * import { layers, sequential } from "@tensorflow/tfjs-layers";
 * import { useBackend } from "@l0gm/core";
 * await useBackend("cpu");
 * const model = sequential({
 *   layers: [
 *     new PiecewiseLinearEmbedding({ edges: [[-1, 0, 1], [0, 1]], dimension: 4, inputShape: [2] }),
 *     layers.flatten(),
 *     layers.dense({ units: 2 }),
 *   ],
 * });
 * console.log(model.countParams()); // 42
 * ```
 */
export class PiecewiseLinearEmbedding extends ModuleLayer<PiecewiseLinearEmbeddingOptions, "kernel" | "bias"> {
  static readonly className = "PiecewiseLinearEmbedding";

  /** @throws ConfigError when a column's edges do not ascend */
  constructor(options: PiecewiseLinearEmbeddingOptions & SeededLayerArgs) {
    super(options, piecewiseLinearEmbedding(options), [options.edges.length, options.dimension]);
  }
}

tf.serialization.registerClass(PiecewiseLinearEmbedding);
