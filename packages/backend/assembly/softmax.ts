/** Softmax of one row, its gradient, and the cross-entropy of classes on top of it. */

import { argument, constants } from "./call";
import { exp, log } from "./functions";
import { at, fma, loadLanes, rowAt, splat, storeLanes, sumLanes } from "./vector";

/** The largest of a row, -infinity for an empty one. */
export function largest(x: usize, columns: i32): f32 {
  let bests = splat(-Infinity);
  let j = 0;
  for (; j + 4 <= columns; j += 4) bests = f32x4.pmax(bests, v128.load(at(x, j)));
  let best = max<f32>(
    max<f32>(f32x4.extract_lane(bests, 0), f32x4.extract_lane(bests, 1)),
    max<f32>(f32x4.extract_lane(bests, 2), f32x4.extract_lane(bests, 3)),
  );
  for (; j < columns; j++) best = max<f32>(best, load<f32>(at(x, j)));
  return best;
}

/** y[j] = exp(scale (x[j] - top)); returns the sum. `y` may be `x`. */
export function exponentials(x: usize, y: usize, columns: i32, scale: f32, top: f32): f32 {
  const tops = splat(top);
  const scales = splat(scale);
  let sums = splat(0);
  const t = constants();
  let j = 0;
  // Two at a time: their chains of operations overlap.
  for (; j + 8 <= columns; j += 8) {
    const e0 = exp(f32x4.mul(f32x4.sub(v128.load(at(x, j)), tops), scales), t);
    const e1 = exp(f32x4.mul(f32x4.sub(v128.load(at(x, j), 16), tops), scales), t);
    sums = f32x4.add(f32x4.add(sums, e0), e1);
    v128.store(at(y, j), e0);
    v128.store(at(y, j), e1, 16);
  }
  for (; j + 4 <= columns; j += 4) {
    const e = exp(f32x4.mul(f32x4.sub(v128.load(at(x, j)), tops), scales), t);
    sums = f32x4.add(sums, e);
    v128.store(at(y, j), e);
  }
  let sum = sumLanes(sums);
  if (j < columns) {
    const lanes = columns - j;
    const e = exp(f32x4.mul(f32x4.sub(loadLanes(at(x, j), lanes), tops), scales), t);
    storeLanes(at(y, j), e, lanes);
    for (; j < columns; j++) sum += load<f32>(at(y, j));
  }
  return sum;
}

export function scaleRow(y: usize, columns: i32, factor: f32): void {
  const factors = splat(factor);
  let j = 0;
  for (; j + 4 <= columns; j += 4) v128.store(at(y, j), f32x4.mul(v128.load(at(y, j)), factors));
  for (; j < columns; j++) store<f32>(at(y, j), load<f32>(at(y, j)) * factor);
}

// @ts-ignore: decorator
@inline
function slopes(y: usize, dy: usize, dx: usize, sum: v128, scale: v128, lanes: i32): void {
  const d = f32x4.mul(loadLanes(y, lanes), f32x4.sub(loadLanes(dy, lanes), sum));
  storeLanes(dx, f32x4.mul(scale, d), lanes);
}

/** dx[j] = scale y[j] (dy[j] - sum of y dy), y being the softmax of scale x. `dx` may be `dy`. */
export function softmaxGradient(y: usize, dy: usize, dx: usize, columns: i32, scale: f32): void {
  let sums = splat(0);
  let j = 0;
  for (; j + 4 <= columns; j += 4) sums = fma(v128.load(at(y, j)), v128.load(at(dy, j)), sums);
  if (j < columns) sums = fma(loadLanes(at(y, j), columns - j), loadLanes(at(dy, j), columns - j), sums);
  const sum = splat(sumLanes(sums));
  for (j = 0; j + 4 <= columns; j += 4) slopes(at(y, j), at(dy, j), at(dx, j), sum, splat(scale), 4);
  if (j < columns) slopes(at(y, j), at(dy, j), at(dx, j), sum, splat(scale), columns - j);
}

/**
 * Task CROSS_ENTROPY: losses[i] = log(sum over j of exp x[i, j]) - x[i, label], and the probabilities for the gradient. Unit: a row.
 * Arguments: x, labels, losses, probabilities (addresses), columns.
 */
export function crossEntropy(first: i32, last: i32): void {
  const columns = argument<i32>(4);
  for (let i = first; i < last; i++) {
    const x = rowAt(argument<usize>(0), i, columns);
    const p = rowAt(argument<usize>(3), i, columns);
    const label = load<i32>(at(argument<usize>(1), i));
    const top = largest(x, columns);
    const sum = exponentials(x, p, columns, 1, top);
    scaleRow(p, columns, 1 / sum);
    store<f32>(at(argument<usize>(2), i), f32x4.extract_lane(log(splat(sum), constants()), 0) + (top - load<f32>(at(x, label))));
  }
}

/** Task CROSS_ENTROPY_GRADIENT: dx[i, j] = (p[i, j] - (j is the label)) dy[i]. Unit: a row. Arguments: p, labels, dy, dx (addresses), columns. */
export function crossEntropyGradient(first: i32, last: i32): void {
  const columns = argument<i32>(4);
  for (let i = first; i < last; i++) {
    const p = rowAt(argument<usize>(0), i, columns);
    const dx = rowAt(argument<usize>(3), i, columns);
    const dy = load<f32>(at(argument<usize>(2), i));
    const label = at(dx, load<i32>(at(argument<usize>(1), i)));
    let j = 0;
    for (; j + 4 <= columns; j += 4) v128.store(at(dx, j), f32x4.mul(v128.load(at(p, j)), splat(dy)));
    for (; j < columns; j++) store<f32>(at(dx, j), load<f32>(at(p, j)) * dy);
    store<f32>(label, load<f32>(label) - dy);
  }
}
