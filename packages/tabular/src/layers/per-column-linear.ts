import { heUniform, type Weight, zeros } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";

/** Weights of one linear layer a column, `[columns, inputs, outputs]`. */
export function perColumnLinearWeights(
  columns: number,
  inputs: number,
  outputs: number,
): Record<"kernel" | "bias", Weight> {
  return {
    kernel: { shape: [columns, inputs, outputs], fill: heUniform(inputs), decay: true },
    bias: { shape: [columns, 1, outputs], fill: zeros, decay: false },
  };
}

/** `[rows, columns]` to `[columns, rows, 1]`: columns come first, so that they are the batch of one batched matrix product. */
export function columnsFirst(x: tf.Tensor): tf.Tensor3D {
  return tf.reshape(tf.transpose(x), [x.shape[1] ?? 0, x.shape[0] ?? 0, 1]);
}

/**
 * One linear layer a column, and a ReLU.
 *
 * @param x - `[columns, rows, inputs]`
 * @returns `[rows, columns, outputs]`
 */
export function perColumnLinear(x: tf.Tensor, { kernel, bias }: Record<"kernel" | "bias", tf.Tensor>): tf.Tensor {
  return tf.transpose(tf.relu(tf.add(tf.matMul(x, kernel), bias)), [1, 0, 2]);
}
