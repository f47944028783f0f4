import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { addTensors, forget, partOf } from "./compiled.ts";
import { input, type Kernel, type KernelCall } from "./kernel.ts";
import { allocate, share, sizeOf, type WasmBackend, wordOffset } from "./memory.ts";

/** Below this many elements the stock kernel is faster than a dozen calls. */
const SMALL = 4096;

/**
 * Adds the lower half of the rows to the upper half until one is left. The vectorised addition does all the work, and the rounding
 * error grows with the logarithm of the rows only.
 *
 * @param x - `rows * width` elements, at least two rows
 * @returns `[width]`, the caller's
 */
function foldRows(backend: WasmBackend, x: TensorInfo, rows: number, width: number): TensorInfo {
  let folded = share(backend, x);
  for (let count = rows; count > 1; count = Math.ceil(count / 2)) {
    const kept = Math.ceil(count / 2);
    const size = (count - kept) * width;
    const out = allocate(backend, [kept * width]);
    const parts = [partOf(backend, folded, 0, [size]), partOf(backend, folded, kept * width, [size])] as const;
    const sum = partOf(backend, out, 0, [size]);
    addTensors(backend, ...parts, sum);
    forget(backend, ...parts, sum);
    if (kept * 2 > count) {
      const middle = wordOffset(backend, folded) + size;
      backend.wasm.HEAP32.copyWithin(wordOffset(backend, out) + size, middle, middle + width);
    }
    backend.disposeData(folded.dataId);
    folded = out;
  }
  return folded;
}

/** Sums over the leading axes, as the gradient of a bias does; the stock kernel transposes its operand first, element by element. */
function sumOverLeading(call: KernelCall, average: boolean): TensorInfo | TensorInfo[] {
  const { backend } = call;
  const x = input(call, "x");
  const axes = util.parseAxisParam(call.attrs["axis"] as number | number[], x.shape);
  const leading = axes.every((axis) => axis < axes.length);
  const inner = x.shape.slice(axes.length);
  const width = sizeOf(inner);
  const rows = sizeOf(x.shape.slice(0, axes.length));
  if (x.dtype !== "float32" || !leading || width < 2 || rows < 2 || rows * width < SMALL) return call.stock();

  const out = foldRows(backend, x, rows, width);
  if (average) {
    const heap = backend.wasm.HEAPF32;
    const start = wordOffset(backend, out);
    for (let i = start; i < start + width; i++) heap[i] = (heap[i] as number) / rows;
  }
  return { ...out, shape: call.attrs["keepDims"] ? [...axes.map(() => 1), ...inner] : inner };
}

export const sum: Kernel = { name: "Sum", run: (call) => sumOverLeading(call, false) };

export const mean: Kernel = { name: "Mean", run: (call) => sumOverLeading(call, true) };
