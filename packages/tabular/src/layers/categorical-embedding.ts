import { ConfigError } from "@l0gm/core";
import { type Fill, type Module, ModuleLayer, normal, type SeededLayerArgs } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";

/** Options of {@link CategoricalEmbedding}. */
export interface CategoricalEmbeddingOptions {
  /** Number of indices of each column. */
  readonly cardinalities: readonly number[];
  /** Numbers that stand for a category. */
  readonly dimension: number;
}

/**
 * Index 0 of every column starts at zero: it stands for unknown categories, and where no rare ones were folded into it in training,
 * it says nothing.
 */
export function embeddingFill(cardinalities: readonly number[], dimension: number, fill: Fill): Fill {
  return (random, size) => {
    const values = fill(random, size);
    for (const offset of offsetsOf(cardinalities)) values.fill(0, offset * dimension, (offset + 1) * dimension);
    return values;
  };
}

/** Where each column's rows begin in the common table. */
export function offsetsOf(cardinalities: readonly number[]): Int32Array {
  let next = 0;
  return Int32Array.from(cardinalities, (cardinality) => {
    next += cardinality;
    return next - cardinality;
  });
}

export function totalOf(cardinalities: readonly number[]): number {
  return cardinalities.reduce((sum, cardinality) => sum + cardinality, 0);
}

/**
 * @param codes - `[rows, columns]`, indices within each column
 * @param table - `[sum of cardinalities, dimension]`
 * @returns `[rows, columns, dimension]`
 */
export function lookUp(codes: tf.Tensor, table: tf.Tensor, offsets: Int32Array): tf.Tensor {
  // Repeated rather than broadcast, which WebAssembly does for integers at 120 ns an element.
  const first = tf.tile(tf.tensor2d(offsets, [1, offsets.length], "int32"), [codes.shape[0] ?? 0, 1]);
  const indices = tf.add(tf.cast(codes, "int32"), first);
  return tf.reshape(tf.gather(table, tf.reshape(indices, [-1])), [-1, offsets.length, table.shape[1] ?? 0]);
}

export function checkCardinalities(where: string, cardinalities: readonly number[]): void {
  if (!Array.isArray(cardinalities) || !cardinalities.every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new ConfigError({
      where,
      expected: "cardinalities that are integers of at least 1",
      received: cardinalities,
    });
  }
}

export function categoricalEmbedding(options: CategoricalEmbeddingOptions): Module<tf.Tensor[], "table"> {
  const { cardinalities, dimension } = options;
  checkCardinalities("CategoricalEmbedding", cardinalities);
  const offsets = offsetsOf(cardinalities);
  const fill = embeddingFill(cardinalities, dimension, normal(1 / Math.sqrt(dimension)));
  return {
    weights: { table: { shape: [totalOf(cardinalities), dimension], fill, decay: false } },
    macs: 0,
    apply: ({ table }, [codes]) => lookUp(codes as tf.Tensor, table, offsets),
  };
}

/**
 * Looks up learned vectors of categories, all columns in one table: int32 `[rows, columns]` to `[rows, columns, dimension]`.
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/core";
 * await useBackend("cpu");
 * const layer = new CategoricalEmbedding({ cardinalities: [4, 3], dimension: 2 });
 * const vectors = layer.apply(tf.tensor2d([[3, 0]], [1, 2], "int32")) as tf.Tensor;
 * console.log(vectors.size); // 4
 * ```
 */
export class CategoricalEmbedding extends ModuleLayer<CategoricalEmbeddingOptions, "table"> {
  static readonly className = "CategoricalEmbedding";

  constructor(options: CategoricalEmbeddingOptions & SeededLayerArgs) {
    super(options, categoricalEmbedding(options), [options.cardinalities.length, options.dimension]);
  }
}

tf.serialization.registerClass(CategoricalEmbedding);
