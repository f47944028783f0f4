import { ShapeError } from "@l0gm/core";
import { csrSoftmax } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";
import type { Csr, CsrArrays } from "./csr.ts";

/**
 * Softmax over the entries of each row, for every head by itself; with gradient.
 *
 * @param scores - `[entries, heads]`, in the order of the graph's entries
 * @returns `[entries, heads]`, the caller's to dispose; those of a row sum to 1
 * @throws ShapeError when there is not one row of scores an entry
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { useBackend } from "@l0gm/core";
 *
 * await useBackend("cpu");
 * const star = Csr.fromEdges([1, 2], [0, 0], { nodes: 3 });
 * console.log(edgeSoftmax(star, tf.tensor2d([[0], [1000]])).arraySync()); // 0, 1
 * ```
 */
export function edgeSoftmax(csr: Csr, scores: tf.Tensor2D): tf.Tensor2D {
  if (scores.rank !== 2 || scores.shape[0] !== csr.entries) {
    throw new ShapeError({ where: "edgeSoftmax", expected: `[${csr.entries}, heads]`, received: scores.shape });
  }
  return tf.tidy(() => csrSoftmax({ rows: csr.rows, pointers: tf.tensor1d(csr.offsets, "int32") }, scores));
}

/** `[entries]`: the row of each entry. */
export function ownersOf({ rows, offsets, neighbors }: CsrArrays): tf.Tensor1D {
  const owners = new Int32Array(neighbors.length);
  for (let i = 0; i < rows; i++) owners.fill(i, offsets[i], offsets[i + 1]);
  return tf.tensor1d(owners, "int32");
}
