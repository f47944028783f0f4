import { type DenseActivation, dense as denseOperation } from "@l0gm/backend";
import type * as tf from "@tensorflow/tfjs-core";
import { type Fill, type Module, zeros } from "./module.ts";

/** Options of {@link dense}. */
export interface DenseOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly fill: Fill;
  /** @defaultValue "linear" */
  readonly activation?: DenseActivation;
  /** How often a row of the batch goes through the layer: its tokens. @defaultValue 1 */
  readonly times?: number;
}

/** A dense layer over the last axis. */
export function dense(options: DenseOptions): Module<tf.Tensor, "kernel" | "bias"> {
  const { inputs, outputs, fill, activation = "linear", times = 1 } = options;
  return {
    weights: {
      kernel: { shape: [inputs, outputs], fill, decay: true },
      bias: { shape: [outputs], fill: zeros, decay: false },
    },
    macs: times * inputs * outputs,
    apply: ({ kernel, bias }, x) => denseOperation(x, kernel as tf.Tensor2D, bias as tf.Tensor1D, activation),
  };
}
