/**
 * Gradients that TensorFlow.js 4.22 does not have, made of plain operations, for every backend. One that is there, of TensorFlow.js or of
 * someone else, is left alone.
 */

import { type GradConfig, getGradient, registerGradient, reshape, slice, split, Tensor } from "@tensorflow/tfjs-core";
import { comparisonGradients } from "./comparisons.ts";
import { einsumGradient } from "./einsum.ts";
import {
  gatherNdGradient,
  scatterNdGradient,
  stridedSliceGradient,
  tensorScatterUpdateGradient,
  topKGradient,
} from "./indexing.ts";
import { reductionGradients } from "./reductions.ts";

const GRADIENTS: readonly GradConfig[] = [
  einsumGradient,
  gatherNdGradient,
  scatterNdGradient,
  stridedSliceGradient,
  tensorScatterUpdateGradient,
  topKGradient,
  ...comparisonGradients,
];

/** The methods by which gradients of tfjs (of `prod`, and of `gather` with a batch axis) call operations, without importing them. */
const METHODS: Readonly<Record<string, (x: Tensor, ...rest: never[]) => unknown>> = { reshape, slice, split };

let replaced = false;

/** Replaces, once, those of tfjs that are correct and slow. */
export function replaceSlowGradients(): void {
  if (replaced) return;
  for (const gradient of reductionGradients) registerGradient(gradient);
  replaced = true;
}

/** Registers what is missing. */
export function registerMissingGradients(): void {
  for (const gradient of GRADIENTS) {
    if (getGradient(gradient.kernelName) === undefined) registerGradient(gradient);
  }
  for (const [name, operation] of Object.entries(METHODS)) {
    if (Reflect.has(Tensor.prototype, name)) continue;
    const value = function (this: Tensor, ...rest: never[]): unknown {
      return operation(this, ...rest);
    };
    Object.defineProperty(Tensor.prototype, name, { value, configurable: true, writable: true });
  }
}
