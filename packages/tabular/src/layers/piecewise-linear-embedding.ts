import { ConfigError } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import type { Module } from "../module.ts";
import { ModuleLayer, type SeededLayerArgs } from "./module-layer.ts";
import { columnsFirst, perColumnLinear, perColumnLinearWeights } from "./per-column-linear.ts";

/** Options of {@link PiecewiseLinearEmbedding}. */
export interface PiecewiseLinearEmbeddingOptions {
  /** For each column the ascending borders of its bins, at least two. */
  readonly edges: readonly (readonly number[])[];
  /** Numbers that stand for a value. */
  readonly dimension: number;
}

interface Encoding {
  readonly bins: number;
  /** Each `[columns, 1, bins]`: a value's place in its bin is x * scale + shift, 0 at the left border and 1 at the right one. */
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  /** 1 in a column's first and last bin. */
  readonly first: Float32Array;
  readonly last: Float32Array;
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

function encodingOf(edges: readonly (readonly number[])[]): Encoding {
  const bins = Math.max(...edges.map((of) => of.length - 1));
  const make = (): Float32Array => new Float32Array(edges.length * bins);
  const encoding = { bins, scale: make(), shift: make(), first: make(), last: make() };
  edges.forEach((of, column) => {
    of.slice(1).forEach((right, k) => {
      const left = of[k] ?? right;
      const at = column * bins + k;
      encoding.scale[at] = 1 / (right - left);
      encoding.shift[at] = -left / (right - left);
      encoding.first[at] = Number(k === 0);
      encoding.last[at] = Number(k === of.length - 2);
    });
  });
  return encoding;
}

export function piecewiseLinearEmbedding(
  options: PiecewiseLinearEmbeddingOptions,
): Module<tf.Tensor[], "kernel" | "bias"> {
  const { edges, dimension } = options;
  checkEdges(edges);
  const { bins, ...encoding } = encodingOf(edges);
  return {
    weights: perColumnLinearWeights(edges.length, bins, dimension),
    macs: edges.length * bins * dimension,
    apply: (weights, [x]) => {
      const constant = (values: Float32Array): tf.Tensor3D => tf.tensor3d(values, [edges.length, 1, bins]);
      const place = tf.add(tf.mul(columnsFirst(x as tf.Tensor), constant(encoding.scale)), constant(encoding.shift));
      // The outer bins go on beyond their outer borders, so that values out there still differ. Clipping and masks say the same as
      // a minimum and a maximum with one border a bin, which WebAssembly broadcasts at 130 ns an element.
      const below = tf.mul(tf.relu(tf.neg(place)), constant(encoding.first));
      const above = tf.mul(tf.relu(tf.sub(place, 1)), constant(encoding.last));
      const encoded = tf.add(tf.sub(tf.clipByValue(place, 0, 1), below), above);
      return perColumnLinear(encoded, weights);
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
