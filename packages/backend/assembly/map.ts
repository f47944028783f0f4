/** Functions of one variable, element by element: y = f(x). */

import { argument } from "./call";
import { erf, exp, log, sigmoid, tanh } from "./functions";
import { at, splat } from "./vector";
import { ERF, EXP, LOG, RELU, SIGMOID, TANH } from "../src/kernels/tasks";

/** The function numbered `f`, which is constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function apply(f: i32, x: v128): v128 {
  if (f == TANH) return tanh(x);
  if (f == EXP) return exp(x);
  if (f == LOG) return log(x);
  if (f == ERF) return erf(x);
  if (f == SIGMOID) return sigmoid(x);
  return f32x4.pmax(x, splat(0));
}

// @ts-ignore: decorator
@inline
function mapRange(f: i32, x: usize, y: usize, first: i32, last: i32): void {
  let i = first;
  for (; i + 4 <= last; i += 4) v128.store(at(y, i), apply(f, v128.load(at(x, i))));
  for (; i < last; i++) store<f32>(at(y, i), f32x4.extract_lane(apply(f, v128.load_splat<f32>(at(x, i))), 0));
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
    default:
      unreachable();
  }
}
