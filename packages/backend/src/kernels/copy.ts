import { slice_util, type Tensor, util } from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { input, type Kernel } from "./kernel.ts";
import { allocate, isWord, sizeOf, wordOffset } from "./memory.ts";

/**
 * Kernels that only move data. The stock ones compute an index for every element, or copy a whole operand to read a part of it; these
 * move runs of neighbouring words. Words rather than floats, so that every bit pattern survives.
 */

/** Below this many words a plain loop is faster than the call of `copyWithin`. */
const SHORT = 24;

function copyWords(heap: Int32Array, from: number, to: number, length: number): void {
  if (length >= SHORT) heap.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i++) heap[to + i] = heap[from + i] as number;
}

/** Rows (or, on another axis, slabs) by index; an index out of range is an error, as in the stock kernel. */
export const gather: Kernel = {
  name: "GatherV2",
  run(call) {
    const x = input(call, "x");
    const indices = input(call, "indices");
    if (!isWord(x.dtype) || indices.dtype !== "int32" || call.attrs["batchDims"]) return call.stock();
    const [axis = 0] = util.parseAxisParam(call.attrs["axis"] as number, x.shape);
    const length = x.shape[axis] ?? 0;
    const outer = sizeOf(x.shape.slice(0, axis));
    const width = sizeOf(x.shape.slice(axis + 1));
    const count = sizeOf(indices.shape);
    const ids = wordOffset(call.backend, indices);
    for (let i = 0; i < count; i++) {
      const index = call.backend.wasm.HEAP32[ids + i] as number;
      if (index >= 0 && index < length) continue;
      throw new BackendError({ where: "gather", expected: `indices from 0 to ${length - 1}`, received: index });
    }
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    const out = allocate(call.backend, shape, x.dtype);
    const from = wordOffset(call.backend, x);
    const heap = call.backend.wasm.HEAP32;
    let to = wordOffset(call.backend, out);
    for (let slab = 0; slab < outer; slab++) {
      const start = from + slab * length * width;
      for (let i = 0; i < count; i++, to += width)
        copyWords(heap, start + (heap[ids + i] as number) * width, to, width);
    }
    return out;
  },
};

/** For every axis, the distance between neighbours along it. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** A box out of a tensor. */
export const slice: Kernel = {
  name: "Slice",
  run(call) {
    const x = input(call, "x");
    if (!isWord(x.dtype) || x.shape.length === 0) return call.stock();
    const given = [call.attrs["begin"], call.attrs["size"]] as [begin: number | number[], size: number | number[]];
    const [begin = [], size = []] = slice_util.parseSliceParams(x as Tensor, ...given);
    const out = allocate(call.backend, size, x.dtype);
    if (sizeOf(size) === 0) return out;
    const heap = call.backend.wasm.HEAP32;
    const strides = stridesOf(x.shape);
    // The last axis that is not taken whole, and all behind it, form one run.
    let split = size.length - 1;
    while (split > 0 && size[split] === x.shape[split]) split--;
    const run = sizeOf(size.slice(split));
    let to = wordOffset(call.backend, out);
    const copy = (axis: number, from: number): void => {
      const stride = strides[axis] ?? 1;
      let start = from + (begin[axis] ?? 0) * stride;
      if (axis === split) {
        copyWords(heap, start, to, run);
        to += run;
        return;
      }
      for (let i = 0; i < (size[axis] ?? 0); i++, start += stride) copy(axis + 1, start);
    };
    copy(0, wordOffset(call.backend, x));
    return out;
  },
};

/** A tensor repeated along its axes, as in a broadcast. */
export const tile: Kernel = {
  name: "Tile",
  run(call) {
    const x = input(call, "x");
    if (!isWord(x.dtype)) return call.stock();
    const reps = call.attrs["reps"] as number[];
    const shape = x.shape.map((length, axis) => length * (reps[axis] ?? 1));
    const out = allocate(call.backend, shape, x.dtype);
    if (sizeOf(shape) === 0) return out;
    const heap = call.backend.wasm.HEAP32;
    const strides = stridesOf(x.shape);
    const outStrides = stridesOf(shape);
    // The axes behind the last one that repeats form one run.
    let split = x.shape.length;
    while (split > 0 && reps[split - 1] === 1) split--;
    const run = sizeOf(x.shape.slice(split));
    const write = (axis: number, from: number, to: number): void => {
      if (axis === split) {
        copyWords(heap, from, to, run);
        return;
      }
      const length = x.shape[axis] ?? 1;
      const stride = strides[axis] ?? 1;
      const outStride = outStrides[axis] ?? 1;
      for (let i = 0; i < length; i++) write(axis + 1, from + i * stride, to + i * outStride);
      const block = length * outStride;
      const end = to + block * (reps[axis] ?? 1);
      if (block === 1) heap.fill(heap[to] as number, to, end);
      else for (let copy = to + block; copy < end; copy += block) copyWords(heap, to, copy, block);
    };
    write(0, wordOffset(call.backend, x), wordOffset(call.backend, out));
    return out;
  },
};
