/**
 * A linear layer a column on the piecewise-linear encoding of a number (Gorishniy, Rubachev and Babenko, 2022), without the encoding: all
 * bins below a number's own count in full, so their part is a running sum of the kernel's rows. Unit: a column.
 */

import { argument } from "./call";
import { at, fma, loadLanes, rowAt, splat, storeLanes, sumLanes } from "./vector";

/** y[j] += factor x[j]. */
// @ts-ignore: decorator
@inline
function accumulate(y: usize, x: usize, factor: v128, length: i32): void {
  for (let j = 0; j < length; j += 4) {
    const lanes = min(4, length - j);
    storeLanes(at(y, j), fma(factor, loadLanes(at(x, j), lanes), loadLanes(at(y, j), lanes)), lanes);
  }
}

/** The last bin whose left border a number reaches, by bisection; the first one for a number below all, and for NaN. */
function binOf(value: f32, borders: usize, bins: i32): i32 {
  let low = 0;
  let high = bins - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (load<f32>(at(borders, middle)) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Task PIECEWISE: y[i, c] = sum of kernel[c, k] over the bins k below x[i, c], plus place kernel[c, bin]. Arguments: x, kernel, left borders of
 * the bins (infinity where a column has fewer), 1 / their widths, y, bin, place, temporary (addresses), rows, columns, bins, outputs.
 * x, bin (i32), place [rows, columns], kernel, temporary [columns, bins, outputs], borders, scales [columns, bins], y [rows, columns, outputs].
 */
export function piecewise(first: i32, last: i32): void {
  const rows = argument<i32>(8);
  const columns = argument<i32>(9);
  const bins = argument<i32>(10);
  const outputs = argument<i32>(11);
  for (let column = first; column < last; column++) {
    const kernel = rowAt(argument<usize>(1), column * bins, outputs);
    const borders = rowAt(argument<usize>(2), column, bins);
    const scales = rowAt(argument<usize>(3), column, bins);
    const below = rowAt(argument<usize>(7), column * bins, outputs);
    memory.fill(below, 0, <usize>outputs << 2);
    for (let k = 1; k < bins; k++) {
      memory.copy(rowAt(below, k, outputs), rowAt(below, k - 1, outputs), <usize>outputs << 2);
      accumulate(rowAt(below, k, outputs), rowAt(kernel, k - 1, outputs), splat(1), outputs);
    }
    for (let i = 0; i < rows; i++) {
      const cell = i * columns + column;
      const value = load<f32>(at(argument<usize>(0), cell));
      const bin = binOf(value, borders, bins);
      const place = (value - load<f32>(at(borders, bin))) * load<f32>(at(scales, bin));
      store<i32>(at(argument<usize>(5), cell), bin);
      store<f32>(at(argument<usize>(6), cell), place);
      const y = rowAt(argument<usize>(4), cell, outputs);
      memory.copy(y, rowAt(below, bin, outputs), <usize>outputs << 2);
      accumulate(y, rowAt(kernel, bin, outputs), splat(place), outputs);
    }
  }
}

/**
 * Task PIECEWISE_GRADIENT. Arguments: kernel, 1 / widths of the bins, bin, place, dy, dx, dKernel, temporary (addresses), rows, columns, bins,
 * outputs; shapes as above.
 */
export function piecewiseGradient(first: i32, last: i32): void {
  const rows = argument<i32>(8);
  const columns = argument<i32>(9);
  const bins = argument<i32>(10);
  const outputs = argument<i32>(11);
  const bytes = <usize>(bins * outputs) << 2;
  for (let column = first; column < last; column++) {
    const kernel = rowAt(argument<usize>(0), column * bins, outputs);
    const scales = rowAt(argument<usize>(1), column, bins);
    // What the numbers of a bin pass on to its own weights, and to those of the bins below, through which they reach as a whole.
    const own = rowAt(argument<usize>(6), column * bins, outputs);
    const whole = rowAt(argument<usize>(7), column * bins, outputs);
    memory.fill(own, 0, bytes);
    memory.fill(whole, 0, bytes);
    for (let i = 0; i < rows; i++) {
      const cell = i * columns + column;
      const bin = load<i32>(at(argument<usize>(2), cell));
      const dy = rowAt(argument<usize>(4), cell, outputs);
      accumulate(rowAt(whole, bin, outputs), dy, splat(1), outputs);
      accumulate(rowAt(own, bin, outputs), dy, splat(load<f32>(at(argument<usize>(3), cell))), outputs);
      const weights = rowAt(kernel, bin, outputs);
      let slope = splat(0);
      for (let j = 0; j < outputs; j += 4) {
        const lanes = min(4, outputs - j);
        slope = fma(loadLanes(at(dy, j), lanes), loadLanes(at(weights, j), lanes), slope);
      }
      store<f32>(at(argument<usize>(5), cell), sumLanes(slope) * load<f32>(at(scales, bin)));
    }
    for (let k = bins - 2; k >= 0; k--) {
      const above = rowAt(whole, k + 1, outputs);
      accumulate(rowAt(own, k, outputs), above, splat(1), outputs);
      accumulate(rowAt(whole, k, outputs), above, splat(1), outputs);
    }
  }
}
