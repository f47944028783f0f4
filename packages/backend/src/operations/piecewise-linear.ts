import {
  add,
  clipByValue,
  customGrad,
  matMul,
  mul,
  neg,
  relu,
  reshape,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor3d,
  transpose,
} from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { input, type Kernel, type KernelCall } from "../kernels/kernel.ts";
import { allocate, wordOffset } from "../kernels/memory.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFusedMany } from "./fused.ts";

const FORWARD = "L0gmPiecewiseLinear";
const BACKWARD = "L0gmPiecewiseLinearGradient";

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
  const attrs = { edges: edges.map((of) => [...of]) };
  const run = customGrad((...args) => {
    const [x, kernel, save] = args as unknown as [Tensor, Tensor, (tensors: Tensor[]) => void];
    const [y, bin, place] = runFusedMany(FORWARD, { x, kernel }, attrs) as [Tensor, Tensor, Tensor];
    save([kernel, bin, place]);
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [kernel, bin, place] = [nth(saved, 0), nth(saved, 1), nth(saved, 2)];
      return runFusedMany(BACKWARD, { kernel, bin, place, dy }, attrs);
    };
    return { value: y, gradFunc };
  });
  return run(x, kernel) as Tensor3D;
}

/** The encoding, `[columns, rows, bins]`, by the paper's formula, times the kernel. */
function plainPiecewiseLinear(x: Tensor2D, kernel: Tensor3D, edges: readonly (readonly number[])[]): Tensor3D {
  const [columns, bins] = kernel.shape;
  /** One number a bin, 0 where a column has fewer. */
  const perBin = (value: (left: number, right: number, k: number, count: number) => number): Tensor3D => {
    const values = edges.flatMap((of) =>
      Array.from({ length: bins }, (_, k) => {
        const [left, right] = [of[k], of[k + 1]];
        return left === undefined || right === undefined ? 0 : value(left, right, k, of.length - 1);
      }),
    );
    return tensor3d(values, [columns, 1, bins]);
  };
  const scale = perBin((left, right) => 1 / (right - left));
  const shift = perBin((left, right) => -left / (right - left));
  const place = add(mul(reshape(transpose(x), [columns, x.shape[0], 1]), scale), shift);
  // Clipping and masks, which every backend broadcasts fast, say the same as a minimum and a maximum with one border a bin.
  const below = mul(
    relu(neg(place)),
    perBin((_left, _right, k) => Number(k === 0)),
  );
  const above = mul(
    relu(sub(place, 1)),
    perBin((_left, _right, k, count) => Number(k === count - 1)),
  );
  const encoded = add(sub(clipByValue(place, 0, 1), below), above);
  return transpose(matMul(encoded, kernel), [1, 0, 2]) as Tensor3D;
}

function edgesOf({ attrs }: KernelCall): number[][] {
  return attrs["edges"] as number[][];
}

/** The last bin whose left border a number reaches, by bisection; the first one for a number below all. */
function binOf(value: number, edges: readonly number[]): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((edges[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A few operations a number: too little work for a second thread, or for compiled code. */
const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const { backend } = call;
    const [x, kernel] = [input(call, "x"), input(call, "kernel")];
    const [rows, columns] = x.shape as [number, number];
    const [, bins, outputs] = kernel.shape as [number, number, number];
    const y = allocate(backend, [rows, columns, outputs]);
    const [bin, place] = [allocate(backend, x.shape, "int32"), allocate(backend, x.shape)];
    const { HEAP32, HEAPF32 } = backend.wasm;
    const offsets = [x, kernel, y, bin, place].map((tensor) => wordOffset(backend, tensor));
    const [fromX, fromKernel, toY, toBin, toPlace] = offsets as [number, number, number, number, number];
    const whole = new Float64Array(bins * outputs);
    edgesOf(call).forEach((edges, j) => {
      const weights = fromKernel + j * bins * outputs;
      for (let k = outputs; k < whole.length; k++) {
        whole[k] = (whole[k - outputs] as number) + (HEAPF32[weights + k - outputs] as number);
      }
      for (let i = 0; i < rows; i++) {
        const at = i * columns + j;
        const value = HEAPF32[fromX + at] as number;
        const k = binOf(value, edges);
        const [left, right] = [edges[k] as number, edges[k + 1] as number];
        const share = (value - left) / (right - left);
        HEAP32[toBin + at] = k;
        HEAPF32[toPlace + at] = share;
        for (let o = 0; o < outputs; o++) {
          const own = HEAPF32[weights + k * outputs + o] as number;
          HEAPF32[toY + at * outputs + o] = (whole[k * outputs + o] as number) + share * own;
        }
      }
    });
    return [y, bin, place];
  },
};

const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const { backend } = call;
    const [kernel, bin, place, dy] = [
      input(call, "kernel"),
      input(call, "bin"),
      input(call, "place"),
      input(call, "dy"),
    ];
    const [rows, columns] = bin.shape as [number, number];
    const [, bins, outputs] = kernel.shape as [number, number, number];
    const [dx, dKernel] = [allocate(backend, bin.shape), allocate(backend, kernel.shape)];
    const { HEAP32, HEAPF32 } = backend.wasm;
    const offsets = [kernel, bin, place, dy, dx, dKernel].map((tensor) => wordOffset(backend, tensor));
    const [fromKernel, fromBin, fromPlace, fromDy, toDx, toKernel] = offsets as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    // What the numbers of a bin pass on to the bins below it, through which they reach as a whole, and to their own.
    const [whole, own] = [new Float64Array(bins * outputs), new Float64Array(bins * outputs)];
    edgesOf(call).forEach((edges, j) => {
      const first = j * bins * outputs;
      whole.fill(0);
      own.fill(0);
      for (let i = 0; i < rows; i++) {
        const at = i * columns + j;
        const k = HEAP32[fromBin + at] as number;
        const share = HEAPF32[fromPlace + at] as number;
        let slope = 0;
        for (let o = 0; o < outputs; o++) {
          const d = HEAPF32[fromDy + at * outputs + o] as number;
          const to = k * outputs + o;
          whole[to] = (whole[to] as number) + d;
          own[to] = (own[to] as number) + share * d;
          slope += d * (HEAPF32[fromKernel + first + to] as number);
        }
        HEAPF32[toDx + at] = slope / ((edges[k + 1] as number) - (edges[k] as number));
      }
      for (let k = whole.length - 1; k >= 0; k--) {
        const above = k + outputs < whole.length ? (whole[k + outputs] as number) : 0;
        HEAPF32[toKernel + first + k] = (own[k] as number) + above;
        whole[k] = (whole[k] as number) + above;
      }
    });
    return [dx, dKernel];
  },
};

export const piecewiseLinearOperation: FusedOperation = { kernels: [forward, backward] };
