import { layerNorm as layerNormOperation } from "@l0gm/backend";
import type * as tf from "@tensorflow/tfjs-core";
import { type Module, ones, zeros } from "./module.ts";

/** Layer normalisation over the last axis (Ba et al. 2016). */
export function layerNorm(width: number): Module<tf.Tensor, "scale" | "shift"> {
  return {
    weights: {
      scale: { shape: [width], fill: ones, decay: false },
      shift: { shape: [width], fill: zeros, decay: false },
    },
    macs: 0,
    apply: ({ scale, shift }, x) => layerNormOperation(x, scale as tf.Tensor1D, shift as tf.Tensor1D),
  };
}
