/** Functions of one variable, element by element: y = f(x), and their gradients dx = f'(x) dy. */

import { argument, constants } from "./call";
import { erf, exp, gelu, geluSlope, geluTanh, geluTanhSlope, log, sigmoid, tanh } from "./functions";
import { at, splat } from "./vector";
import { ERF, EXP, GELU, GELU_TANH, LOG, RELU, SIGMOID, TANH } from "../src/kernels/tasks";

/** The function numbered `f`, which is constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function apply(f: i32, x: v128, t: usize): v128 {
  if (f == TANH) return tanh(x, t);
  if (f == EXP) return exp(x, t);
  if (f == LOG) return log(x, t);
  if (f == ERF) return erf(x, t);
  if (f == SIGMOID) return sigmoid(x, t);
  if (f == GELU) return gelu(x, t);
  if (f == GELU_TANH) return geluTanh(x, t);
  return f32x4.pmax(x, splat(0));
}

// @ts-ignore: decorator
@inline
function mapRange(f: i32, x: usize, y: usize, first: i32, last: i32): void {
  const t = constants();
  let i = first;
  // Two at a time: their chains of operations overlap.
  for (; i + 8 <= last; i += 8) {
    const y0 = apply(f, v128.load(at(x, i)), t);
    const y1 = apply(f, v128.load(at(x, i), 16), t);
    v128.store(at(y, i), y0);
    v128.store(at(y, i), y1, 16);
  }
  for (; i + 4 <= last; i += 4) v128.store(at(y, i), apply(f, v128.load(at(x, i)), t));
  for (; i < last; i++) store<f32>(at(y, i), f32x4.extract_lane(apply(f, v128.load_splat<f32>(at(x, i)), t), 0));
}

/** Task MAP, unit: an element. Arguments: x, y (addresses), the function. `y` may be `x`. */
export function map(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const y = argument<usize>(1);
  switch (argument<i32>(2)) {
    case TANH:
      return mapRange(TANH, x, y, first, last);
    case EXP:
      return mapRange(EXP, x, y, first, last);
    case LOG:
      return mapRange(LOG, x, y, first, last);
    case ERF:
      return mapRange(ERF, x, y, first, last);
    case SIGMOID:
      return mapRange(SIGMOID, x, y, first, last);
    case RELU:
      return mapRange(RELU, x, y, first, last);
    case GELU:
      return mapRange(GELU, x, y, first, last);
    case GELU_TANH:
      return mapRange(GELU_TANH, x, y, first, last);
    default:
      unreachable();
  }
}

// @ts-ignore: decorator
@inline
function slope(f: i32, x: v128, dy: v128, t: usize): v128 {
  if (f == GELU) return f32x4.mul(dy, geluSlope(x, t));
  if (f == GELU_TANH) return f32x4.mul(dy, geluTanhSlope(x, t));
  return v128.and(dy, f32x4.gt(x, splat(0)));
}

// @ts-ignore: decorator
@inline
function slopeRange(f: i32, x: usize, dy: usize, dx: usize, first: i32, last: i32): void {
  const t = constants();
  let i = first;
  for (; i + 8 <= last; i += 8) {
    const d0 = slope(f, v128.load(at(x, i)), v128.load(at(dy, i)), t);
    const d1 = slope(f, v128.load(at(x, i), 16), v128.load(at(dy, i), 16), t);
    v128.store(at(dx, i), d0);
    v128.store(at(dx, i), d1, 16);
  }
  for (; i + 4 <= last; i += 4) v128.store(at(dx, i), slope(f, v128.load(at(x, i)), v128.load(at(dy, i)), t));
  for (; i < last; i++) {
    const lane = slope(f, v128.load_splat<f32>(at(x, i)), v128.load_splat<f32>(at(dy, i)), t);
    store<f32>(at(dx, i), f32x4.extract_lane(lane, 0));
  }
}

/** Task MAP_GRADIENT, unit: an element. Arguments: x or y (see tasks.ts), dy, dx (addresses), the function. */
export function mapGradient(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const dy = argument<usize>(1);
  const dx = argument<usize>(2);
  switch (argument<i32>(3)) {
    case RELU:
      return slopeRange(RELU, x, dy, dx, first, last);
    case GELU:
      return slopeRange(GELU, x, dy, dx, first, last);
    case GELU_TANH:
      return slopeRange(GELU_TANH, x, dy, dx, first, last);
    default:
      unreachable();
  }
}
