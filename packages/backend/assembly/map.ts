/** Functions of one variable, element by element: y = f(x), and their gradients dx = f'(x) dy. */

import { argument, constants } from "./call";
import { erf, exp, gelu, geluSlope, geluTanh, geluTanhSlope, log, sigmoid, tanh } from "./functions";
import { at, loadLanes, splat, storeLanes } from "./vector";
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
  x = at(x, first);
  y = at(y, first);
  let left = last - first;
  // Two at a time: their chains of operations overlap.
  for (; left >= 8; left -= 8) {
    const y0 = apply(f, v128.load(x), t);
    const y1 = apply(f, v128.load(x, 16), t);
    v128.store(y, y0);
    v128.store(y, y1, 16);
    x += 32;
    y += 32;
  }
  for (; left > 0; left -= 4) {
    const lanes = min(4, left);
    storeLanes(y, apply(f, loadLanes(x, lanes), t), lanes);
    x += 16;
    y += 16;
  }
}

// A function of its own for each: in one, the optimizer takes them together again and asks for every vector which it is.

function mapTanh(x: usize, y: usize, first: i32, last: i32): void {
  mapRange(TANH, x, y, first, last);
}

function mapExp(x: usize, y: usize, first: i32, last: i32): void {
  mapRange(EXP, x, y, first, last);
}

function mapLog(x: usize, y: usize, first: i32, last: i32): void {
  mapRange(LOG, x, y, first, last);
}

function mapErf(x: usize, y: usize, first: i32, last: i32): void {
  mapRange(ERF, x, y, first, last);
}

function mapSigmoid(x: usize, y: usize, first: i32, last: i32): void {
  mapRange(SIGMOID, x, y, first, last);
}

function mapRelu(x: usize, y: usize, first: i32, last: i32): void {
  mapRange(RELU, x, y, first, last);
}

function mapGelu(x: usize, y: usize, first: i32, last: i32): void {
  mapRange(GELU, x, y, first, last);
}

function mapGeluTanh(x: usize, y: usize, first: i32, last: i32): void {
  mapRange(GELU_TANH, x, y, first, last);
}

/** Task MAP, unit: an element. Arguments: x, y (addresses), the function. `y` may be `x`. */
export function map(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const y = argument<usize>(1);
  switch (argument<i32>(2)) {
    case TANH:
      return mapTanh(x, y, first, last);
    case EXP:
      return mapExp(x, y, first, last);
    case LOG:
      return mapLog(x, y, first, last);
    case ERF:
      return mapErf(x, y, first, last);
    case SIGMOID:
      return mapSigmoid(x, y, first, last);
    case RELU:
      return mapRelu(x, y, first, last);
    case GELU:
      return mapGelu(x, y, first, last);
    case GELU_TANH:
      return mapGeluTanh(x, y, first, last);
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
  x = at(x, first);
  dy = at(dy, first);
  dx = at(dx, first);
  let left = last - first;
  for (; left >= 8; left -= 8) {
    const d0 = slope(f, v128.load(x), v128.load(dy), t);
    const d1 = slope(f, v128.load(x, 16), v128.load(dy, 16), t);
    v128.store(dx, d0);
    v128.store(dx, d1, 16);
    x += 32;
    dy += 32;
    dx += 32;
  }
  for (; left > 0; left -= 4) {
    const lanes = min(4, left);
    storeLanes(dx, slope(f, loadLanes(x, lanes), loadLanes(dy, lanes), t), lanes);
    x += 16;
    dy += 16;
    dx += 16;
  }
}

function slopeOfRelu(x: usize, dy: usize, dx: usize, first: i32, last: i32): void {
  slopeRange(RELU, x, dy, dx, first, last);
}

function slopeOfGelu(x: usize, dy: usize, dx: usize, first: i32, last: i32): void {
  slopeRange(GELU, x, dy, dx, first, last);
}

function slopeOfGeluTanh(x: usize, dy: usize, dx: usize, first: i32, last: i32): void {
  slopeRange(GELU_TANH, x, dy, dx, first, last);
}

/** Task MAP_GRADIENT, unit: an element. Arguments: x or y (see tasks.ts), dy, dx (addresses), the function. */
export function mapGradient(first: i32, last: i32): void {
  const x = argument<usize>(0);
  const dy = argument<usize>(1);
  const dx = argument<usize>(2);
  switch (argument<i32>(3)) {
    case RELU:
      return slopeOfRelu(x, dy, dx, first, last);
    case GELU:
      return slopeOfGelu(x, dy, dx, first, last);
    case GELU_TANH:
      return slopeOfGeluTanh(x, dy, dx, first, last);
    default:
      unreachable();
  }
}
