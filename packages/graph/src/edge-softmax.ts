import { ShapeError } from "@l0gm/core";
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
  return tf.tidy(() => softmaxOfRows(csr, ownersOf(csr), scores));
}

/** `[entries]`: the row of each entry. */
export function ownersOf({ rows, offsets, neighbors }: CsrArrays): tf.Tensor1D {
  const owners = new Int32Array(neighbors.length);
  for (let i = 0; i < rows; i++) owners.fill(i, offsets[i], offsets[i + 1]);
  return tf.tensor1d(owners, "int32");
}

/** As {@link edgeSoftmax}; leaves intermediate tensors. */
export function softmaxOfRows(graph: CsrArrays, owners: tf.Tensor1D, scores: tf.Tensor2D): tf.Tensor2D {
  const [, heads] = scores.shape;
  // A row's largest score is taken from all of them, so that no exponential overflows and no sum is 0. It is no function of the scores
  // as far as gradients go: whatever a row's scores are shifted by, their softmax is the same.
  const largest = tf.tensor2d(largestOfRows(graph, scores.dataSync<"float32">(), heads), scores.shape);
  const powers = tf.exp(tf.sub(scores, largest));
  const sums = tf.unsortedSegmentSum(powers, owners, graph.rows);
  return tf.div(powers, tf.gather(sums, owners));
}

function largestOfRows({ rows, offsets }: CsrArrays, scores: Float32Array, heads: number): Float32Array {
  const largest = new Float32Array(scores.length);
  for (let i = 0; i < rows; i++) {
    const [start, end] = [(offsets[i] as number) * heads, (offsets[i + 1] as number) * heads];
    for (let head = 0; head < heads; head++) {
      let most = Number.NEGATIVE_INFINITY;
      for (let e = start + head; e < end; e += heads) most = Math.max(most, scores[e] as number);
      for (let e = start + head; e < end; e += heads) largest[e] = most;
    }
  }
  return largest;
}
