import * as tf from "@tensorflow/tfjs-core";
import { type Fill, type Module, zeros } from "./module.ts";

/** Options of {@link dense}. */
export interface DenseOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly fill: Fill;
  /** How often a row of the batch goes through the layer: its tokens. @defaultValue 1 */
  readonly times?: number;
}

/** A linear layer over the last axis. */
export function dense({ inputs, outputs, fill, times = 1 }: DenseOptions): Module<tf.Tensor, "kernel" | "bias"> {
  return {
    weights: {
      kernel: { shape: [inputs, outputs], fill, decay: true },
      bias: { shape: [outputs], fill: zeros, decay: false },
    },
    macs: times * inputs * outputs,
    apply: ({ kernel, bias }, x) => {
      // As one product of matrices: faster than a batched one with the kernel repeated.
      const flat = tf.matMul(tf.reshape(x, [-1, inputs]), kernel as tf.Tensor2D);
      return tf.reshape(tf.add(flat, bias), [...x.shape.slice(0, -1), outputs]);
    },
  };
}
