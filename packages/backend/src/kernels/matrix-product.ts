/** Products of matrices, on the kernel of assembly/product.ts. */

import { broadcast_util, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Assembly } from "./assembly.ts";
import { input, type Kernel, type KernelCall } from "./kernel.ts";
import { SHARED_ELEMENTS } from "./map.ts";
import { addressOf, allocate, sizeOf, type WasmBackend, wordOffset } from "./memory.ts";
import { COLUMN_SUMS, COLUMNS, MAP, MATRICES, PRODUCT, ROWS, SIGMOID } from "./tasks.ts";

/** One operand: matrices that lie one after the other, read as they are or transposed. */
export interface Matrices {
  readonly address: number;
  /** Of a stored matrix. */
  readonly rows: number;
  readonly columns: number;
  readonly transposed: boolean;
  /** Whether all products of a batch use the same matrix. */
  readonly single: boolean;
}

/** C = relu?(A B + bias + addend), for one matrix or a batch. */
export interface Product {
  readonly a: Matrices;
  readonly b: Matrices;
  /** Address of the result. */
  readonly c: number;
  /** Address of one number a column. */
  readonly bias?: number;
  readonly relu?: boolean;
  /** Address of a matrix of C's shape; for a single product only. */
  readonly addend?: number;
  /** Results in the batch. */
  readonly count: number;
  /** Address of the indices of A's and B's matrix for each result; without it they are taken in turn. */
  readonly table?: number;
  /**
   * The results are parts of one product, whose columns of A and rows of B they share out, this many each, the last one what is left.
   * The operands are single.
   */
  readonly share?: number;
}

/** Multiply-adds that are worth a second thread. */
const SHARED_WORK = 2 ** 16;

/**
 * Of a long product with a small result, as in a weight's gradient, how much of `inner` each of its parts gets. To share it out by rows or
 * columns would let every thread pack most of both operands. The parts do not depend on the threads, as their sum is rounded. (Two numbers
 * and an addition of each element of a part against 512 multiply-adds: 3 % of the time.)
 *
 * @returns nothing where it stays whole
 */
function shareOf(rows: number, columns: number, inner: number): number | undefined {
  if (inner < 1024 || columns <= 4 || rows * columns > 2 ** 17) return undefined;
  return 256 * Math.max(2, Math.ceil(inner / (8 * 256)));
}

/** Computes a product, `inner` being at least 1. */
export function multiply(
  assembly: Assembly,
  { a, b, c, bias = 0, relu = false, addend = 0, count, table = 0, share }: Product,
): void {
  const [rows, total] = a.transposed ? [a.columns, a.rows] : [a.rows, a.columns];
  const inner = share ?? total;
  const columns = b.transposed ? b.rows : b.columns;
  const [rowsA, stepsA] = a.transposed ? [1, a.columns] : [a.columns, 1];
  const [stepsB, columnsB] = b.transposed ? [1, b.columns] : [b.columns, 1];
  const nextA = share !== undefined ? share * stepsA : a.single ? 0 : a.rows * a.columns;
  const nextB = share !== undefined ? share * stepsB : b.single ? 0 : b.rows * b.columns;
  const kind = count > 1 ? MATRICES : rows >= columns ? ROWS : COLUMNS;
  const units = kind === MATRICES ? count : Math.max(rows, columns);
  // Chunks end where tiles do, 4 rows or 8 columns. A product of few columns is bound by memory, not worth sharing.
  const tiles = kind === MATRICES ? 1 : 8;
  const unitWork = (rows * columns * inner) / (kind === MATRICES ? 1 : units);
  const grain = columns <= 4 ? units : tiles * Math.ceil(SHARED_WORK / unitWork / tiles);
  assembly.run(
    PRODUCT,
    units,
    grain,
    a.address,
    b.address,
    c,
    bias,
    rows,
    columns,
    inner,
    rowsA,
    stepsA,
    stepsB,
    columnsB,
    nextA,
    nextB,
    relu ? 1 : 0,
    kind,
    table,
    addend,
    share === undefined ? 0 : total,
  );
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

/** The indices of both operands' matrices, in turn, where the batch is broadcast in another way than "all or one". */
function broadcastTable(
  backend: WasmBackend,
  a: readonly number[],
  b: readonly number[],
  batch: readonly number[],
): TensorInfo {
  const table = allocate(backend, [sizeOf(batch), 2], "int32");
  const start = wordOffset(backend, table);
  const [first, second] = [batchIndices(a, batch), batchIndices(b, batch)];
  const { HEAP32 } = backend.wasm;
  first.forEach((index, i) => {
    HEAP32[start + 2 * i] = index;
    HEAP32[start + 2 * i + 1] = second[i] ?? 0;
  });
  return table;
}

/** What is done with a product before it is stored. */
export interface Epilogue {
  /** One number a column. */
  readonly bias?: TensorInfo | undefined;
  /** A tensor of the result's shape; for a single product only. */
  readonly addend?: TensorInfo | undefined;
  /** linear (the default), relu or sigmoid. */
  readonly activation?: string;
}

/** The sum of no products is 0: what is left are bias and addend. */
function fillWithoutProduct(backend: WasmBackend, out: TensorInfo, { bias, addend, activation }: Epilogue): void {
  const { HEAPF32 } = backend.wasm;
  const start = wordOffset(backend, out);
  const columns = out.shape.at(-1) ?? 1;
  const [fromBias, fromAddend] = [bias, addend].map((tensor) => (tensor ? wordOffset(backend, tensor) : undefined));
  for (let i = 0; i < sizeOf(out.shape); i++) {
    let value = 0;
    if (fromBias !== undefined) value += HEAPF32[fromBias + (i % columns)] as number;
    if (fromAddend !== undefined) value += HEAPF32[fromAddend + i] as number;
    HEAPF32[start + i] = activation === "relu" && value < 0 ? 0 : value;
  }
}

/** The product of the inputs `a` and `b`, with the attributes `transposeA` and `transposeB`. */
export function matrixProduct(call: KernelCall, epilogue: Epilogue = {}): TensorInfo | TensorInfo[] {
  const { bias, addend, activation } = epilogue;
  const { backend, assembly } = call;
  const a = input(call, "a");
  const b = input(call, "b");
  const transposeA = Boolean(call.attrs["transposeA"]);
  const transposeB = Boolean(call.attrs["transposeB"]);
  const [rowsA = 0, columnsA = 0] = a.shape.slice(-2);
  const [rowsB = 0, columnsB = 0] = b.shape.slice(-2);
  const rows = transposeA ? columnsA : rowsA;
  const inner = transposeA ? rowsA : columnsA;
  const columns = transposeB ? rowsB : columnsB;
  const fits = a.shape.length >= 2 && b.shape.length >= 2 && inner === (transposeB ? columnsB : rowsB);
  // The stock kernel has the message for operands that do not fit.
  if (!fits || a.dtype !== "float32" || b.dtype !== "float32") return call.stock();

  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const count = sizeOf(batch);
  const [countA, countB] = [sizeOf(batchA), sizeOf(batchB)];
  const relu = activation === "relu";
  const out = allocate(backend, [...batch, rows, columns]);
  if (sizeOf(out.shape) === 0) return out;
  if (inner === 0) {
    fillWithoutProduct(backend, out, epilogue);
    if (activation === "sigmoid") sigmoidInPlace(call, out);
    return out;
  }
  const regular = (countA === 1 || countA === count) && (countB === 1 || countB === count);
  const table = regular ? undefined : broadcastTable(backend, batchA, batchB, batch);
  // One right operand for the whole batch, as in a dense layer on [batch, tokens, features]: the rows form one tall matrix.
  const tall = !transposeA && countB === 1;
  const product: Product = {
    a: {
      address: addressOf(backend, a),
      rows: tall ? countA * rowsA : rowsA,
      columns: columnsA,
      transposed: transposeA,
      single: countA === 1,
    },
    b: {
      address: addressOf(backend, b),
      rows: rowsB,
      columns: columnsB,
      transposed: transposeB,
      single: countB === 1,
    },
    c: addressOf(backend, out),
    relu,
    count: tall ? 1 : count,
    ...(bias === undefined ? {} : { bias: addressOf(backend, bias) }),
    ...(addend === undefined ? {} : { addend: addressOf(backend, addend) }),
    ...(table === undefined ? {} : { table: addressOf(backend, table) }),
  };
  const alone = product.count === 1 && bias === undefined && addend === undefined && !relu;
  const share = alone ? shareOf(sizeOf(out.shape) / columns, columns, inner) : undefined;
  if (share === undefined) multiply(assembly, product);
  else multiplyInParts(call, product, share, out);
  if (table !== undefined) backend.disposeData(table.dataId);
  if (activation === "sigmoid") sigmoidInPlace(call, out);
  return out;
}

/** Parts of the product, each by itself, then their sum. */
function multiplyInParts({ backend, assembly }: KernelCall, product: Product, share: number, out: TensorInfo): void {
  const inner = product.a.transposed ? product.a.rows : product.a.columns;
  const count = Math.ceil(inner / share);
  const size = sizeOf(out.shape);
  const parts = allocate(backend, [count, size]);
  multiply(assembly, { ...product, c: addressOf(backend, parts), count, share });
  const grain = SHARED_ELEMENTS / (4 * count);
  assembly.run(COLUMN_SUMS, Math.ceil(size / 4), grain, addressOf(backend, parts), product.c, count, size, 1);
  backend.disposeData(parts.dataId);
}

function sigmoidInPlace({ backend, assembly }: KernelCall, out: TensorInfo): void {
  const address = addressOf(backend, out);
  assembly.run(MAP, sizeOf(out.shape), SHARED_ELEMENTS, address, address, SIGMOID);
}

export const batchMatMul: Kernel = { name: "BatchMatMul", run: (call) => matrixProduct(call) };

const ACTIVATIONS: readonly unknown[] = ["linear", "relu", "sigmoid"];

/** The product with a bias and an activation that tfjs's dense layers use. */
export const fusedMatMul: Kernel = {
  name: "_FusedMatMul",
  run(call) {
    const { bias } = call.inputs;
    const activation = call.attrs["activation"] ?? "linear";
    const columns = input(call, "b").shape.at(call.attrs["transposeB"] ? -2 : -1);
    const plain = bias === undefined || (bias.dtype === "float32" && sizeOf(bias.shape) === columns);
    return plain && ACTIVATIONS.includes(activation)
      ? matrixProduct(call, { bias, activation: String(activation) })
      : call.stock();
  },
};
