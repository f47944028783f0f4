import type { EncodeContext } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";

/** Zeroes a share of the numbers and scales the others up (Srivastava et al. 2014); outside training nothing happens. */
export function dropout(x: tf.Tensor, rate: number, { training, random }: EncodeContext): tf.Tensor {
  if (!training || rate === 0) return x;
  const kept = 1 / (1 - rate);
  const mask = random.uniforms(x.size);
  for (let i = 0; i < mask.length; i++) mask[i] = (mask[i] ?? 0) < rate ? 0 : kept;
  return tf.mul(x, tf.tensor(mask, x.shape));
}
