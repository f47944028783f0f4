/** Sparse matrices in compressed rows: the entries of row i are pointers[i] to pointers[i + 1] - 1, each with its column and value. */

import { argument, constants } from "./call";
import { exp } from "./functions";
import { at, fma, loadLanes, rowAt, splat, storeLanes, sumLanes } from "./vector";

/** A value, or 1 where the matrix has none of its own. */
// @ts-ignore: decorator
@inline
function weight(values: usize, entry: i32): v128 {
  return values == 0 ? splat(1) : v128.load_splat<f32>(at(values, entry));
}

/**
 * Task CSR_PRODUCT: y = A x for a dense x. 32 columns of a row of y are summed in eight registers over all its entries, so y is written
 * once. Unit: a row of A. Arguments: pointers, columns, values (address or 0), x, y, width of x.
 */
export function csrProduct(first: i32, last: i32): void {
  const columns = argument<usize>(1);
  const values = argument<usize>(2);
  const x = argument<usize>(3);
  const width = argument<i32>(5);
  for (let i = first; i < last; i++) {
    const start = load<i32>(at(argument<usize>(0), i));
    const end = load<i32>(at(argument<usize>(0), i), 4);
    const y = rowAt(argument<usize>(4), i, width);
    let j = 0;
    for (; j + 32 <= width; j += 32) {
      let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
      let s4 = splat(0), s5 = splat(0), s6 = splat(0), s7 = splat(0);
      for (let e = start; e < end; e++) {
        const from = at(rowAt(x, load<i32>(at(columns, e)), width), j);
        const w = weight(values, e);
        s0 = fma(w, v128.load(from), s0);
        s1 = fma(w, v128.load(from, 16), s1);
        s2 = fma(w, v128.load(from, 32), s2);
        s3 = fma(w, v128.load(from, 48), s3);
        s4 = fma(w, v128.load(from, 64), s4);
        s5 = fma(w, v128.load(from, 80), s5);
        s6 = fma(w, v128.load(from, 96), s6);
        s7 = fma(w, v128.load(from, 112), s7);
      }
      const to = at(y, j);
      v128.store(to, s0);
      v128.store(to, s1, 16);
      v128.store(to, s2, 32);
      v128.store(to, s3, 48);
      v128.store(to, s4, 64);
      v128.store(to, s5, 80);
      v128.store(to, s6, 96);
      v128.store(to, s7, 112);
    }
    for (; j < width; j += 4) {
      const lanes = min(4, width - j);
      let sum = splat(0);
      for (let e = start; e < end; e++) {
        sum = fma(weight(values, e), loadLanes(at(rowAt(x, load<i32>(at(columns, e)), width), j), lanes), sum);
      }
      storeLanes(at(y, j), sum, lanes);
    }
  }
}

/**
 * Task CSR_TRANSPOSE: the same matrix by columns, each column's entries in the order of their rows (a counting sort). A single unit.
 * Arguments: pointers, columns, values (address or 0); for the result pointers, columns, values; rows, columns of the matrix.
 */
export function csrTranspose(first: i32, last: i32): void {
  const pointers = argument<usize>(0);
  const columns = argument<usize>(1);
  const values = argument<usize>(2);
  const starts = argument<usize>(3);
  const rowsOut = argument<usize>(4);
  const valuesOut = argument<usize>(5);
  const rows = argument<i32>(6);
  const width = argument<i32>(7);
  const count = load<i32>(at(pointers, rows));
  // First counts[c + 1] is the number of entries of column c, then the place of its next entry, then where column c + 1 begins.
  memory.fill(starts, 0, <usize>(width + 1) << 2);
  for (let e = 0; e < count; e++) {
    const place = at(starts, load<i32>(at(columns, e)) + 1);
    store<i32>(place, load<i32>(place) + 1);
  }
  let before = 0;
  for (let c = 1; c <= width; c++) {
    const own = load<i32>(at(starts, c));
    store<i32>(at(starts, c), before);
    before += own;
  }
  for (let i = 0; i < rows; i++) {
    const end = load<i32>(at(pointers, i + 1));
    for (let e = load<i32>(at(pointers, i)); e < end; e++) {
      const next = at(starts, load<i32>(at(columns, e)) + 1);
      const place = load<i32>(next);
      store<i32>(next, place + 1);
      store<i32>(at(rowsOut, place), i);
      if (values != 0) store<f32>(at(valuesOut, place), load<f32>(at(values, e)));
    }
  }
}

/**
 * Task CSR_DOTS: for every entry the dot product of a row of a, its row's, with a row of b, its column's: the gradient of CSR_PRODUCT
 * with respect to the values. Unit: a row of the matrix. Arguments: pointers, columns, a, b, dots, width of a and b.
 */
export function csrDots(first: i32, last: i32): void {
  const columns = argument<usize>(1);
  const b = argument<usize>(3);
  const dots = argument<usize>(4);
  const width = argument<i32>(5);
  for (let i = first; i < last; i++) {
    const end = load<i32>(at(argument<usize>(0), i), 4);
    const own = rowAt(argument<usize>(2), i, width);
    for (let e = load<i32>(at(argument<usize>(0), i)); e < end; e++) {
      const other = rowAt(b, load<i32>(at(columns, e)), width);
      let s0 = splat(0), s1 = splat(0);
      let j = 0;
      for (; j + 8 <= width; j += 8) {
        s0 = fma(v128.load(at(own, j)), v128.load(at(other, j)), s0);
        s1 = fma(v128.load(at(own, j), 16), v128.load(at(other, j), 16), s1);
      }
      for (; j < width; j += 4) {
        const lanes = min(4, width - j);
        s0 = fma(loadLanes(at(own, j), lanes), loadLanes(at(other, j), lanes), s0);
      }
      store<f32>(at(dots, e), sumLanes(f32x4.add(s0, s1)));
    }
  }
}

/**
 * Task CSR_SOFTMAX: the softmax over the entries of each row, for every column of the scores by itself, four columns at once. Unit: a row
 * of the matrix. Arguments: pointers, scores, result, width of the scores.
 */
export function csrSoftmax(first: i32, last: i32): void {
  const scores = argument<usize>(1);
  const y = argument<usize>(2);
  const width = argument<i32>(3);
  const t = constants();
  for (let i = first; i < last; i++) {
    const start = load<i32>(at(argument<usize>(0), i));
    const end = load<i32>(at(argument<usize>(0), i), 4);
    for (let j = 0; j < width; j += 4) {
      const lanes = min(4, width - j);
      let most = splat(-Infinity);
      for (let e = start; e < end; e++) most = f32x4.pmax(most, loadLanes(at(rowAt(scores, e, width), j), lanes));
      let sum = splat(0);
      for (let e = start; e < end; e++) {
        const power = exp(f32x4.sub(loadLanes(at(rowAt(scores, e, width), j), lanes), most), t);
        sum = f32x4.add(sum, power);
        storeLanes(at(rowAt(y, e, width), j), power, lanes);
      }
      for (let e = start; e < end; e++) {
        const to = at(rowAt(y, e, width), j);
        storeLanes(to, f32x4.div(loadLanes(to, lanes), sum), lanes);
      }
    }
  }
}

/** Task CSR_SOFTMAX_GRADIENT: y (dy - sum of y dy), the sum over the row. Unit: a row of the matrix. Arguments: pointers, y, dy, result, width. */
export function csrSoftmaxGradient(first: i32, last: i32): void {
  const y = argument<usize>(1);
  const dy = argument<usize>(2);
  const width = argument<i32>(4);
  for (let i = first; i < last; i++) {
    const start = load<i32>(at(argument<usize>(0), i));
    const end = load<i32>(at(argument<usize>(0), i), 4);
    for (let j = 0; j < width; j += 4) {
      const lanes = min(4, width - j);
      let sum = splat(0);
      for (let e = start; e < end; e++) {
        sum = fma(loadLanes(at(rowAt(y, e, width), j), lanes), loadLanes(at(rowAt(dy, e, width), j), lanes), sum);
      }
      for (let e = start; e < end; e++) {
        const slope = f32x4.sub(loadLanes(at(rowAt(dy, e, width), j), lanes), sum);
        const d = f32x4.mul(loadLanes(at(rowAt(y, e, width), j), lanes), slope);
        storeLanes(at(rowAt(argument<usize>(3), e, width), j), d, lanes);
      }
    }
  }
}
