import {
  add,
  GatherNd,
  type GradConfig,
  gatherND,
  mul,
  onesLike,
  pad,
  range,
  reshape,
  reverse,
  ScatterNd,
  StridedSlice,
  scatterND,
  slice,
  slice_util,
  type Tensor,
  TensorScatterUpdate,
  TopK,
  tensorScatterUpdate,
  zeros,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { nth } from "../operations/fused.ts";

/** Elements that are read more than once get the sum of what came of each. */
export const gatherNdGradient: GradConfig = {
  kernelName: GatherNd,
  inputsToSave: ["params", "indices"],
  gradFunc(dy, saved) {
    const [params, indices] = [nth(saved, 0), nth(saved, 1)];
    return {
      params: () => (indices.size === 0 ? zeros(params.shape) : scatterND(indices, dy as Tensor, params.shape)),
      indices: () => zeros(indices.shape),
    };
  },
};

/** Updates of one place are added up, so each gets what came of their sum. */
export const scatterNdGradient: GradConfig = {
  kernelName: ScatterNd,
  inputsToSave: ["indices"],
  gradFunc(dy, saved) {
    const indices = nth(saved, 0);
    return { updates: () => gatherND(dy as Tensor, indices), indices: () => zeros(indices.shape) };
  },
};

/** What is overwritten has no part in the result. Where several updates meet, which of them stays is not defined; each gets the gradient. */
export const tensorScatterUpdateGradient: GradConfig = {
  kernelName: TensorScatterUpdate,
  inputsToSave: ["indices", "updates"],
  gradFunc(dy, saved) {
    const [indices, updates] = [nth(saved, 0), nth(saved, 1)];
    return {
      // A mask rather than dy itself, because the kernel of tfjs's cpu backend writes into its operand.
      tensor: () => mul(dy as Tensor, tensorScatterUpdate(onesLike(dy as Tensor), indices, zerosLike(updates))),
      updates: () => gatherND(dy as Tensor, indices),
      indices: () => zeros(indices.shape),
    };
  },
};

/** The largest elements get their gradients, the others none. */
export const topKGradient: GradConfig = {
  kernelName: TopK,
  inputsToSave: ["x"],
  outputsToSave: [false, true],
  gradFunc(dys, saved) {
    const [x, indices] = [nth(saved, 0), nth(saved, 1)];
    const dy = nth(dys as Tensor[], 0);
    return {
      x() {
        if (indices.size === 0) return zeros(x.shape);
        const length = x.shape.at(-1) ?? 1;
        const rows = x.size / length;
        const starts = reshape(range(0, x.size, length, "int32"), [rows, 1]);
        const places = add(reshape(indices, [rows, -1]), starts);
        return reshape(scatterND(reshape(places, [-1, 1]), reshape(dy, [-1]), [x.size]), x.shape);
      },
    };
  },
};

/** Moves the elements along the axis of `[outer, count, inner]` to `first`, `first + step`, ... among `length`, the rest being 0. */
function spread(x: Tensor, first: number, step: number, length: number): Tensor {
  const [outer, count, inner] = x.shape as [number, number, number];
  if (step < 0) return spread(reverse(x, 1), first + (count - 1) * step, -step, length);
  const span = (count - 1) * step + 1;
  // Zeros behind every element's own numbers are elements of their own when the axes are cut anew.
  const wide = step === 1 ? x : reshape(padAxis(x, 2, 0, (step - 1) * inner), [outer, count * step, inner]);
  return padAxis(slice(wide, [0, 0, 0], [outer, span, inner]), 1, first, length - first - span);
}

function padAxis(x: Tensor, axis: number, before: number, after: number): Tensor {
  return pad(
    x,
    x.shape.map((_, i) => (i === axis ? [before, after] : [0, 0])),
  );
}

/** The elements that are read get their gradients, axis by axis, the others none. */
export const stridedSliceGradient: GradConfig = {
  kernelName: StridedSlice,
  inputsToSave: ["x"],
  gradFunc(dy, saved, attrs) {
    const x = nth(saved, 0);
    return {
      x() {
        const [starts, ends, steps] = ["begin", "end", "strides"].map((name) => attrs[name] as number[]) as [
          number[],
          number[],
          number[],
        ];
        const [m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0] = MASKS.map((name) => Number(attrs[name]));
        const read = slice_util.sliceInfo(x.shape, starts, ends, steps, m0, m1, m2, m3, m4);
        if ((dy as Tensor).size === 0) return zeros(x.shape);
        let gradient = dy as Tensor;
        const shape = read.strides.map((step, axis) =>
          Math.ceil(((read.end[axis] ?? 0) - (read.begin[axis] ?? 0)) / step),
        );
        x.shape.forEach((length, axis) => {
          const count = shape[axis] ?? 1;
          const [first = 0, step = 1] = [read.begin[axis], read.strides[axis]];
          if (count === length && step === 1) return;
          const outer = shape.slice(0, axis).reduce((product, n) => product * n, 1);
          gradient = spread(reshape(gradient, [outer, count, -1]), first, step, length);
          shape[axis] = length;
        });
        return reshape(gradient, x.shape);
      },
    };
  },
};

const MASKS = ["beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask"];
