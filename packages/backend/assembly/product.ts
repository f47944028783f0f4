/**
 * Matrix products C = activation(A B + bias), for any layout of A and B.
 *
 * Layout: element (i, k) of A lies at `i * rowsA + k * stepsA`, element (k, j) of B at `k * stepsB + j * columnsB`; so a transposed
 * operand is one with its strides exchanged. C is row-major.
 *
 * Blocking (after Goto): B is cut into blocks of 256 x 512, A into 96 x 256, which stay in the L2 and L1 caches while they are used. Each
 * is first packed into panels, 8 columns of B or 4 rows of A wide, in the order in which the innermost loop reads them. That loop holds
 * a tile of 4 x 8 sums in eight vector registers: eight independent chains of FMAs cover their latency, and 8 + 2 + 1 registers fit the
 * 16 of x86. Unrolling it over k makes it slower. Products with up to 4 columns (or rows) take `narrow` below.
 *
 * Every element is summed in the same order whichever tile and thread it falls to.
 */

import { argument, scratchMemory } from "./call";
import { at, fma, rowAt, splat, sumLanes } from "./vector";
import { COLUMNS, MATRICES } from "../src/kernels/tasks";

const TILE_ROWS = 4;
const TILE_COLUMNS = 8;
const BLOCK_ROWS = 96;
const BLOCK_INNER = 256;
const BLOCK_COLUMNS = 512;

const TILE_BYTES = TILE_ROWS * TILE_COLUMNS * 4;
const LEFT_BYTES = BLOCK_ROWS * BLOCK_INNER * 4;
export const PRODUCT_SCRATCH = TILE_BYTES + LEFT_BYTES + BLOCK_INNER * BLOCK_COLUMNS * 4;

/** Products with at most this many columns gain nothing from tiles of 8. */
const NARROW = 4;

// What the innermost loop does with a finished tile.
const ACCUMULATE = 1; // add to what C holds: not the first block along k
const BIAS = 2;
const RELU = 4;

/**
 * Packs four rows or columns, `lanes` of which exist, as `inner` groups of four; the others become 0.
 *
 * @param across - floats from one of the four to the next
 * @param along - floats from one k to the next
 * @param step - bytes from one packed group to the next
 */
function packFour(source: usize, across: i32, along: i32, lanes: i32, inner: i32, target: usize, step: i32): void {
  const alongBytes = <usize>along << 2;
  const acrossBytes = <usize>across << 2;
  if (lanes == 4 && across == 1) {
    for (let k = 0; k < inner; k++) {
      v128.store(target, v128.load(source));
      source += alongBytes;
      target += step;
    }
    return;
  }
  let k = 0;
  if (lanes == 4 && along == 1) {
    const source1 = acrossBytes;
    const source2 = acrossBytes * 2;
    const source3 = acrossBytes * 3;
    for (; k + 4 <= inner; k += 4) {
      const a = v128.load(source);
      const b = v128.load(source + source1);
      const c = v128.load(source + source2);
      const d = v128.load(source + source3);
      const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
      const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
      v128.store(target, v128.shuffle<i64>(ab0, cd0, 0, 2));
      target += step;
      v128.store(target, v128.shuffle<i64>(ab0, cd0, 1, 3));
      target += step;
      v128.store(target, v128.shuffle<i64>(ab2, cd2, 0, 2));
      target += step;
      v128.store(target, v128.shuffle<i64>(ab2, cd2, 1, 3));
      target += step;
      source += 16;
    }
  }
  for (; k < inner; k++) {
    let from = source;
    for (let lane = 0; lane < 4; lane++) {
      store<f32>(at(target, lane), lane < lanes ? load<f32>(from) : 0);
      from += acrossBytes;
    }
    source += alongBytes;
    target += step;
  }
}

/** Packs `count` rows or columns into panels of `width` (4 or 8). */
function pack(source: usize, across: i32, along: i32, count: i32, inner: i32, target: usize, width: i32): void {
  for (let i = 0; i < count; i += width) {
    for (let half = 0; half < width; half += 4) {
      const lanes = max(0, min(4, count - i - half));
      packFour(rowAt(source, i + half, across), across, along, lanes, inner, at(target, half), width << 2);
    }
    target += <usize>(width * inner) << 2;
  }
}

/**
 * One tile of C from one panel of B and four rows of A.
 *
 * @param stride - bytes from one of the rows to the next: 4 in a packed panel
 * @param step - bytes from one k to the next: 16 in a packed panel
 */
// @ts-ignore: decorator
@inline
function tile(
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

  if (rows == TILE_ROWS && columns == TILE_COLUMNS) {
    const p0 = c, p1 = p0 + rowBytes, p2 = p1 + rowBytes, p3 = p2 + rowBytes;
    if (flags & BIAS) {
      const v0 = v128.load(bias);
      const v1 = v128.load(bias, 16);
      c00 = f32x4.add(c00, v0);
      c01 = f32x4.add(c01, v1);
      c10 = f32x4.add(c10, v0);
      c11 = f32x4.add(c11, v1);
      c20 = f32x4.add(c20, v0);
      c21 = f32x4.add(c21, v1);
      c30 = f32x4.add(c30, v0);
      c31 = f32x4.add(c31, v1);
    }
    if (flags & ACCUMULATE) {
      c00 = f32x4.add(c00, v128.load(p0));
      c01 = f32x4.add(c01, v128.load(p0, 16));
      c10 = f32x4.add(c10, v128.load(p1));
      c11 = f32x4.add(c11, v128.load(p1, 16));
      c20 = f32x4.add(c20, v128.load(p2));
      c21 = f32x4.add(c21, v128.load(p2, 16));
      c30 = f32x4.add(c30, v128.load(p3));
      c31 = f32x4.add(c31, v128.load(p3, 16));
    }
    if (flags & RELU) {
      // pmax(x, 0) is 0 only where x < 0, so NaN stays NaN.
      c00 = f32x4.pmax(c00, zero);
      c01 = f32x4.pmax(c01, zero);
      c10 = f32x4.pmax(c10, zero);
      c11 = f32x4.pmax(c11, zero);
      c20 = f32x4.pmax(c20, zero);
      c21 = f32x4.pmax(c21, zero);
      c30 = f32x4.pmax(c30, zero);
      c31 = f32x4.pmax(c31, zero);
    }
    v128.store(p0, c00);
    v128.store(p0, c01, 16);
    v128.store(p1, c10);
    v128.store(p1, c11, 16);
    v128.store(p2, c20);
    v128.store(p2, c21, 16);
    v128.store(p3, c30);
    v128.store(p3, c31, 16);
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
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const target = at(c, j);
      let sum = load<f32>(at(edge, i * TILE_COLUMNS + j));
      if (flags & BIAS) sum += load<f32>(at(bias, j));
      if (flags & ACCUMULATE) sum += load<f32>(target);
      if (flags & RELU && sum < 0) sum = 0;
      store<f32>(target, sum);
    }
    c += rowBytes;
  }
}

/** One product by blocks, panels and tiles. `bias` 0 is none. */
export function multiply(
  a: usize,
  rowsA: i32,
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
): void {
  const left = scratchMemory() + TILE_BYTES;
  const right = left + LEFT_BYTES;
  const rowBytes = <usize>rowC << 2;
  const inPlace = stepsA == 1;
  for (let j0 = 0; j0 < columns; j0 += BLOCK_COLUMNS) {
    const width = min(BLOCK_COLUMNS, columns - j0);
    for (let k0 = 0; k0 < inner; k0 += BLOCK_INNER) {
      const depth = min(BLOCK_INNER, inner - k0);
      const flags =
        (k0 > 0 ? ACCUMULATE : 0) |
        (k0 == 0 && bias != 0 ? BIAS : 0) |
        (relu && k0 + depth == inner ? RELU : 0);
      pack(rowAt(rowAt(b, k0, stepsB), j0, columnsB), columnsB, stepsB, width, depth, right, TILE_COLUMNS);
      for (let i0 = 0; i0 < rows; i0 += BLOCK_ROWS) {
        const height = min(BLOCK_ROWS, rows - i0);
        const source = rowAt(rowAt(a, i0, rowsA), k0, stepsA);
        if (!inPlace) pack(source, rowsA, stepsA, height, depth, left, TILE_ROWS);
        for (let j = 0; j < width; j += TILE_COLUMNS) {
          const panel = at(right, j * depth);
          const own = bias == 0 ? 0 : at(bias, j0 + j);
          let target = at(rowAt(c, i0, rowC), j0 + j);
          for (let i = 0; i < height; i += TILE_ROWS) {
            tile(
              inPlace ? rowAt(source, i, rowsA) : at(left, i * depth),
              inPlace ? <usize>rowsA << 2 : 4,
              inPlace ? 4 : 16,
              panel,
              depth,
              target,
              rowBytes,
              min(TILE_ROWS, height - i),
              min(TILE_COLUMNS, width - j),
              flags,
              own,
            );
            target += rowBytes * TILE_ROWS;
          }
        }
      }
    }
  }
}

/** Stores one sum of `narrow`. */
// @ts-ignore: decorator
@inline
function finish(target: usize, sum: f32, bias: usize, j: i32, relu: bool): void {
  if (bias != 0) sum += load<f32>(at(bias, j));
  if (relu && sum < 0) sum = 0;
  store<f32>(target, sum);
}

/** `narrow` where the rows of A are contiguous: dot products, of 2 rows and 2 columns at a time so that four chains overlap. */
function narrowDots(
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
): void {
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
      finish(at(c0, j), s00, bias, j, relu);
      finish(at(c0, j1), s01, bias, j1, relu);
      finish(at(c1, j), s10, bias, j, relu);
      finish(at(c1, j1), s11, bias, j1, relu);
    }
  }
}

/** `narrow` where the columns of A are contiguous: 8 rows of 2 columns are summed down the columns at a time. */
function narrowColumns(
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
): void {
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
        finish(at(target, j), load<f32>(at(edge, lane)), bias, j, relu);
        finish(at(target, j1), load<f32>(at(edge, lane + 8)), bias, j1, relu);
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
      finish(at(target, j), f32x4.extract_lane(v0, 0), bias, j, relu);
      finish(at(target, j1), f32x4.extract_lane(v1, 0), bias, j1, relu);
    }
  }
}

/**
 * Task PRODUCT. Arguments: A, B, C, bias (addresses; bias 0 is none); rows, columns, inner; rowsA, stepsA, stepsB, columnsB; floats from
 * one matrix of A, B and C to the next; relu (0 or 1); what the units are. `table`, unless 0, holds the index of A's matrix and of B's
 * for every matrix of C, in turn: a broadcast batch.
 */
export function product(first: i32, last: i32): void {
  let a = argument<usize>(0);
  let b = argument<usize>(1);
  let c = argument<usize>(2);
  let bias = argument<usize>(3);
  let rows = argument<i32>(4);
  let columns = argument<i32>(5);
  const inner = argument<i32>(6);
  const rowsA = argument<i32>(7);
  const stepsA = argument<i32>(8);
  const stepsB = argument<i32>(9);
  const columnsB = argument<i32>(10);
  const nextA = argument<i32>(11);
  const nextB = argument<i32>(12);
  const relu = argument<i32>(13) != 0;
  const units = argument<i32>(14);
  const table = argument<usize>(15);
  const rowC = columns;

  let matrices = 1;
  let matrix = 0;
  if (units == MATRICES) {
    matrix = first;
    matrices = last - first;
  } else if (units == COLUMNS) {
    b = rowAt(b, first, columnsB);
    c = at(c, first);
    if (bias != 0) bias = at(bias, first);
    columns = last - first;
  } else {
    a = rowAt(a, first, rowsA);
    c = rowAt(c, first, rowC);
    rows = last - first;
  }
  const isNarrow = columns <= NARROW && inner * columns * 4 <= PRODUCT_SCRATCH;
  for (let i = matrix; i < matrix + matrices; i++) {
    const indexA = table == 0 ? i : load<i32>(at(table, 2 * i));
    const indexB = table == 0 ? i : load<i32>(at(table, 2 * i + 1));
    const x = rowAt(a, indexA, nextA);
    const y = rowAt(b, indexB, nextB);
    const z = rowAt(c, i, rows * rowC);
    if (isNarrow && stepsA == 1) {
      narrowDots(x, rowsA, y, stepsB, columnsB, z, rowC, rows, columns, inner, bias, relu);
    } else if (isNarrow && rowsA == 1) {
      narrowColumns(x, stepsA, y, stepsB, columnsB, z, rowC, rows, columns, inner, bias, relu);
    } else {
      multiply(x, rowsA, stepsA, y, stepsB, columnsB, z, rowC, rows, columns, inner, bias, relu);
    }
  }
}
