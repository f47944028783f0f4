/**
 * Matrix products C = activation(A B + bias + addend), for any layout of A and B.
 *
 * Layout: element (i, k) of A lies at `i * rowsA + k * stepsA`, element (k, j) of B at `k * stepsB + j * columnsB`; so a transposed
 * operand is one with its strides exchanged. C is row-major.
 *
 * Blocking (after Goto): B is cut into blocks of 256 x 512, A into 96 x 256, which stay in the caches while they are used. B is packed
 * into panels as wide as a tile, in the order in which the innermost loop (tile.ts) reads them; so is A, unless its rows are contiguous
 * and can be read where they are. Products with up to 4 columns go to narrow.ts.
 *
 * Every element is summed in the same order whichever tile and thread it falls to.
 */

import { argument, scratchMemory } from "./call";
import { narrowColumns, narrowDots } from "./narrow";
import { ADD, BIAS, RELU, TILE_BYTES, TILE_COLUMNS, TILE_ROWS, tile } from "./tile";
import { at, loadLanes, rowAt, splat } from "./vector";
import { COLUMNS, MATRICES } from "../src/kernels/tasks";

const BLOCK_ROWS = 96;
const BLOCK_INNER = 256;
const BLOCK_COLUMNS = 512;

const LEFT_BYTES = BLOCK_ROWS * BLOCK_INNER * 4;
export const PRODUCT_SCRATCH = TILE_BYTES + LEFT_BYTES + BLOCK_INNER * BLOCK_COLUMNS * 4;

/** Products with at most this many columns gain nothing from tiles. */
const NARROW = 4;

/**
 * Packs four rows or columns, `lanes` of which exist, as `inner` groups of four. What the others become does not matter, as their sums are
 * not stored: one that exists once more, or 0.
 *
 * @param across - floats from one of the four to the next
 * @param along - floats from one k to the next
 * @param step - bytes from one packed group to the next
 */
function packFour(source: usize, across: i32, along: i32, lanes: i32, inner: i32, target: usize, step: i32): void {
  const alongBytes = <usize>along << 2;
  if (across == 1 || lanes <= 0) {
    for (let k = 0; k < inner; k++) {
      v128.store(target, lanes == 4 ? v128.load(source) : lanes <= 0 ? splat(0) : loadLanes(source, lanes));
      source += alongBytes;
      target += step;
    }
    return;
  }
  const acrossBytes = <usize>across << 2;
  const source1 = lanes > 1 ? acrossBytes : 0;
  const source2 = lanes > 2 ? acrossBytes * 2 : source1;
  const source3 = lanes > 3 ? acrossBytes * 3 : source2;
  let k = 0;
  if (along == 1) {
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
    store<f32>(target, load<f32>(source));
    store<f32>(target, load<f32>(source + source1), 4);
    store<f32>(target, load<f32>(source + source2), 8);
    store<f32>(target, load<f32>(source + source3), 12);
    source += alongBytes;
    target += step;
  }
}

/** `packFour` for the last two of a panel of six. */
function packTwo(source: usize, across: i32, along: i32, lanes: i32, inner: i32, target: usize, step: i32): void {
  const alongBytes = <usize>along << 2;
  if (across == 1 && lanes >= 2) {
    for (let k = 0; k < inner; k++) {
      store<i64>(target, load<i64>(source));
      source += alongBytes;
      target += step;
    }
    return;
  }
  const source1 = lanes > 1 ? <usize>across << 2 : 0;
  for (let k = 0; k < inner; k++) {
    store<f32>(target, lanes > 0 ? load<f32>(source) : 0);
    store<f32>(target, lanes > 0 ? load<f32>(source + source1) : 0, 4);
    source += alongBytes;
    target += step;
  }
}

/** Packs `count` rows or columns into panels of `width`: 4, 6, 8 or 16. */
function pack(source: usize, across: i32, along: i32, count: i32, inner: i32, target: usize, width: i32): void {
  for (let i = 0; i < count; i += width) {
    for (let start = 0; start < width; start += 4) {
      const from = rowAt(source, i + start, across);
      const to = at(target, start);
      const lanes = min(4, count - i - start);
      if (width - start >= 4) packFour(from, across, along, lanes, inner, to, width << 2);
      else packTwo(from, across, along, lanes, inner, to, width << 2);
    }
    target += <usize>(width * inner) << 2;
  }
}

/** One product by blocks, panels and tiles. `bias` and `addend` 0 are none; the latter is laid out as C. */
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
  addend: usize,
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
        (k0 > 0 || addend != 0 ? ADD : 0) |
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
          let added = k0 > 0 ? target : addend + (target - c);
          for (let i = 0; i < height; i += TILE_ROWS) {
            tile(
              inPlace ? rowAt(source, i, rowsA) : at(left, i * depth),
              inPlace ? <usize>rowsA << 2 : 4,
              inPlace ? 4 : <usize>TILE_ROWS << 2,
              panel,
              depth,
              target,
              rowBytes,
              min(TILE_ROWS, height - i),
              min(TILE_COLUMNS, width - j),
              flags,
              own,
              added,
            );
            target += rowBytes * TILE_ROWS;
            added += rowBytes * TILE_ROWS;
          }
        }
      }
    }
  }
}

/**
 * Task PRODUCT. Arguments: A, B, C, bias (addresses; bias 0 is none); rows, columns, inner; rowsA, stepsA, stepsB, columnsB; floats from
 * one matrix of A, B and C to the next; relu (0 or 1); what the units are. `table`, unless 0, holds the index of A's matrix and of B's
 * for every matrix of C, in turn: a broadcast batch. Then the addend of a single product (address or 0), and a length
 * along k that is cut into the products of the batch, `inner` for each but the last (0: each has `inner`).
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
  let addend = argument<usize>(16);
  const total = argument<i32>(17);
  const rowC = columns;

  let matrices = 1;
  let matrix = 0;
  if (units == MATRICES) {
    matrix = first;
    matrices = last - first;
  } else if (units == COLUMNS) {
    b = rowAt(b, first, columnsB);
    c = at(c, first);
    if (addend != 0) addend = at(addend, first);
    if (bias != 0) bias = at(bias, first);
    columns = last - first;
  } else {
    a = rowAt(a, first, rowsA);
    c = rowAt(c, first, rowC);
    if (addend != 0) addend = rowAt(addend, first, rowC);
    rows = last - first;
  }
  const isNarrow = columns <= NARROW && inner * columns * 4 <= PRODUCT_SCRATCH;
  for (let i = matrix; i < matrix + matrices; i++) {
    const depth = total == 0 ? inner : min(inner, total - i * inner);
    const indexA = table == 0 ? i : load<i32>(at(table, 2 * i));
    const indexB = table == 0 ? i : load<i32>(at(table, 2 * i + 1));
    const x = rowAt(a, indexA, nextA);
    const y = rowAt(b, indexB, nextB);
    const z = rowAt(c, i, rows * rowC);
    if (isNarrow && stepsA == 1) {
      narrowDots(x, rowsA, y, stepsB, columnsB, z, rowC, rows, columns, depth, bias, relu, addend);
    } else if (isNarrow && rowsA == 1) {
      narrowColumns(x, stepsA, y, stepsB, columnsB, z, rowC, rows, columns, depth, bias, relu, addend);
    } else {
      multiply(x, rowsA, stepsA, y, stepsB, columnsB, z, rowC, rows, columns, depth, bias, relu, addend);
    }
  }
}
