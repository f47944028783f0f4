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
 * A dense layer: activation(x kernel + bias) over the last axis of x. Bias and ReLU cost no pass of their own.
 *
 * @param x - `[..., inputs]`
 * @param kernel - `[inputs, outputs]`
 * @param bias - `[outputs]`
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
export function dense(x: Tensor, kernel: Tensor2D, bias: Tensor1D, activation: DenseActivation = "linear"): Tensor {
  const [inputs, outputs] = kernel.shape;
  const fits = x.rank >= 1 && x.shape.at(-1) === inputs && kernel.rank === 2 && bias.size === outputs;
  requireShape("dense", fits, "x [..., inputs], kernel [inputs, outputs] and bias [outputs]", x, kernel, bias);
  if (activation === "gelu") return gelu(dense(x, kernel, bias));
  if (canFuse(FORWARD, x, kernel, bias)) return runFused(FORWARD, { a: x, b: kernel, bias }, { activation });
  const product = add(matMul(asMatrix(x), kernel), bias);
  return reshape(activation === "relu" ? relu(product) : product, [...x.shape.slice(0, -1), outputs]);
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
    const activation = String(call.attrs["activation"]);
    const [y] = [
      matrixProduct({ ...call, inputs: { ...call.inputs, a: flat } }, call.inputs["bias"], activation),
    ].flat();
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
    };
  },
};

export const denseOperation: FusedOperation = { kernels: [forward, backward], gradient };
