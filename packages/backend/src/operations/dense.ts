import {
  add,
  type GradConfig,
  matMul,
  relu,
  reshape,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type TensorInfo,
  util,
} from "@tensorflow/tfjs-core";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { SHARED_ELEMENTS } from "../kernels/map.ts";
import { matrixProduct } from "../kernels/matrix-product.ts";
import { allocate, sizeOf } from "../kernels/memory.ts";
import { MAP_GRADIENT, RELU } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFused } from "./fused.ts";
import { gelu } from "./gelu.ts";

/** Its presence tells that our kernels are in force. */
export const FUSED_PRODUCT = "L0gmDense";
const FORWARD = FUSED_PRODUCT;
const BACKWARD = "L0gmReluGradient";

/** What {@link dense} applies to its result. */
export type DenseActivation = "linear" | "relu" | "gelu";

/**
 * A dense layer: activation(x kernel + bias + addend) over the last axis of x. Bias, addend and ReLU cost no pass of their own.
 *
 * @param x - `[..., inputs]`
 * @param kernel - `[inputs, outputs]`
 * @param bias - `[outputs]`
 * @param addend - `[..., outputs]`, for example the input of a residual block, or another dense layer of the same shape; default none
 * @returns `[..., outputs]`, the caller's
 * @throws BackendError when the shapes do not fit
 *
 * @example
 * ```ts
 * import { dense } from "@l0gm/backend";
 * import { ones, zeros } from "@tensorflow/tfjs-core";
 *
 * const h = dense(ones([32, 8]), ones([8, 4]), zeros([4]), "relu"); // [32, 4], all 8
 * ```
 */
export function dense(
  x: Tensor,
  kernel: Tensor2D,
  bias: Tensor1D,
  activation: DenseActivation = "linear",
  addend?: Tensor,
): Tensor {
  const [inputs, outputs] = kernel.shape;
  const fits = x.rank >= 1 && x.shape.at(-1) === inputs && kernel.rank === 2 && bias.size === outputs;
  requireShape("dense", fits, "x [..., inputs], kernel [inputs, outputs] and bias [outputs]", x, kernel, bias);
  const shape = [...x.shape.slice(0, -1), outputs];
  const added = addend === undefined ? [] : [addend];
  for (const { shape: own } of added)
    requireShape("dense", util.arraysEqual(own, shape), `an addend [${shape}]`, ...added);
  if (activation === "gelu") return gelu(dense(x, kernel, bias, "linear", addend));
  if (canFuse(FORWARD, x, kernel, bias, ...added)) {
    return runFused(FORWARD, { a: x, b: kernel, bias, ...(addend && { addend }) }, { activation });
  }
  const product = reshape(add(matMul(asMatrix(x), kernel), bias), shape);
  const y = addend === undefined ? product : add(product, addend);
  return activation === "relu" ? relu(y) : y;
}

/** All axes but the last become one. */
function asMatrix(x: Tensor): Tensor2D {
  return x.rank === 2 ? (x as Tensor2D) : reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run: (call) => {
    const a = input(call, "a");
    const shape = [...a.shape.slice(0, -1), input(call, "b").shape[1] ?? 0];
    const flat = { ...a, shape: [sizeOf(a.shape.slice(0, -1)), a.shape.at(-1) ?? 0] };
    const { bias, addend } = call.inputs;
    const activation = String(call.attrs["activation"]);
    const [y] = [matrixProduct({ ...call, inputs: { ...call.inputs, a: flat } }, { bias, addend, activation })].flat();
    return { ...(y as TensorInfo), shape };
  },
};

/** dy where y, the result of a ReLU, is positive. */
const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const [y, dy] = [input(call, "y"), input(call, "dy")];
    const dx = allocate(call.backend, y.shape);
    call.assembly.run(MAP_GRADIENT, sizeOf(y.shape), SHARED_ELEMENTS, ...addressesOf(call, y, dy, dx), RELU);
    return dx;
  },
};

const gradient: GradConfig = {
  kernelName: FORWARD,
  inputsToSave: ["a", "b"],
  outputsToSave: [true],
  gradFunc(dy, saved, attrs) {
    const [x, kernel, y] = [nth(saved, 0), nth(saved, 1) as Tensor2D, nth(saved, 2)];
    const slope = attrs["activation"] === "relu" ? runFused(BACKWARD, { y, dy: dy as Tensor }) : (dy as Tensor);
    const rows = asMatrix(slope);
    return {
      a: () => reshape(matMul(rows, kernel, false, true), x.shape),
      b: () => matMul(asMatrix(x), rows, true, false),
      bias: () => sum(rows, 0),
      addend: () => slope,
    };
  },
};

export const denseOperation: FusedOperation = { kernels: [forward, backward], gradient };
