/**
 * Layer normalisation over the last axis (Ba et al., 2016): y = (x - mean) / sqrt(variance + epsilon) * gain + offset. A row is read three
 * times, from the L1 cache after the first.
 */

import { argument } from "./call";
import { at, fma, loadLanes, rowAt, splat, storeLanes, sumLanes } from "./vector";

// @ts-ignore: decorator
@inline
function normalise(x: usize, gain: usize, offset: usize, y: usize, mean: v128, scale: v128, lanes: i32): void {
  const z = f32x4.mul(f32x4.sub(loadLanes(x, lanes), mean), scale);
  storeLanes(y, fma(z, loadLanes(gain, lanes), loadLanes(offset, lanes)), lanes);
}

/**
 * Task LAYER_NORM, unit: a row. Arguments: x, gain, offset, y, means, scales (addresses; the latter two, one number a row, are for the
 * gradient), columns, epsilon.
 */
export function layerNorm(first: i32, last: i32): void {
  const gain = argument<usize>(1);
  const offset = argument<usize>(2);
  const columns = argument<i32>(6);
  const epsilon = argument<f32>(7);
  for (let i = first; i < last; i++) {
    const x = rowAt(argument<usize>(0), i, columns);
    const y = rowAt(argument<usize>(3), i, columns);
    let sum = splat(0);
    let j = 0;
    for (; j + 4 <= columns; j += 4) sum = f32x4.add(sum, v128.load(at(x, j)));
    if (j < columns) sum = f32x4.add(sum, loadLanes(at(x, j), columns - j));
    const mean = sumLanes(sum) / <f32>columns;
    const means = splat(mean);
    let squares = splat(0);
    for (j = 0; j + 4 <= columns; j += 4) {
      const d = f32x4.sub(v128.load(at(x, j)), means);
      squares = fma(d, d, squares);
    }
    let square = sumLanes(squares);
    for (; j < columns; j++) {
      const d = load<f32>(at(x, j)) - mean;
      square += d * d;
    }
    const scale: f32 = 1 / sqrt<f32>(square / <f32>columns + epsilon);
    const scales = splat(scale);
    for (j = 0; j + 4 <= columns; j += 4) {
      normalise(at(x, j), at(gain, j), at(offset, j), at(y, j), means, scales, 4);
    }
    if (j < columns) normalise(at(x, j), at(gain, j), at(offset, j), at(y, j), means, scales, columns - j);
    store<f32>(at(argument<usize>(4), i), mean);
    store<f32>(at(argument<usize>(5), i), scale);
  }
}

/** dx, from the row's averages of the scaled dy, and of that times z. */
// @ts-ignore: decorator
@inline
function slope(
  x: usize,
  dy: usize,
  gain: usize,
  dx: usize,
  mean: v128,
  scale: v128,
  average: v128,
  averageZ: v128,
  lanes: i32,
): void {
  const z = f32x4.mul(f32x4.sub(loadLanes(x, lanes), mean), scale);
  const scaled = f32x4.mul(loadLanes(dy, lanes), loadLanes(gain, lanes));
  const rest = f32x4.sub(f32x4.sub(scaled, average), f32x4.mul(z, averageZ));
  storeLanes(dx, f32x4.mul(scale, rest), lanes);
}

/**
 * Task LAYER_NORM_GRADIENT, unit: a block of rows, whose contribution to the gradients of gain and offset goes into a row of
 * `gains` and `offsets` [blocks, columns]; their number is fixed, so the sum over them does not depend on the threads.
 * Arguments: x, gain, dy, means, scales, dx, gains, offsets (addresses), rows, columns, rows in a block.
 */
export function layerNormGradient(first: i32, last: i32): void {
  const gain = argument<usize>(1);
  const rows = argument<i32>(8);
  const columns = argument<i32>(9);
  const size = argument<i32>(10);
  const share: f32 = 1 / <f32>columns;
  for (let block = first; block < last; block++) {
    const dGain = rowAt(argument<usize>(6), block, columns);
    const dOffset = rowAt(argument<usize>(7), block, columns);
    memory.fill(dGain, 0, <usize>columns << 2);
    memory.fill(dOffset, 0, <usize>columns << 2);
    const end = min((block + 1) * size, rows);
    for (let i = block * size; i < end; i++) {
      const x = rowAt(argument<usize>(0), i, columns);
      const dy = rowAt(argument<usize>(2), i, columns);
      const dx = rowAt(argument<usize>(5), i, columns);
      const mean = splat(load<f32>(at(argument<usize>(3), i)));
      const scale = splat(load<f32>(at(argument<usize>(4), i)));
      let sum = splat(0);
      let sumZ = splat(0);
      let j = 0;
      for (; j + 4 <= columns; j += 4) {
        const d = v128.load(at(dy, j));
        const z = f32x4.mul(f32x4.sub(v128.load(at(x, j)), mean), scale);
        const scaled = f32x4.mul(d, v128.load(at(gain, j)));
        sum = f32x4.add(sum, scaled);
        sumZ = fma(scaled, z, sumZ);
        v128.store(at(dGain, j), fma(d, z, v128.load(at(dGain, j))));
        v128.store(at(dOffset, j), f32x4.add(d, v128.load(at(dOffset, j))));
      }
      if (j < columns) {
        const lanes = columns - j;
        const d = loadLanes(at(dy, j), lanes);
        const z = f32x4.mul(f32x4.sub(loadLanes(at(x, j), lanes), mean), scale);
        const scaled = f32x4.mul(d, loadLanes(at(gain, j), lanes));
        sum = f32x4.add(sum, scaled);
        sumZ = fma(scaled, z, sumZ);
        storeLanes(at(dGain, j), fma(d, z, loadLanes(at(dGain, j), lanes)), lanes);
        storeLanes(at(dOffset, j), f32x4.add(d, loadLanes(at(dOffset, j), lanes)), lanes);
      }
      const average = splat(sumLanes(sum) * share);
      const averageZ = splat(sumLanes(sumZ) * share);
      for (j = 0; j + 4 <= columns; j += 4) {
        slope(at(x, j), at(dy, j), at(gain, j), at(dx, j), mean, scale, average, averageZ, 4);
      }
      if (j < columns) {
        slope(at(x, j), at(dy, j), at(gain, j), at(dx, j), mean, scale, average, averageZ, columns - j);
      }
    }
  }
}
