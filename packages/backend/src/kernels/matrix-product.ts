/**
 * Products of matrices out of the one case that the stock backend computes fast: two matrices, neither transposed (XNNPACK, some 20
 * GFLOP/s a core, against 0.4 to 2 for all others). Transposed operands are transposed first, which costs memory traffic of
 * their size and is little beside the product; batches are taken matrix by matrix. Every gradient of a product has a
 * transposed operand, so this is what makes training usable.
 */

import { broadcast_util, type TensorInfo } from "@tensorflow/tfjs-core";
import { forget, multiplyMatrices, partOf } from "./compiled.ts";
import { input, type Kernel, type KernelCall } from "./kernel.ts";
import { allocate, share, sizeOf, type WasmBackend, wordOffset } from "./memory.ts";
import { transposeMatrices } from "./transposition.ts";

/** Below this many multiply-adds a matrix, the stock loop over a batch is faster than a call a matrix, which takes some 20 us. */
const SMALL_MATRIX = 32 ** 3;

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
  const out = allocate(backend, [count, rows, columns]);
  if (count === 1) {
    multiplyMatrices(backend, left, right, out);
    return out;
  }
  const matrixOf = (batch: TensorInfo, index: number): TensorInfo => {
    const shape = batch.shape.slice(-2);
    return partOf(backend, batch, index * sizeOf(shape), [1, ...shape]);
  };
  for (let i = 0; i < count; i++) {
    const a = matrixOf(left, leftIndices[i] ?? 0);
    const b = matrixOf(right, rightIndices[i] ?? 0);
    const result = matrixOf(out, i);
    multiplyMatrices(backend, a, b, result);
    forget(backend, a, b, result);
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

  // A B = (B' A')': cheaper when both are stored transposed, or when it packs a smaller operand for a small result to transpose.
  const flip = transposeA && (transposeB || 2 * inner * (columns - rows) > rows * columns);
  const [first, second] = flip ? [right, left] : [left, right];
  const height = flip ? columns : rows;
  const x = untransposed(backend, first, flip);
  const y = untransposed(backend, second, flip);
  // One right operand for the whole batch, as in a dense layer on [batch, tokens, features]: the rows form one tall matrix.
  const tall = sizeOf(second.batch) === 1 && sizeOf(first.batch) === count;
  const product = tall
    ? multiply(backend, { ...x, shape: [1, count * height, inner] }, y, Int32Array.of(0), Int32Array.of(0))
    : multiply(backend, x, y, batchIndices(first.batch, batch), batchIndices(second.batch, batch));
  backend.disposeData(x.dataId);
  backend.disposeData(y.dataId);
  if (!flip) return { ...product, shape };
  const out = transposeMatrices(backend, product, count, columns, rows);
  backend.disposeData(product.dataId);
  return { ...out, shape };
}

export const batchMatMul: Kernel = { name: "BatchMatMul", run: matrixProduct };
