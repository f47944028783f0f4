/**
 * Products with up to 4 columns, such as those of a head for two classes: a tile would be mostly empty, and a pass over A is what they cost.
 * Layout and arguments are those of product.ts. Every element is summed in the same order wherever a chunk of rows ends.
 */

import { scratchMemory } from "./call";
import { at, fma, rowAt, splat, sumLanes } from "./vector";

/** Stores one sum. The addend, laid out as C, is `toAddend` bytes further, 0 being none. */
// @ts-ignore: decorator
@inline
function finish(target: usize, sum: f32, bias: usize, j: i32, relu: bool, toAddend: isize): void {
  if (bias != 0) sum += load<f32>(at(bias, j));
  if (toAddend != 0) sum += load<f32>(target + toAddend);
  if (relu && sum < 0) sum = 0;
  store<f32>(target, sum);
}

/** Where the rows of A are contiguous: dot products, of 2 rows and 2 columns at a time so that four chains overlap. */
export function narrowDots(
  a: usize,
  rowsA: i32,
  b: usize,
  stepsB: i32,
  columnsB: i32,
  c: usize,
  rowC: i32,
  rows: i32,
  columns: i32,
  inner: i32,
  bias: usize,
  relu: bool,
  addend: usize,
): void {
  const toAddend = addend == 0 ? 0 : <isize>(addend - c);
  const packed = scratchMemory();
  for (let j = 0; j < columns; j++) {
    let from = rowAt(b, j, columnsB);
    const to = at(packed, j * inner);
    for (let k = 0; k < inner; k++) {
      store<f32>(at(to, k), load<f32>(from));
      from += <usize>stepsB << 2;
    }
  }
  for (let i = 0; i < rows; i += 2) {
    // The last row or column of an odd number is computed twice.
    const i1 = min(i + 1, rows - 1);
    const x0 = rowAt(a, i, rowsA);
    const x1 = rowAt(a, i1, rowsA);
    for (let j = 0; j < columns; j += 2) {
      const j1 = min(j + 1, columns - 1);
      const y0 = at(packed, j * inner);
      const y1 = at(packed, j1 * inner);
      let v00 = splat(0), v01 = splat(0), v10 = splat(0), v11 = splat(0);
      let k = 0;
      for (; k + 4 <= inner; k += 4) {
        const p0 = v128.load(at(x0, k));
        const p1 = v128.load(at(x1, k));
        const q0 = v128.load(at(y0, k));
        const q1 = v128.load(at(y1, k));
        v00 = fma(p0, q0, v00);
        v01 = fma(p0, q1, v01);
        v10 = fma(p1, q0, v10);
        v11 = fma(p1, q1, v11);
      }
      let s00 = sumLanes(v00), s01 = sumLanes(v01), s10 = sumLanes(v10), s11 = sumLanes(v11);
      for (; k < inner; k++) {
        const p0 = load<f32>(at(x0, k));
        const p1 = load<f32>(at(x1, k));
        const q0 = load<f32>(at(y0, k));
        const q1 = load<f32>(at(y1, k));
        s00 += p0 * q0;
        s01 += p0 * q1;
        s10 += p1 * q0;
        s11 += p1 * q1;
      }
      const c0 = rowAt(c, i, rowC);
      const c1 = rowAt(c, i1, rowC);
      finish(at(c0, j), s00, bias, j, relu, toAddend);
      finish(at(c0, j1), s01, bias, j1, relu, toAddend);
      finish(at(c1, j), s10, bias, j, relu, toAddend);
      finish(at(c1, j1), s11, bias, j1, relu, toAddend);
    }
  }
}

/** Where the columns of A are contiguous: 8 rows of 2 columns are summed down the columns at a time. */
export function narrowColumns(
  a: usize,
  stepsA: i32,
  b: usize,
  stepsB: i32,
  columnsB: i32,
  c: usize,
  rowC: i32,
  rows: i32,
  columns: i32,
  inner: i32,
  bias: usize,
  relu: bool,
  addend: usize,
): void {
  const toAddend = addend == 0 ? 0 : <isize>(addend - c);
  const edge = scratchMemory();
  const alongA = <usize>stepsA << 2;
  const alongB = <usize>stepsB << 2;
  for (let j = 0; j < columns; j += 2) {
    const j1 = min(j + 1, columns - 1);
    let i = 0;
    for (; i + 8 <= rows; i += 8) {
      let v00 = splat(0), v01 = splat(0), v10 = splat(0), v11 = splat(0);
      let p = at(a, i);
      let q0 = rowAt(b, j, columnsB);
      let q1 = rowAt(b, j1, columnsB);
      for (let k = 0; k < inner; k++) {
        const y0 = v128.load_splat<f32>(q0);
        const y1 = v128.load_splat<f32>(q1);
        const x0 = v128.load(p);
        const x1 = v128.load(p, 16);
        v00 = fma(x0, y0, v00);
        v01 = fma(x1, y0, v01);
        v10 = fma(x0, y1, v10);
        v11 = fma(x1, y1, v11);
        p += alongA;
        q0 += alongB;
        q1 += alongB;
      }
      v128.store(edge, v00);
      v128.store(edge, v01, 16);
      v128.store(edge, v10, 32);
      v128.store(edge, v11, 48);
      for (let lane = 0; lane < 8; lane++) {
        const target = rowAt(c, i + lane, rowC);
        finish(at(target, j), load<f32>(at(edge, lane)), bias, j, relu, toAddend);
        finish(at(target, j1), load<f32>(at(edge, lane + 8)), bias, j1, relu, toAddend);
      }
    }
    for (; i < rows; i++) {
      // The same operations as above in one lane, so that a row's sum does not depend on where its chunk ends.
      let v0 = splat(0), v1 = splat(0);
      let p = at(a, i);
      let q0 = rowAt(b, j, columnsB);
      let q1 = rowAt(b, j1, columnsB);
      for (let k = 0; k < inner; k++) {
        const x = v128.load_splat<f32>(p);
        v0 = fma(x, v128.load_splat<f32>(q0), v0);
        v1 = fma(x, v128.load_splat<f32>(q1), v1);
        p += alongA;
        q0 += alongB;
        q1 += alongB;
      }
      const target = rowAt(c, i, rowC);
      finish(at(target, j), f32x4.extract_lane(v0, 0), bias, j, relu, toAddend);
      finish(at(target, j1), f32x4.extract_lane(v1, 0), bias, j1, relu, toAddend);
    }
  }
}
