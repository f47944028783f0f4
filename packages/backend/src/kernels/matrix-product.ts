/**
 * Products of matrices out of the one case that the stock backend computes fast: two matrices, neither transposed (XNNPACK, some 20
 * GFLOP/s a core, against 0.4 to 2 for all others). Transposed operands are transposed first, which costs memory traffic of
 * their size and is little beside the product; batches are taken matrix by matrix. Every gradient of a product has a
 * transposed operand, so this is what makes training usable.
 */

import { broadcast_util, type TensorInfo } from "@tensorflow/tfjs-core";
import { input, type Kernel, type KernelCall } from "./kernel.ts";
import { allocate, share, sizeOf, type WasmBackend, wordOffset } from "./memory.ts";
import { transposeMatrices } from "./transposition.ts";

/** Below this many multiply-adds a matrix, the stock loop over a batch is faster than a call a matrix, which takes some 20 us. */
const SMALL_MATRIX = 32 ** 3;

/** With fewer columns than this, XNNPACK computes mostly padding: better to compute the transposed product. */
const NARROW = 8;

type FastProduct = (a: TensorInfo, b: TensorInfo, out: TensorInfo) => void;

const fastProducts = new WeakMap<object, FastProduct>();

/** The compiled product of two untransposed matrices `[1, rows, inner]` and `[1, inner, columns]`. */
function fastProduct(backend: WasmBackend): FastProduct {
  const known = fastProducts.get(backend.wasm);
  if (known !== undefined) return known;
  const types = ["number", "array", "number", "number", "array", "number", "number", "number", "number"];
  const compiled = backend.wasm.cwrap("BatchMatMul", null, types);
  const id = (tensor: TensorInfo): number => backend.dataIdMap.get(tensor.dataId).id;
  const bytes = (shape: number[]): Uint8Array => new Uint8Array(Int32Array.from(shape).buffer);
  const product: FastProduct = (a, b, out) => {
    compiled(id(a), bytes(a.shape), 3, id(b), bytes(b.shape), 3, 0, 0, id(out));
  };
  fastProducts.set(backend.wasm, product);
  return product;
}

/** One matrix of a batch as a tensor of its own on the batch's memory; `release` forgets it and leaves the memory alone. */
function matrixOf(backend: WasmBackend, batch: TensorInfo, index: number): TensorInfo {
  const shape = batch.shape.slice(-2);
  const address = (wordOffset(backend, batch) + index * sizeOf(shape)) * 4;
  return backend.makeOutput([1, ...shape], batch.dtype, address);
}

function release(backend: WasmBackend, view: TensorInfo): void {
  const { id } = backend.dataIdMap.get(view.dataId);
  backend.dataIdMap.delete(view.dataId);
  backend.wasm.tfjs.disposeData(id);
}

/** For every matrix of a broadcast batch, the index of the operand's matrix. */
function batchIndices(operand: readonly number[], batch: readonly number[]): Int32Array {
  const indices = new Int32Array(sizeOf(batch));
  let stride = 1;
  let repeat = 1;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const length = batch[axis] ?? 1;
    const own = operand[axis - batch.length + operand.length] ?? 1;
    if (own > 1) {
      for (let i = 0; i < indices.length; i++)
        indices[i] = (indices[i] ?? 0) + (Math.floor(i / repeat) % length) * stride;
    }
    stride *= own;
    repeat *= length;
  }
  return indices;
}

interface Matrices {
  /** `[..., rows, columns]` as stored. */
  readonly tensor: TensorInfo;
  readonly batch: readonly number[];
  readonly transposed: boolean;
}

/** The matrices untransposed as `[count, rows, columns]`, or transposed once more where `flip` asks for it. The caller's. */
function untransposed(backend: WasmBackend, { tensor, batch, transposed }: Matrices, flip: boolean): TensorInfo {
  const [rows = 0, columns = 0] = tensor.shape.slice(-2);
  const count = sizeOf(batch);
  return transposed === flip
    ? share(backend, tensor, [count, rows, columns])
    : transposeMatrices(backend, tensor, count, rows, columns);
}

/** left x right, all of them untransposed; `leftIndices` and `rightIndices` name the operands' matrices for each result. */
function multiply(
  backend: WasmBackend,
  left: TensorInfo,
  right: TensorInfo,
  leftIndices: Int32Array,
  rightIndices: Int32Array,
): TensorInfo {
  const count = leftIndices.length;
  const [, rows = 0] = left.shape;
  const [, , columns = 0] = right.shape;
  const product = fastProduct(backend);
  const out = allocate(backend, [count, rows, columns]);
  if (count === 1) {
    product(left, right, out);
    return out;
  }
  for (let i = 0; i < count; i++) {
    const a = matrixOf(backend, left, leftIndices[i] ?? 0);
    const b = matrixOf(backend, right, rightIndices[i] ?? 0);
    const result = matrixOf(backend, out, i);
    product(a, b, result);
    for (const view of [a, b, result]) release(backend, view);
  }
  return out;
}

function matrixProduct(call: KernelCall): TensorInfo | TensorInfo[] {
  const { backend } = call;
  const a = input(call, "a");
  const b = input(call, "b");
  const transposeA = Boolean(call.attrs["transposeA"]);
  const transposeB = Boolean(call.attrs["transposeB"]);
  const [rowsA = 0, columnsA = 0] = a.shape.slice(-2);
  const [rowsB = 0, columnsB = 0] = b.shape.slice(-2);
  const rows = transposeA ? columnsA : rowsA;
  const inner = transposeA ? rowsA : columnsA;
  const columns = transposeB ? rowsB : columnsB;
  // The stock kernel has the message for operands that do not fit.
  if (a.dtype !== "float32" || b.dtype !== "float32" || inner !== (transposeB ? columnsB : rowsB)) return call.stock();

  const left: Matrices = { tensor: a, batch: a.shape.slice(0, -2), transposed: transposeA };
  const right: Matrices = { tensor: b, batch: b.shape.slice(0, -2), transposed: transposeB };
  const batch = broadcast_util.assertAndGetBroadcastShape([...left.batch], [...right.batch]);
  const shape = [...batch, rows, columns];
  const count = sizeOf(batch);
  if (count * rows * columns * inner === 0) {
    const out = allocate(backend, shape);
    const start = wordOffset(backend, out);
    backend.wasm.HEAPF32.fill(0, start, start + sizeOf(shape));
    return out;
  }
  const sameBatch = sizeOf(left.batch) === count && sizeOf(right.batch) === count;
  if (count > 1 && sameBatch && rows * columns * inner < SMALL_MATRIX) return call.stock();

  // A B = (B' A')': cheaper when both are stored transposed, or when the result would be narrow.
  const flip = transposeA && (transposeB || (columns < NARROW && columns < rows));
  let first = untransposed(backend, flip ? right : left, flip);
  const second = untransposed(backend, flip ? left : right, flip);
  const one = sizeOf((flip ? left : right).batch) === 1 && sizeOf((flip ? right : left).batch) === count;
  if (one) {
    // One right operand for the whole batch, as in a dense layer on [batch, tokens, features]: the rows form one tall matrix.
    first = { ...first, shape: [1, count * (flip ? columns : rows), inner] };
  }
  const leading = batchIndices((flip ? right : left).batch, batch);
  const trailing = batchIndices((flip ? left : right).batch, batch);
  const product = one
    ? multiply(backend, first, second, Int32Array.of(0), Int32Array.of(0))
    : multiply(backend, first, second, leading, trailing);
  backend.disposeData(first.dataId);
  backend.disposeData(second.dataId);
  if (!flip) return { ...product, shape };
  const out = transposeMatrices(backend, product, count, columns, rows);
  backend.disposeData(product.dataId);
  return { ...out, shape };
}

export const batchMatMul: Kernel = { name: "BatchMatMul", run: matrixProduct };
