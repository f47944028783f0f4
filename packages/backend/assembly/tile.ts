/**
 * The innermost loop of a product: a tile of C, summed in registers over all of k.
 *
 * Two forms, of which a module holds one. 128-bit machines have 16 vector registers: 4 rows of 8 columns take eight for the sums, which is
 * as many chains of FMAs as cover their latency, two for B and one for A. The wide form is for engines that join neighbouring 128-bit
 * operations into 256-bit ones (V8 calls it revectorization; it starts from neighbouring stores and follows their operands back into the
 * loop): 6 rows of 16 columns are then twelve chains of registers twice as long. Without that it would not fit the registers.
 * Unrolling either over k makes it slower.
 */

import { scratchMemory } from "./call";
import { at, fma, loadLanes, splat, storeLanes } from "./vector";

// WIDE is a constant of the build (see build.mjs): 1 in the module for engines with 256-bit vectors, else 0.
export const TILE_ROWS: i32 = WIDE ? 6 : 4;
export const TILE_COLUMNS: i32 = WIDE ? 16 : 8;
export const TILE_BYTES: i32 = TILE_ROWS * TILE_COLUMNS * 4;

// What is done with a finished sum.
export const ADD = 1; // add what is there already, or another matrix
export const BIAS = 2;
export const RELU = 4;

/** Up to four columns of a row, from the scratch memory. */
// @ts-ignore: decorator
@inline
function finishLanes(edge: usize, c: usize, flags: i32, bias: usize, addend: usize, lanes: i32): void {
  let sum = v128.load(edge);
  if (flags & BIAS) sum = f32x4.add(sum, loadLanes(bias, lanes));
  if (flags & ADD) sum = f32x4.add(sum, loadLanes(addend, lanes));
  if (flags & RELU) sum = f32x4.pmax(sum, splat(0));
  storeLanes(c, sum, lanes);
}

/** A tile with fewer columns, from the scratch memory. */
function finishEdge(
  edge: usize,
  c: usize,
  rowBytes: usize,
  rows: i32,
  columns: i32,
  flags: i32,
  bias: usize,
  addend: usize,
): void {
  for (let i = 0; i < rows; i++) {
    let j = 0;
    for (; j + 4 <= columns; j += 4) finishLanes(at(edge, j), at(c, j), flags, at(bias, j), at(addend, j), 4);
    if (j < columns) finishLanes(at(edge, j), at(c, j), flags, at(bias, j), at(addend, j), columns - j);
    edge += <usize>TILE_COLUMNS << 2;
    c += rowBytes;
    addend += rowBytes;
  }
}

/** Eight columns of a row. */
// @ts-ignore: decorator
@inline
function finishEight(c: usize, v0: v128, v1: v128, flags: i32, bias: usize, addend: usize): void {
  if (flags & BIAS) {
    v0 = f32x4.add(v0, v128.load(bias));
    v1 = f32x4.add(v1, v128.load(bias, 16));
  }
  if (flags & ADD) {
    v0 = f32x4.add(v0, v128.load(addend));
    v1 = f32x4.add(v1, v128.load(addend, 16));
  }
  if (flags & RELU) {
    // pmax(x, 0) is 0 only where x < 0, so NaN stays NaN.
    v0 = f32x4.pmax(v0, splat(0));
    v1 = f32x4.pmax(v1, splat(0));
  }
  v128.store(c, v0);
  v128.store(c, v1, 16);
}

/** Sixteen columns of a row. */
// @ts-ignore: decorator
@inline
function finishSixteen(
  c: usize,
  v0: v128,
  v1: v128,
  v2: v128,
  v3: v128,
  flags: i32,
  bias: usize,
  addend: usize,
): void {
  if (flags & BIAS) {
    v0 = f32x4.add(v0, v128.load(bias));
    v1 = f32x4.add(v1, v128.load(bias, 16));
    v2 = f32x4.add(v2, v128.load(bias, 32));
    v3 = f32x4.add(v3, v128.load(bias, 48));
  }
  if (flags & ADD) {
    v0 = f32x4.add(v0, v128.load(addend));
    v1 = f32x4.add(v1, v128.load(addend, 16));
    v2 = f32x4.add(v2, v128.load(addend, 32));
    v3 = f32x4.add(v3, v128.load(addend, 48));
  }
  if (flags & RELU) {
    v0 = f32x4.pmax(v0, splat(0));
    v1 = f32x4.pmax(v1, splat(0));
    v2 = f32x4.pmax(v2, splat(0));
    v3 = f32x4.pmax(v3, splat(0));
  }
  v128.store(c, v0);
  v128.store(c, v1, 16);
  v128.store(c, v2, 32);
  v128.store(c, v3, 48);
}

/** 4 rows of 8 columns. */
// @ts-ignore: decorator
@inline
function tileOfEight(
  a: usize,
  stride: usize,
  step: usize,
  b: usize,
  inner: i32,
  c: usize,
  rowBytes: usize,
  rows: i32,
  columns: i32,
  flags: i32,
  bias: usize,
  addend: usize,
): void {
  const zero = splat(0);
  let c00 = zero, c01 = zero;
  let c10 = zero, c11 = zero;
  let c20 = zero, c21 = zero;
  let c30 = zero, c31 = zero;
  // Rows that do not exist are the last one once more; their sums are not stored.
  let r1 = a + (rows > 1 ? stride : 0);
  let r2 = r1 + (rows > 2 ? stride : 0);
  let r3 = r2 + (rows > 3 ? stride : 0);
  let k = inner;
  do {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = fma(a0, b0, c00);
    c01 = fma(a0, b1, c01);
    const a1 = v128.load_splat<f32>(r1);
    c10 = fma(a1, b0, c10);
    c11 = fma(a1, b1, c11);
    const a2 = v128.load_splat<f32>(r2);
    c20 = fma(a2, b0, c20);
    c21 = fma(a2, b1, c21);
    const a3 = v128.load_splat<f32>(r3);
    c30 = fma(a3, b0, c30);
    c31 = fma(a3, b1, c31);
    a += step;
    r1 += step;
    r2 += step;
    r3 += step;
    b += 32;
  } while (--k > 0);

  if (columns == 8) {
    finishEight(c, c00, c01, flags, bias, addend);
    if (rows > 1) finishEight(c + rowBytes, c10, c11, flags, bias, addend + rowBytes);
    if (rows > 2) finishEight(c + rowBytes * 2, c20, c21, flags, bias, addend + rowBytes * 2);
    if (rows > 3) finishEight(c + rowBytes * 3, c30, c31, flags, bias, addend + rowBytes * 3);
    return;
  }
  const edge = scratchMemory();
  v128.store(edge, c00);
  v128.store(edge, c01, 16);
  v128.store(edge, c10, 32);
  v128.store(edge, c11, 48);
  v128.store(edge, c20, 64);
  v128.store(edge, c21, 80);
  v128.store(edge, c30, 96);
  v128.store(edge, c31, 112);
  finishEdge(edge, c, rowBytes, rows, columns, flags, bias, addend);
}

/** 6 rows of 16 columns. */
// @ts-ignore: decorator
@inline
function tileOfSixteen(
  a: usize,
  stride: usize,
  step: usize,
  b: usize,
  inner: i32,
  c: usize,
  rowBytes: usize,
  rows: i32,
  columns: i32,
  flags: i32,
  bias: usize,
  addend: usize,
): void {
  const zero = splat(0);
  let c00 = zero, c01 = zero, c02 = zero, c03 = zero;
  let c10 = zero, c11 = zero, c12 = zero, c13 = zero;
  let c20 = zero, c21 = zero, c22 = zero, c23 = zero;
  let c30 = zero, c31 = zero, c32 = zero, c33 = zero;
  let c40 = zero, c41 = zero, c42 = zero, c43 = zero;
  let c50 = zero, c51 = zero, c52 = zero, c53 = zero;
  // Rows that do not exist are the last one once more; their sums are not stored.
  let r1 = a + (rows > 1 ? stride : 0);
  let r2 = r1 + (rows > 2 ? stride : 0);
  let r3 = r2 + (rows > 3 ? stride : 0);
  let r4 = r3 + (rows > 4 ? stride : 0);
  let r5 = r4 + (rows > 5 ? stride : 0);
  let k = inner;
  do {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    const a0 = v128.load_splat<f32>(a);
    c00 = fma(a0, b0, c00);
    c01 = fma(a0, b1, c01);
    c02 = fma(a0, b2, c02);
    c03 = fma(a0, b3, c03);
    const a1 = v128.load_splat<f32>(r1);
    c10 = fma(a1, b0, c10);
    c11 = fma(a1, b1, c11);
    c12 = fma(a1, b2, c12);
    c13 = fma(a1, b3, c13);
    const a2 = v128.load_splat<f32>(r2);
    c20 = fma(a2, b0, c20);
    c21 = fma(a2, b1, c21);
    c22 = fma(a2, b2, c22);
    c23 = fma(a2, b3, c23);
    const a3 = v128.load_splat<f32>(r3);
    c30 = fma(a3, b0, c30);
    c31 = fma(a3, b1, c31);
    c32 = fma(a3, b2, c32);
    c33 = fma(a3, b3, c33);
    const a4 = v128.load_splat<f32>(r4);
    c40 = fma(a4, b0, c40);
    c41 = fma(a4, b1, c41);
    c42 = fma(a4, b2, c42);
    c43 = fma(a4, b3, c43);
    const a5 = v128.load_splat<f32>(r5);
    c50 = fma(a5, b0, c50);
    c51 = fma(a5, b1, c51);
    c52 = fma(a5, b2, c52);
    c53 = fma(a5, b3, c53);
    a += step;
    r1 += step;
    r2 += step;
    r3 += step;
    r4 += step;
    r5 += step;
    b += 64;
  } while (--k > 0);

  if (columns == 16) {
    finishSixteen(c, c00, c01, c02, c03, flags, bias, addend);
    if (rows > 1) finishSixteen(c + rowBytes, c10, c11, c12, c13, flags, bias, addend + rowBytes);
    if (rows > 2) finishSixteen(c + rowBytes * 2, c20, c21, c22, c23, flags, bias, addend + rowBytes * 2);
    if (rows > 3) finishSixteen(c + rowBytes * 3, c30, c31, c32, c33, flags, bias, addend + rowBytes * 3);
    if (rows > 4) finishSixteen(c + rowBytes * 4, c40, c41, c42, c43, flags, bias, addend + rowBytes * 4);
    if (rows > 5) finishSixteen(c + rowBytes * 5, c50, c51, c52, c53, flags, bias, addend + rowBytes * 5);
    return;
  }
  const edge = scratchMemory();
  v128.store(edge, c00);
  v128.store(edge, c01, 16);
  v128.store(edge, c02, 32);
  v128.store(edge, c03, 48);
  v128.store(edge, c10, 64);
  v128.store(edge, c11, 80);
  v128.store(edge, c12, 96);
  v128.store(edge, c13, 112);
  v128.store(edge, c20, 128);
  v128.store(edge, c21, 144);
  v128.store(edge, c22, 160);
  v128.store(edge, c23, 176);
  v128.store(edge, c30, 192);
  v128.store(edge, c31, 208);
  v128.store(edge, c32, 224);
  v128.store(edge, c33, 240);
  v128.store(edge, c40, 256);
  v128.store(edge, c41, 272);
  v128.store(edge, c42, 288);
  v128.store(edge, c43, 304);
  v128.store(edge, c50, 320);
  v128.store(edge, c51, 336);
  v128.store(edge, c52, 352);
  v128.store(edge, c53, 368);
  finishEdge(edge, c, rowBytes, rows, columns, flags, bias, addend);
}

/**
 * One tile of C, from a packed panel of B and `TILE_ROWS` rows of A.
 *
 * @param stride - bytes from one of A's rows to the next
 * @param step - bytes from one k of a row to the next
 * @param flags - ADD, BIAS and RELU
 * @param addend - what ADD adds, with rows as far apart as those of C
 */
// @ts-ignore: decorator
@inline
export function tile(
  a: usize,
  stride: usize,
  step: usize,
  b: usize,
  inner: i32,
  c: usize,
  rowBytes: usize,
  rows: i32,
  columns: i32,
  flags: i32,
  bias: usize,
  addend: usize,
): void {
  if (WIDE) tileOfSixteen(a, stride, step, b, inner, c, rowBytes, rows, columns, flags, bias, addend);
  else tileOfEight(a, stride, step, b, inner, c, rowBytes, rows, columns, flags, bias, addend);
}
