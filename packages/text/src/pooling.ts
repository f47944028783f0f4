import { ConfigError } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";

/** How the vectors of a text's tokens become one: that of the first token, or the mean over all but padding. */
export type Pooling = "cls" | "mean";

export const POOLINGS: readonly Pooling[] = ["cls", "mean"];

/** @throws ConfigError unless it is one of `known` */
export function checkPooling(where: string, pooling: string, known: readonly string[] = POOLINGS): void {
  if (known.includes(pooling)) return;
  const expected = `pooling to be one of ${known.map((name) => `"${name}"`).join(", ")}`;
  throw new ConfigError({ where, expected, received: pooling });
}

/**
 * @param hidden - `[rows, tokens, width]`
 * @param mask - `[rows, tokens]`, 0 for padding; a row without a token gives zeros
 * @returns `[rows, width]`; may leave intermediate tensors
 */
export function pool(hidden: tf.Tensor3D, mask: tf.Tensor2D, pooling: Pooling): tf.Tensor2D {
  const [rows, tokens, width] = hidden.shape;
  if (pooling === "cls") return tf.reshape(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [rows, width]);
  const counts = tf.maximum(tf.sum(mask, 1, true), 1);
  // A product of matrices a row: faster than multiplying every number by its mask and adding up.
  const shares = tf.reshape(tf.div(mask, counts), [rows, 1, tokens]);
  return tf.reshape(tf.matMul(shares, hidden), [rows, width]);
}
