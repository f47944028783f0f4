import { backend_util, slice_util, type Tensor, util } from "@tensorflow/tfjs-core";
import { input, type Kernel } from "./kernel.ts";
import { addressOf, allocate, isWord, sizeOf, wordOffset } from "./memory.ts";
import { GATHER, SELECT } from "./tasks.ts";

/**
 * Kernels that only move data. The stock ones compute an index for every element, or copy a whole operand to read a part of it; these
 * move runs of neighbouring words. Words rather than floats, so that every bit pattern survives.
 */

/** Below this many words a plain loop is faster than the call of `copyWithin`. */
const SHORT = 24;

/** Words that are worth a second thread. */
const SHARED_WORDS = 2 ** 14;

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
    if (!isWord(x.dtype) || indices.dtype !== "int32") return call.stock();
    const [axis = 0] = util.parseAxisParam(call.attrs["axis"] as number, x.shape);
    const {
      batchSize: batches,
      outerSize: outer,
      dimSize: length,
      sliceSize: width,
      outputShape,
    } = backend_util.segment_util.collectGatherOpShapeInfo(
      x as Tensor,
      indices as Tensor,
      axis,
      Number(call.attrs["batchDims"] ?? 0),
    );
    const count = batches === 0 ? 0 : sizeOf(indices.shape) / batches;
    const ids = wordOffset(call.backend, indices);
    for (let i = 0; i < batches * count; i++) {
      const index = call.backend.wasm.HEAP32[ids + i] as number;
      // The stock kernel has the message for an index out of range.
      if (index < 0 || index >= length) return call.stock();
    }
    const out = allocate(call.backend, outputShape, x.dtype);
    const [from, at, to] = [x, indices, out].map((tensor) => addressOf(call.backend, tensor)) as [
      number,
      number,
      number,
    ];
    for (let b = 0; b < batches; b++) {
      const own = [from + 4 * b * outer * length * width, at + 4 * b * count, to + 4 * b * outer * count * width];
      call.assembly.run(GATHER, outer * count, SHARED_WORDS / width, ...own, length, width, count);
    }
    return out;
  },
};

/** For every axis, the distance between neighbours along it. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/**
 * Copies between a whole tensor, read or written in order, and a box in a larger one.
 *
 * @param large - shape of the tensor that holds the box
 * @param copy - told where a run of words begins in the box, where in the large tensor, and how long it is
 */
function forEachRun(
  box: readonly number[],
  large: readonly number[],
  begin: readonly number[],
  copy: (inBox: number, inLarge: number, length: number) => void,
): void {
  if (sizeOf(box) === 0) return;
  const strides = stridesOf(large);
  // The last axis that is not taken whole, and all behind it, form one run.
  let split = box.length - 1;
  while (split > 0 && box[split] === large[split]) split--;
  const run = sizeOf(box.slice(split));
  let inBox = 0;
  const visit = (axis: number, from: number): void => {
    const stride = strides[axis] ?? 1;
    let start = from + (begin[axis] ?? 0) * stride;
    if (axis === split) {
      copy(inBox, start, run);
      inBox += run;
      return;
    }
    for (let i = 0; i < (box[axis] ?? 0); i++, start += stride) visit(axis + 1, start);
  };
  visit(0, 0);
}

/** A box out of a tensor. */
export const slice: Kernel = {
  name: "Slice",
  run(call) {
    const x = input(call, "x");
    if (!isWord(x.dtype) || x.shape.length === 0) return call.stock();
    const given = [call.attrs["begin"], call.attrs["size"]] as [begin: number | number[], size: number | number[]];
    const [begin = [], size = []] = slice_util.parseSliceParams(x as Tensor, ...given);
    slice_util.assertParamsValid(x as Tensor, begin, size);
    const out = allocate(call.backend, size, x.dtype);
    const [from, to] = [wordOffset(call.backend, x), wordOffset(call.backend, out)];
    const heap = call.backend.wasm.HEAP32;
    forEachRun(size, x.shape, begin, (inBox, inLarge, length) => copyWords(heap, from + inLarge, to + inBox, length));
    return out;
  },
};

/** A tensor in parts along one axis: how the gradient of a concatenation, or `unstack`, takes it apart. */
export const split: Kernel = {
  name: "SplitV",
  run(call) {
    const x = input(call, "x");
    if (!isWord(x.dtype) || x.shape.length === 0) return call.stock();
    const [axis = 0] = util.parseAxisParam(call.attrs["axis"] as number, x.shape);
    const sizes = backend_util.prepareSplitSize(x as Tensor, call.attrs["numOrSizeSplits"] as number | number[], axis);
    const begin = x.shape.map(() => 0);
    return sizes.map((length) => {
      const size = x.shape.map((whole, i) => (i === axis ? length : whole));
      const part = allocate(call.backend, size, x.dtype);
      const [from, to] = [wordOffset(call.backend, x), wordOffset(call.backend, part)];
      const heap = call.backend.wasm.HEAP32;
      forEachRun(size, x.shape, begin, (inBox, inLarge, run) => copyWords(heap, from + inLarge, to + inBox, run));
      begin[axis] = (begin[axis] ?? 0) + length;
      return part;
    });
  },
};

/** A tensor with a margin of one value around it. */
export const pad: Kernel = {
  name: "PadV2",
  run(call) {
    const x = input(call, "x");
    if (!isWord(x.dtype) || x.shape.length === 0) return call.stock();
    const paddings = call.attrs["paddings"] as [before: number, after: number][];
    const value = call.attrs["constantValue"] as number;
    const shape = x.shape.map((length, axis) => length + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0));
    const out = allocate(call.backend, shape, x.dtype);
    const [from, to] = [wordOffset(call.backend, x), wordOffset(call.backend, out)];
    const { HEAP32, HEAPF32 } = call.backend.wasm;
    (x.dtype === "float32" ? HEAPF32 : HEAP32).fill(value, to, to + sizeOf(shape));
    const begin = paddings.map(([before]) => before);
    forEachRun(x.shape, shape, begin, (inBox, inLarge, length) =>
      copyWords(HEAP32, from + inBox, to + inLarge, length),
    );
    return out;
  },
};

/** Truth values are bytes; the stock kernel takes them for words. */
function chooseBytes(heap: Uint8Array, size: number, addresses: readonly number[]): void {
  const [condition = 0, t = 0, e = 0, out = 0] = addresses;
  for (let i = 0; i < size; i++) heap[out + i] = heap[(heap[condition + i] === 0 ? e : t) + i] as number;
}

/** Elements of `t` where the condition holds, else of `e`: what `tf.where` runs on. */
export const select: Kernel = {
  name: "Select",
  run(call) {
    const [condition, t, e] = [input(call, "condition"), input(call, "t"), input(call, "e")];
    const size = sizeOf(t.shape);
    const known = isWord(t.dtype) || t.dtype === "bool";
    if (!known || e.dtype !== t.dtype || sizeOf(condition.shape) !== size || sizeOf(e.shape) !== size) {
      return call.stock();
    }
    const out = allocate(call.backend, t.shape, t.dtype);
    const addresses = [condition, t, e, out].map((tensor) => addressOf(call.backend, tensor));
    if (t.dtype === "bool") chooseBytes(new Uint8Array(call.backend.wasm.HEAP32.buffer), size, addresses);
    else call.assembly.run(SELECT, size, SHARED_WORDS, ...addresses);
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
