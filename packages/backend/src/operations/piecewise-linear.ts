import {
  add,
  clipByValue,
  customGrad,
  dispose,
  matMul,
  mul,
  neg,
  relu,
  reshape,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type TensorInfo,
  tensor3d,
  transpose,
} from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { allocate } from "../kernels/memory.ts";
import { PIECEWISE, PIECEWISE_GRADIENT } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFusedMany } from "./fused.ts";

const FORWARD = "L0gmPiecewiseLinear";
const BACKWARD = "L0gmPiecewiseLinearGradient";

/** Multiply-adds that are worth a second thread. */
const SHARED_WORK = 8192;

/**
 * A linear layer a column on the piecewise-linear encoding of a number (Gorishniy, Rubachev and Babenko, 2022), which says how far the
 * number reaches through each bin of its column: 1 through the bins below it, a share of its own, 0 of those above; the outer bins go on
 * beyond their outer borders. All bins but one are whole or empty, so our kernels look up a running sum of the kernel's rows and never
 * write the encoding down.
 *
 * @param x - `[rows, columns]`, finite
 * @param kernel - `[columns, bins, outputs]`; of columns with fewer bins than others the first rows count
 * @param edges - for each column the ascending borders of its bins, at least two
 * @returns `[rows, columns, outputs]`, the caller's
 * @throws BackendError when shapes and edges do not fit
 *
 * @example
 * ```ts
 * import { piecewiseLinear } from "@l0gm/backend";
 * import { ones, tensor2d } from "@tensorflow/tfjs-core";
 *
 * const y = piecewiseLinear(tensor2d([[0.5], [3]]), ones([1, 2, 1]), [[0, 1, 2]]); // 0.5, 1 + 2
 * ```
 */
export function piecewiseLinear(x: Tensor2D, kernel: Tensor3D, edges: readonly (readonly number[])[]): Tensor3D {
  const [columns, bins] = kernel.shape;
  const fits = x.rank === 2 && x.shape[1] === columns && edges.length === columns;
  requireShape(
    "piecewiseLinear",
    fits,
    "x [rows, columns], kernel [columns, bins, outputs], edges a column",
    x,
    kernel,
  );
  const wrong = edges.find((of) => of.length < 2 || of.length > bins + 1);
  if (wrong !== undefined) {
    throw new BackendError({ where: "piecewiseLinear", expected: `2 to ${bins + 1} edges a column`, received: wrong });
  }
  if (!canFuse(FORWARD, x, kernel)) return plainPiecewiseLinear(x, kernel, edges);
  const [borders, scales] = [
    perBin(edges, bins, Number.POSITIVE_INFINITY, (left) => left),
    perBin(edges, bins, 0, (left, right) => 1 / (right - left)),
  ];
  const run = customGrad((...args) => {
    const [x, kernel, save] = args as unknown as [Tensor, Tensor, (tensors: Tensor[]) => void];
    const [y, bin, place] = runFusedMany(FORWARD, { x, kernel, borders, scales }) as [Tensor, Tensor, Tensor];
    save([kernel, scales, bin, place]);
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [kernel, scales, bin, place] = [0, 1, 2, 3].map((i) => nth(saved, i)) as [Tensor, Tensor, Tensor, Tensor];
      return runFusedMany(BACKWARD, { kernel, scales, bin, place, dy });
    };
    return { value: y, gradFunc };
  });
  const y = run(x, kernel) as Tensor3D;
  dispose([borders, scales]);
  return y;
}

/** One number a bin, `[columns, 1, bins]`; `otherwise` where a column has fewer bins. */
function perBin(
  edges: readonly (readonly number[])[],
  bins: number,
  otherwise: number,
  value: (left: number, right: number, bin: number, count: number) => number,
): Tensor3D {
  const values = new Float32Array(edges.length * bins).fill(otherwise);
  edges.forEach((of, column) => {
    for (let k = 0; k + 1 < of.length; k++) {
      values[column * bins + k] = value(of[k] as number, of[k + 1] as number, k, of.length - 1);
    }
  });
  return tensor3d(values, [edges.length, 1, bins]);
}

/** The encoding, `[columns, rows, bins]`, by the paper's formula, times the kernel. */
function plainPiecewiseLinear(x: Tensor2D, kernel: Tensor3D, edges: readonly (readonly number[])[]): Tensor3D {
  const [columns, bins] = kernel.shape;
  const scale = perBin(edges, bins, 0, (left, right) => 1 / (right - left));
  const shift = perBin(edges, bins, 0, (left, right) => -left / (right - left));
  const place = add(mul(reshape(transpose(x), [columns, x.shape[0], 1]), scale), shift);
  // Clipping and masks, which every backend broadcasts fast, say the same as a minimum and a maximum with one border a bin.
  const below = mul(
    relu(neg(place)),
    perBin(edges, bins, 0, (_left, _right, k) => Number(k === 0)),
  );
  const above = mul(
    relu(sub(place, 1)),
    perBin(edges, bins, 0, (_left, _right, k, count) => Number(k === count - 1)),
  );
  const encoded = add(sub(clipByValue(place, 0, 1), below), above);
  return transpose(matMul(encoded, kernel), [1, 0, 2]) as Tensor3D;
}

/** The sizes that both kernels take, and the columns that are worth a second thread. */
function dimensionsOf(kernel: TensorInfo, rows: number): { readonly sizes: number[]; readonly grain: number } {
  const [columns, bins, outputs] = kernel.shape as [number, number, number];
  return { sizes: [rows, columns, bins, outputs], grain: SHARED_WORK / ((rows + bins) * outputs) };
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const { backend, assembly } = call;
    const [x, kernel] = [input(call, "x"), input(call, "kernel")];
    const [rows, columns] = x.shape as [number, number];
    const { sizes, grain } = dimensionsOf(kernel, rows);
    const y = allocate(backend, [rows, columns, kernel.shape[2] ?? 0]);
    const [bin, place, temporary] = [
      allocate(backend, x.shape, "int32"),
      allocate(backend, x.shape),
      allocate(backend, kernel.shape),
    ];
    const given = [x, kernel, input(call, "borders"), input(call, "scales")];
    const addresses = addressesOf(call, ...given, y, bin, place, temporary);
    assembly.run(PIECEWISE, columns, grain, ...addresses, ...sizes);
    backend.disposeData(temporary.dataId);
    return [y, bin, place];
  },
};

const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const { backend, assembly } = call;
    const [kernel, bin] = [input(call, "kernel"), input(call, "bin")];
    const [rows, columns] = bin.shape as [number, number];
    const { sizes, grain } = dimensionsOf(kernel, rows);
    const [dx, dKernel] = [allocate(backend, bin.shape), allocate(backend, kernel.shape)];
    const temporary = allocate(backend, kernel.shape);
    const given = [kernel, input(call, "scales"), bin, input(call, "place"), input(call, "dy")];
    const addresses = addressesOf(call, ...given, dx, dKernel, temporary);
    assembly.run(PIECEWISE_GRADIENT, columns, grain, ...addresses, ...sizes);
    backend.disposeData(temporary.dataId);
    return [dx, dKernel];
  },
};

export const piecewiseLinearOperation: FusedOperation = { kernels: [forward, backward] };
