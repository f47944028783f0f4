import { div, fill, type GradConfig, Mean, mul, reshape, Sum, type Tensor, util } from "@tensorflow/tfjs-core";
import { nth } from "../operations/fused.ts";

/**
 * tfjs spreads the gradient of a sum by ones that it makes in JavaScript: on a GPU, an upload of the input's size in every step. These are
 * made where they are used.
 */
function spread(dy: Tensor, { shape }: Tensor, axis: unknown): { readonly spread: Tensor; readonly summed: number } {
  const axes = util.parseAxisParam(axis as number | number[], shape);
  const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return { spread: mul(reshape(dy, kept), fill(shape, 1)), summed: util.sizeFromShape(axes.map((i) => shape[i] ?? 1)) };
}

const sumGradient: GradConfig = {
  kernelName: Sum,
  inputsToSave: ["x"],
  gradFunc: (dy, saved, attrs) => ({ x: () => spread(dy as Tensor, nth(saved, 0), attrs["axis"]).spread }),
};

const meanGradient: GradConfig = {
  kernelName: Mean,
  inputsToSave: ["x"],
  gradFunc: (dy, saved, attrs) => ({
    x: () => {
      const { spread: sum, summed } = spread(dy as Tensor, nth(saved, 0), attrs["axis"]);
      return div(sum, summed);
    },
  }),
};

export const reductionGradients: readonly GradConfig[] = [sumGradient, meanGradient];
