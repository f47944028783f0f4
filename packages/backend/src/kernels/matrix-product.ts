/** Products of matrices, on the kernel of assembly/product.ts. */

import { broadcast_util, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Assembly } from "./assembly.ts";
import { input, type Kernel, type KernelCall } from "./kernel.ts";
import { SHARED_ELEMENTS } from "./map.ts";
import { addressOf, allocate, sizeOf, type WasmBackend, wordOffset } from "./memory.ts";
import { COLUMNS, MAP, MATRICES, PRODUCT, ROWS, SIGMOID } from "./tasks.ts";

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

/** C = relu?(A B + bias), for one matrix or a batch. */
export interface Product {
  readonly a: Matrices;
  readonly b: Matrices;
  /** Address of the result. */
  readonly c: number;
  /** Address of one number a column. */
  readonly bias?: number;
  readonly relu?: boolean;
  /** Results in the batch. */
  readonly count: number;
  /** Address of the indices of A's and B's matrix for each result; without it they are taken in turn. */
  readonly table?: number;
}

/** Multiply-adds that are worth a second thread. */
const SHARED_WORK = 2 ** 16;

/** Computes a product, `inner` being at least 1. */
export function multiply(assembly: Assembly, { a, b, c, bias = 0, relu = false, count, table = 0 }: Product): void {
  const [rows, inner] = a.transposed ? [a.columns, a.rows] : [a.rows, a.columns];
  const columns = b.transposed ? b.rows : b.columns;
  const [rowsA, stepsA] = a.transposed ? [1, a.columns] : [a.columns, 1];
  const [stepsB, columnsB] = b.transposed ? [1, b.columns] : [b.columns, 1];
  const nextA = a.single ? 0 : a.rows * a.columns;
  const nextB = b.single ? 0 : b.rows * b.columns;
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

/** The sum of no products is 0: every row is the bias alone. */
function fillWithBias(backend: WasmBackend, out: TensorInfo, bias: TensorInfo | undefined, relu: boolean): void {
  const { HEAPF32 } = backend.wasm;
  const start = wordOffset(backend, out);
  const columns = out.shape.at(-1) ?? 1;
  const from = bias === undefined ? 0 : wordOffset(backend, bias);
  for (let i = 0; i < sizeOf(out.shape); i++) {
    const value = bias === undefined ? 0 : (HEAPF32[from + (i % columns)] as number);
    HEAPF32[start + i] = relu && value < 0 ? 0 : value;
  }
}

/**
 * The product of the inputs `a` and `b`, with the attributes `transposeA` and `transposeB`.
 *
 * @param activation - linear, relu or sigmoid
 */
export function matrixProduct(
  call: KernelCall,
  bias?: TensorInfo | undefined,
  activation = "linear",
): TensorInfo | TensorInfo[] {
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
    fillWithBias(backend, out, bias, relu);
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
    ...(table === undefined ? {} : { table: addressOf(backend, table) }),
  };
  multiply(assembly, product);
  if (table !== undefined) backend.disposeData(table.dataId);
  if (activation === "sigmoid") assembly.run(MAP, sizeOf(out.shape), SHARED_ELEMENTS, product.c, product.c, SIGMOID);
  return out;
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
    return plain && ACTIVATIONS.includes(activation) ? matrixProduct(call, bias, String(activation)) : call.stock();
  },
};
