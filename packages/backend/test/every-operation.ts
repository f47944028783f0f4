import * as tf from "@tensorflow/tfjs-core";
import { attention } from "../src/operations/attention.ts";
import { softmaxCrossEntropy } from "../src/operations/cross-entropy.ts";
import { csrProduct } from "../src/operations/csr.ts";
import { dense } from "../src/operations/dense.ts";
import { hardConcreteGate } from "../src/operations/gate.ts";
import { gelu } from "../src/operations/gelu.ts";
import { layerNorm } from "../src/operations/layer-norm.ts";
import { meanOverNeighbors } from "../src/operations/neighbors.ts";
import { dropout, randomNormal, randomUniform } from "../src/operations/random.ts";
import { streamAt } from "../src/random-stream.ts";

type F = (...xs: tf.Tensor[]) => tf.Tensor;

/** The gradients of the sum of squares of what `f` gives. */
function gradients(name: string, f: F, ...xs: tf.Tensor[]): [name: string, gradient: tf.Tensor][] {
  const found = tf.grads((...args: tf.Tensor[]) => tf.sum(tf.square(f(...args))))(xs);
  return found.map((gradient, i) => [`gradient of ${name} for argument ${i}`, gradient]);
}

/**
 * Products in all layouts, and each fused operation with its gradients, on sizes that several threads share. The inputs are the same on
 * every backend.
 *
 * @returns name and values of each result
 */
export async function everyOperation(): Promise<Map<string, Float32Array>> {
  const results = tf.tidy(() => {
    const normal = (shape: number[], name: string): tf.Tensor => randomNormal(shape, [5, name]);
    const matrix = normal([203, 130], "matrix") as tf.Tensor2D;
    const other = normal([130, 101], "other") as tf.Tensor2D;
    const many = normal([17, 46, 35], "many");
    const tokens = normal([7, 20, 48], "tokens") as tf.Tensor3D;
    const [gain, offset, bias] = [normal([130], "gain"), normal([130], "offset"), normal([101], "bias")];
    const whole = (length: number, at: (i: number) => number): tf.Tensor1D =>
      tf.tensor1d(
        Int32Array.from({ length }, (_, i) => at(i)),
        "int32",
      );
    const labels = whole(203, (i) => (7 * i) % 130);
    // Small: plain JavaScript passes over all entries once a row.
    const nodes = normal([60, 24], "nodes") as tf.Tensor2D;
    const starts = whole(81, (i) => 3 * i);
    const ids = whole(240, (i) => (31 * i) % 60);
    const u = randomUniform([203, 130], [5, "gate"], 0.01, 0.99);
    const csr = { rows: 80, columns: 60, pointers: starts, indices: ids };
    const layer = (activation: "relu" | "gelu"): F => {
      return (x, kernel, b) => dense(x as tf.Tensor, kernel as tf.Tensor2D, b as tf.Tensor1D, activation);
    };
    const heads: F = (q, k, v) => attention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, { heads: 3 });
    const norm: F = (x, g, b) => layerNorm(x as tf.Tensor, g as tf.Tensor1D, b as tf.Tensor1D);
    const gate: F = (x, logAlpha) => hardConcreteGate(x as tf.Tensor2D, logAlpha as tf.Tensor1D, u).output;
    return Object.fromEntries([
      ["a b", tf.matMul(matrix, other)],
      ["a' b", tf.matMul(matrix, matrix, true, false)],
      ["a b'", tf.matMul(matrix, matrix, false, true)],
      ["a' b'", tf.matMul(other, matrix, true, true)],
      ["batched a' b", tf.matMul(many, many, true, false)],
      ["sums", tf.sum(matrix, 0)],
      [
        "segment sums",
        tf.unsortedSegmentSum(
          tf.gather(nodes, ids),
          whole(240, (i) => i % 40),
          40,
        ),
      ],
      ["dropout", dropout(tokens, 0.3, [5, "dropout"])],
      ...gradients(
        "dropout",
        (x) => dropout(x as tf.Tensor, 0.3, { ...streamAt(5, ["place"]), first: 2 ** 32 - 7000 }),
        tokens,
      ),
      ...gradients("dense with ReLU", layer("relu"), matrix, other, bias),
      ...gradients("dense with GELU", layer("gelu"), matrix, other, bias),
      ...gradients("layer norm", norm, matrix, gain, offset),
      ...gradients("attention", heads, tokens, tf.mul(tokens, 0.5), tf.add(tokens, 1)),
      ...gradients("cross-entropy", (x) => softmaxCrossEntropy(x as tf.Tensor2D, labels), matrix),
      ...gradients("GELU", (x) => gelu(x as tf.Tensor), matrix),
      ...gradients("GELU by tanh", (x) => gelu(x as tf.Tensor, "tanh"), matrix),
      ...gradients("hard-concrete gate", gate, matrix, tf.mul(gain, 0.3)),
      ...gradients("CSR product", (x) => csrProduct(csr, x as tf.Tensor2D), nodes),
      ...gradients("mean over neighbours", (x) => meanOverNeighbors(x as tf.Tensor2D, 7), matrix),
    ]) as Record<string, tf.Tensor>;
  });
  const read = new Map<string, Float32Array>();
  // Not dataSync: WebGPU reads tensors only in its own time.
  for (const [name, tensor] of Object.entries(results)) read.set(name, (await tensor.data()) as Float32Array);
  tf.dispose(results);
  return read;
}

/** The largest difference, relative where values are large, and the result that it is in. */
export function largestDifference(
  results: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
): { readonly name: string; readonly difference: number } {
  let largest = { name: "", difference: 0 };
  for (const [name, reference] of expected) {
    const values = results.get(name) ?? new Float32Array();
    if (values.length !== reference.length) return { name, difference: Number.POSITIVE_INFINITY };
    // Relative to the largest of the result: sums of many terms cancel.
    const size = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    for (let i = 0; i < values.length; i++) {
      const difference = Math.abs((values[i] ?? Number.NaN) - (reference[i] ?? Number.NaN)) / size;
      if (!(difference <= largest.difference)) largest = { name, difference };
    }
  }
  return largest;
}

/** SHA-256 of every result's bits. */
export async function bitsOf(results: ReadonlyMap<string, Float32Array>): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const [name, values] of results) {
    const digest = await crypto.subtle.digest("SHA-256", new Float32Array(values));
    hashes[name] = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return hashes;
}
