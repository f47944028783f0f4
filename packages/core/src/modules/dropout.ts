import { dropout as dropoutOperation } from "@l0gm/backend";
import type * as tf from "@tensorflow/tfjs-core";
import type { EncodeContext } from "../model/encoder.ts";

/** Zeroes a share of the numbers and scales the others up (Srivastava et al. 2014); outside training nothing happens. */
export function dropout(x: tf.Tensor, rate: number, { training, random }: EncodeContext): tf.Tensor {
  if (!training || rate === 0) return x;
  return dropoutOperation(x, rate, random.take(x.size));
}
