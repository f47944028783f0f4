import {
  type GradConfig,
  gather,
  mul,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  unsortedSegmentSum,
} from "@tensorflow/tfjs-core";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { allocate } from "../kernels/memory.ts";
import { CSR_DOTS, CSR_PRODUCT, CSR_TRANSPOSE } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFused, runFusedMany } from "./fused.ts";

const FORWARD = "L0gmCsrProduct";
const TRANSPOSE = "L0gmCsrTranspose";
const DOTS = "L0gmCsrDots";

/** Rows that are worth a second thread. */
export const SHARED_ROWS = 64;

/** A sparse matrix in compressed rows: row i has the entries `pointers[i]` to `pointers[i + 1] - 1`. */
export interface CsrMatrix {
  readonly rows: number;
  readonly columns: number;
  /** `[rows + 1]`, int32, from 0 and never falling. */
  readonly pointers: Tensor1D;
  /** The entries' columns, `[entries]`, int32, from 0 to columns - 1. */
  readonly indices: Tensor1D;
  /** The entries' values, `[entries]`, float32; absent, all are 1. They have a gradient as x does. */
  readonly values?: Tensor1D;
  /** The same matrix transposed, for the gradient with respect to x. Absent, it is made where it is needed, some 10 ns an entry. */
  readonly transposed?: CsrMatrix;
}

/**
 * The product of a sparse matrix with a dense one, for example the sum (or, with values 1 / degree, the mean) over the neighbours of
 * every node. The indices are trusted: check them where the graph is read.
 *
 * @param a - `[rows, columns]`
 * @param x - `[columns, width]`
 * @returns `[rows, width]`, the caller's
 * @throws BackendError when the shapes do not fit
 *
 * @example
 * ```ts
 * import { csrProduct } from "@l0gm/backend";
 * import { tensor1d, tensor2d } from "@tensorflow/tfjs-core";
 *
 * const a = { rows: 2, columns: 3, pointers: tensor1d([0, 2, 3], "int32"), indices: tensor1d([0, 2, 1], "int32") };
 * console.log(csrProduct(a, tensor2d([[1], [10], [100]])).arraySync()); // 101, 10
 * ```
 */
export function csrProduct(a: CsrMatrix, x: Tensor2D): Tensor2D {
  const { rows, columns, pointers, indices, values } = a;
  const { transposed } = a;
  const alike = transposed === undefined || (transposed.values === undefined) === (values === undefined);
  const sizes = alike && pointers.size === rows + 1 && (values === undefined || values.size === indices.size);
  const fits = sizes && x.rank === 2 && x.shape[0] === columns;
  const expected = `pointers [${rows + 1}], indices and values [entries], as the transpose has them, and x [${columns}, width]`;
  requireShape("csrProduct", fits, expected, pointers, indices, x);
  const floats = values === undefined ? [x] : [x, values];
  if (!canFuse(FORWARD, ...floats)) return plainProduct(a, x);
  return multiply({ ...a, x });
}

/** The kernel's inputs. */
interface Factors extends Omit<CsrMatrix, "rows" | "columns"> {
  readonly x: Tensor;
  /** Of the matrix. */
  readonly columns: number;
}

function multiply({ pointers, indices, values, transposed, x, columns }: Factors): Tensor2D {
  const attrs = { columns, weighted: values !== undefined, transposed: transposed !== undefined };
  // A gradient saves inputs by their names: where there is no such tensor another one stands in for it, which costs nothing.
  const back = { backPointers: transposed?.pointers ?? pointers, backIndices: transposed?.indices ?? indices };
  const stand = { values: values ?? indices, backValues: transposed?.values ?? indices };
  return runFused(FORWARD, { pointers, indices, ...back, ...stand, x }, attrs) as Tensor2D;
}

function plainProduct({ rows, pointers, indices, values }: CsrMatrix, x: Tensor2D): Tensor2D {
  const read = gather(x, indices);
  const weighted = values === undefined ? read : mul(read, reshape(values, [-1, 1]));
  return unsortedSegmentSum(weighted, ownersOf(pointers.dataSync<"int32">(), indices.size), rows) as Tensor2D;
}

/** `[entries]`: the row of each entry. */
export function ownersOf(pointers: Int32Array, entries: number): Tensor1D {
  const owners = new Int32Array(entries);
  for (let i = 0; i < pointers.length - 1; i++) owners.fill(i, pointers[i], pointers[i + 1]);
  return tensor1d(owners, "int32");
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const [pointers, indices, x] = [input(call, "pointers"), input(call, "indices"), input(call, "x")];
    const values = call.attrs["weighted"] === true ? input(call, "values") : undefined;
    const rows = (pointers.shape[0] ?? 1) - 1;
    const width = x.shape[1] ?? 0;
    const y = allocate(call.backend, [rows, width]);
    const [starts = 0, columns = 0, from = 0, to = 0] = addressesOf(call, pointers, indices, x, y);
    const [weights = 0] = values === undefined ? [] : addressesOf(call, values);
    call.assembly.run(CSR_PRODUCT, rows, SHARED_ROWS, starts, columns, weights, from, to, width);
    return y;
  },
};

const transpose: Kernel = {
  name: TRANSPOSE,
  added: true,
  run(call) {
    const [pointers, indices] = [input(call, "pointers"), input(call, "indices")];
    const { values } = call.inputs;
    const rows = (pointers.shape[0] ?? 1) - 1;
    const columns = Number(call.attrs["columns"]);
    const starts = allocate(call.backend, [columns + 1], "int32");
    const owners = allocate(call.backend, indices.shape, "int32");
    const outputs = values === undefined ? [starts, owners] : [starts, owners, allocate(call.backend, values.shape)];
    const [from = 0, at = 0] = addressesOf(call, pointers, indices);
    const [weights = 0] = values === undefined ? [] : addressesOf(call, values);
    const [to = 0, ownersAt = 0, weightsAt = 0] = addressesOf(call, ...outputs);
    call.assembly.run(CSR_TRANSPOSE, 1, 1, from, at, weights, to, ownersAt, weightsAt, rows, columns);
    return outputs;
  },
};

const dots: Kernel = {
  name: DOTS,
  added: true,
  run(call) {
    const [pointers, indices] = [input(call, "pointers"), input(call, "indices")];
    const [dy, x] = [input(call, "dy"), input(call, "x")];
    const y = allocate(call.backend, indices.shape);
    const addresses = addressesOf(call, pointers, indices, dy, x, y);
    call.assembly.run(CSR_DOTS, dy.shape[0] ?? 0, SHARED_ROWS, ...addresses, x.shape[1] ?? 0);
    return y;
  },
};

const gradient: GradConfig = {
  kernelName: FORWARD,
  inputsToSave: ["pointers", "indices", "values", "backPointers", "backIndices", "backValues", "x"],
  gradFunc(dy, saved, attrs) {
    const [pointers, indices, values] = [nth(saved, 0), nth(saved, 1), nth(saved, 2)];
    const x = nth(saved, 6);
    const weighted = attrs["weighted"] === true;
    const transposed = (): readonly Tensor[] => {
      if (attrs["transposed"] === true) return saved.slice(3, 6);
      const own = weighted ? { pointers, indices, values } : { pointers, indices };
      return runFusedMany(TRANSPOSE, own, { columns: Number(attrs["columns"]) });
    };
    return {
      x: () => {
        const back = transposed();
        const matrix = { pointers: nth(back, 0) as Tensor1D, indices: nth(back, 1) as Tensor1D };
        const factors = { ...matrix, x: dy as Tensor, columns: pointers.size - 1 };
        return multiply(weighted ? { ...factors, values: nth(back, 2) as Tensor1D } : factors);
      },
      values: () => runFused(DOTS, { pointers, indices, dy: dy as Tensor, x }),
    };
  },
};

export const csrOperation: FusedOperation = { kernels: [forward, transpose, dots], gradient };
