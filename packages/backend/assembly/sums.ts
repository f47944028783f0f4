/**
 * Sums over the rows of a matrix (its columns' sums), for a stack of matrices, and over its columns (its rows' sums); and the transpose of
 * the former, which repeats rows.
 */

import { argument } from "./call";
import { at, loadLanes, rowAt, splat, storeLanes, sumLanes } from "./vector";

/** Rows that are summed one after the other; the sums of such runs are then added, which keeps the rounding error small. */
const RUN = 64;

/** The sum of `rows` floats (a vector of them) that lie `step` bytes apart. */
// @ts-ignore: decorator
@inline
function sumColumn(x: usize, rows: i32, step: usize): v128 {
  let total = splat(0);
  for (let i = 0; i < rows; i += RUN) {
    let sum = splat(0);
    for (let end = min(i + RUN, rows) - i; end > 0; end--) {
      sum = f32x4.add(sum, v128.load(x));
      x += step;
    }
    total = f32x4.add(total, sum);
  }
  return total;
}

/** The sums of 16 neighbouring columns: a cache line is read at once. Adds in the order of `sumColumn`. */
function sumSixteen(x: usize, rows: i32, step: usize, y: usize, factor: v128): void {
  let t0 = splat(0), t1 = splat(0), t2 = splat(0), t3 = splat(0);
  for (let i = 0; i < rows; i += RUN) {
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0);
    for (let end = min(i + RUN, rows) - i; end > 0; end--) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
      x += step;
    }
    t0 = f32x4.add(t0, s0);
    t1 = f32x4.add(t1, s1);
    t2 = f32x4.add(t2, s2);
    t3 = f32x4.add(t3, s3);
  }
  v128.store(y, f32x4.mul(t0, factor));
  v128.store(y, f32x4.mul(t1, factor), 16);
  v128.store(y, f32x4.mul(t2, factor), 32);
  v128.store(y, f32x4.mul(t3, factor), 48);
}

/** The sum of single floats, in the order of one lane of `sumColumn`. */
function sumSingle(x: usize, rows: i32, step: usize): f32 {
  let total: f32 = 0;
  for (let i = 0; i < rows; i += RUN) {
    let sum: f32 = 0;
    for (let end = min(i + RUN, rows) - i; end > 0; end--) {
      sum += load<f32>(x);
      x += step;
    }
    total += sum;
  }
  return total;
}

/**
 * Task COLUMN_SUMS: y[g, j] = factor * (sum over i of x[g, i, j]) for x [groups, rows, columns]. Unit: up to four columns of a group.
 * Arguments: x, y (addresses), rows, columns, factor.
 */
export function columnSums(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const y = argument<usize>(1);
  const rows = argument<i32>(2);
  const columns = argument<i32>(3);
  const factor = argument<f32>(4);
  const factors = splat(factor);
  const quads = (columns + 3) / 4;
  const step = <usize>columns << 2;
  for (let unit = first; unit < last; ) {
    const group = unit / quads;
    const column = (unit % quads) * 4;
    const from = at(rowAt(x, group * rows, columns), column);
    const to = at(rowAt(y, group, columns), column);
    if (last - unit >= 4 && column + 16 <= columns) {
      sumSixteen(from, rows, step, to, factors);
      unit += 4;
      continue;
    }
    if (column + 4 <= columns) {
      v128.store(to, f32x4.mul(sumColumn(from, rows, step), factors));
    } else {
      for (let j = 0; j < columns - column; j++) store<f32>(at(to, j), sumSingle(at(from, j), rows, step) * factor);
    }
    unit++;
  }
}

/** Floats of a row that are summed in float32; the sums of such runs are added in float64. */
const ROW_RUN = 4096;

/** Task ROW_SUMS: y[i] = factor * (sum over j of x[i, j]). Unit: a row. Arguments: x, y (addresses), columns, factor. */
export function rowSums(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const y = argument<usize>(1);
  const columns = argument<i32>(2);
  const factor = argument<f64>(3);
  for (let i = first; i < last; i++) {
    const row = rowAt(x, i, columns);
    let total: f64 = 0;
    for (let start = 0; start < columns; start += ROW_RUN) {
      const end = min(start + ROW_RUN, columns);
      let s0 = splat(0), s1 = splat(0);
      let j = start;
      for (; j + 8 <= end; j += 8) {
        s0 = f32x4.add(s0, v128.load(at(row, j)));
        s1 = f32x4.add(s1, v128.load(at(row, j), 16));
      }
      let sum = sumLanes(f32x4.add(s0, s1));
      for (; j < end; j++) sum += load<f32>(at(row, j));
      total += sum;
    }
    store<f32>(at(y, i), <f32>(total * factor));
  }
}

/** Task SPREAD_ROWS: y[g, i, j] = factor * x[g, j] for y [groups, rows, columns]. Unit: a row of y. Arguments: x, y, rows, columns, factor. */
export function spreadRows(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const y = argument<usize>(1);
  const rows = argument<i32>(2);
  const columns = argument<i32>(3);
  const factor = argument<f32>(4);
  for (let i = first; i < last; i++) {
    const from = rowAt(x, i / rows, columns);
    const to = rowAt(y, i, columns);
    let j = 0;
    for (; j + 4 <= columns; j += 4) v128.store(at(to, j), f32x4.mul(v128.load(at(from, j)), splat(factor)));
    for (; j < columns; j++) store<f32>(at(to, j), load<f32>(at(from, j)) * factor);
  }
}

/** The sum of a b c, where c is 0 for ones, over rows that lie `step` bytes apart. */
// @ts-ignore: decorator
@inline
function sumProducts(a: usize, b: usize, c: usize, y: usize, rows: i32, step: usize, lanes: i32): void {
  let total = splat(0);
  for (let i = 0; i < rows; i++) {
    let product = f32x4.mul(loadLanes(a, lanes), loadLanes(b, lanes));
    if (c != 0) {
      product = f32x4.mul(product, loadLanes(c, lanes));
      c += step;
    }
    total = f32x4.add(total, product);
    a += step;
    b += step;
  }
  storeLanes(y, total, lanes);
}

/** `sumProducts` of 16 neighbouring columns: a cache line is read at once. */
function sumProductsOfSixteen(a: usize, b: usize, c: usize, y: usize, rows: i32, step: usize): void {
  let t0 = splat(0), t1 = splat(0), t2 = splat(0), t3 = splat(0);
  for (let i = 0; i < rows; i++) {
    let p0 = f32x4.mul(v128.load(a), v128.load(b));
    let p1 = f32x4.mul(v128.load(a, 16), v128.load(b, 16));
    let p2 = f32x4.mul(v128.load(a, 32), v128.load(b, 32));
    let p3 = f32x4.mul(v128.load(a, 48), v128.load(b, 48));
    if (c != 0) {
      p0 = f32x4.mul(p0, v128.load(c));
      p1 = f32x4.mul(p1, v128.load(c, 16));
      p2 = f32x4.mul(p2, v128.load(c, 32));
      p3 = f32x4.mul(p3, v128.load(c, 48));
      c += step;
    }
    t0 = f32x4.add(t0, p0);
    t1 = f32x4.add(t1, p1);
    t2 = f32x4.add(t2, p2);
    t3 = f32x4.add(t3, p3);
    a += step;
    b += step;
  }
  v128.store(y, t0);
  v128.store(y, t1, 16);
  v128.store(y, t2, 32);
  v128.store(y, t3, 48);
}

/**
 * Task PRODUCT_SUMS: y[j] = sum over i of a[i, j] b[i, j] c[i, j]. Unit: up to four columns. Arguments: a, b, c (addresses; c 0 stands for
 * ones), y, rows, columns.
 */
export function productSums(first: i32, last: i32): void {
  const rows = argument<i32>(4);
  const columns = argument<i32>(5);
  const step = <usize>columns << 2;
  for (let unit = first; unit < last; ) {
    const column = unit * 4;
    const a = at(argument<usize>(0), column);
    const b = at(argument<usize>(1), column);
    const c = argument<usize>(2) == 0 ? 0 : at(argument<usize>(2), column);
    const y = at(argument<usize>(3), column);
    if (last - unit >= 4 && column + 16 <= columns) {
      sumProductsOfSixteen(a, b, c, y, rows, step);
      unit += 4;
      continue;
    }
    if (column + 4 <= columns) sumProducts(a, b, c, y, rows, step, 4);
    else sumProducts(a, b, c, y, rows, step, columns - column);
    unit++;
  }
}

/** Task SQUARES: y[unit] = the sum of the squares of a block of x. Unit: a block. Arguments: x, y (addresses), length, length of a block. */
export function squares(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const y = argument<usize>(1);
  const length = argument<i32>(2);
  const block = argument<i32>(3);
  for (let unit = first; unit < last; unit++) {
    const end = min((unit + 1) * block, length);
    let s0 = splat(0), s1 = splat(0);
    let i = unit * block;
    for (; i + 8 <= end; i += 8) {
      const a = v128.load(at(x, i));
      const b = v128.load(at(x, i), 16);
      s0 = f32x4.add(s0, f32x4.mul(a, a));
      s1 = f32x4.add(s1, f32x4.mul(b, b));
    }
    let sum = sumLanes(f32x4.add(s0, s1));
    for (; i < end; i++) sum += load<f32>(at(x, i)) * load<f32>(at(x, i));
    store<f32>(at(y, unit), sum);
  }
}
