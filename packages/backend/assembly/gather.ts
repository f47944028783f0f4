/** Rows by index: reading them, and its transpose, adding them up by index. */

import { argument } from "./call";
import { at, rowAt } from "./vector";

// @ts-ignore: decorator
@inline
function copyRow(source: usize, target: usize, width: i32): void {
  let j = 0;
  for (; j + 4 <= width; j += 4) v128.store(at(target, j), v128.load(at(source, j)));
  // Words rather than floats: loading a signalling NaN as a float may change its bits.
  for (; j < width; j++) store<i32>(at(target, j), load<i32>(at(source, j)));
}

/**
 * Task GATHER: y[s, i, :] = x[s, index[i], :] for x [slabs, length, width]. Unit: a row of y. Arguments: x, indices, y (addresses),
 * length, width, count of indices. The caller has checked the indices.
 */
export function gather(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const indices = argument<usize>(1);
  const y = argument<usize>(2);
  const length = argument<i32>(3);
  const width = argument<i32>(4);
  const count = argument<i32>(5);
  for (let unit = first; unit < last; unit++) {
    const slab = unit / count;
    const index = load<i32>(at(indices, unit % count));
    copyRow(rowAt(x, slab * length + index, width), rowAt(y, unit, width), width);
  }
}

/**
 * Task SEGMENT_SUM: y[s, :] = sum of the x[i, :] whose ids[i] is s. Unit: a segment; every chunk reads all ids, so chunks should be few,
 * and adds its rows in the order of i. Ids outside the segments are skipped. Arguments: x, ids, y (addresses), rows, width.
 */
export function segmentSum(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const ids = argument<usize>(1);
  const y = argument<usize>(2);
  const rows = argument<i32>(3);
  const width = argument<i32>(4);
  memory.fill(rowAt(y, first, width), 0, (<usize>(last - first) * <usize>width) << 2);
  for (let i = 0; i < rows; i++) {
    const segment = load<i32>(at(ids, i));
    if (segment < first || segment >= last) continue;
    const source = rowAt(x, i, width);
    const target = rowAt(y, segment, width);
    let j = 0;
    for (; j + 4 <= width; j += 4) {
      v128.store(at(target, j), f32x4.add(v128.load(at(target, j)), v128.load(at(source, j))));
    }
    for (; j < width; j++) store<f32>(at(target, j), load<f32>(at(target, j)) + load<f32>(at(source, j)));
  }
}
