import {
  type GradConfig,
  mul,
  type NamedTensorMap,
  type Scalar,
  scalar,
  square,
  stack,
  sum,
  type Tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { addressesOf, type Kernel } from "../kernels/kernel.ts";
import { allocate, sizeOf, wordOffset } from "../kernels/memory.ts";
import { SQUARES } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, runFused } from "./fused.ts";

const NAME = "L0gmSumOfSquares";

/** Elements that are summed by one thread, into a float32; the blocks' sums are added in float64. */
const BLOCK = 4096;

/** Blocks that are worth a second thread. */
const SHARED_BLOCKS = 8;

/**
 * The sum of the squares of all elements of all tensors: the square of the norm by which gradients are clipped, and not finite where one
 * of them is not.
 *
 * @param tensors - float32, any shapes
 * @returns a scalar, the caller's; 0 for no tensors
 *
 * @example
 * ```ts
 * import { sumOfSquares } from "@l0gm/backend";
 * import { tensor1d } from "@tensorflow/tfjs-core";
 *
 * console.log(sumOfSquares([tensor1d([3]), tensor1d([0, 4])]).dataSync()[0]); // 25
 * ```
 */
export function sumOfSquares(tensors: readonly Tensor[]): Scalar {
  if (tensors.length === 0) return scalar(0);
  if (canFuse(NAME, ...tensors)) {
    // An array, as tf.concat passes it: what is given by names can not be saved as a whole.
    return runFused(NAME, [...tensors] as unknown as NamedTensorMap) as Scalar;
  }
  // Not addN: WebGPU's fails beyond the device's limit of buffers, without an error.
  return tidy(() => sum(stack(tensors.map((tensor) => sum(square(tensor))))) as Scalar);
}

const kernel: Kernel = {
  name: NAME,
  added: true,
  run(call) {
    const { backend, assembly } = call;
    const tensors = Object.values(call.inputs).map((tensor) => ({ tensor, length: sizeOf(tensor.shape) }));
    const most = Math.max(1, ...tensors.map(({ length }) => Math.ceil(length / BLOCK)));
    const partials = allocate(backend, [most]);
    const total = allocate(backend, []);
    const { HEAPF32 } = backend.wasm;
    const start = wordOffset(backend, partials);
    let sum = 0;
    for (const { tensor, length } of tensors) {
      const blocks = Math.ceil(length / BLOCK);
      assembly.run(SQUARES, blocks, SHARED_BLOCKS, ...addressesOf(call, tensor, partials), length, BLOCK);
      for (let i = 0; i < blocks; i++) sum += HEAPF32[start + i] as number;
    }
    HEAPF32[wordOffset(backend, total)] = sum;
    backend.disposeData(partials.dataId);
    return total;
  },
};

const gradient: GradConfig = {
  kernelName: NAME,
  saveAllInputs: true,
  gradFunc: (dy, saved) => Object.fromEntries(saved.map((x, i) => [i, () => mul(mul(x, 2), dy as Tensor)])),
};

export const sumOfSquaresOperation: FusedOperation = { kernels: [kernel], gradient };
