/** One step of Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter, 2019), in place and in one pass. */

import { argument } from "./call";
import { at, loadLanes, splat, storeLanes } from "./vector";

/** The gradient at `g`, and what is kept of it: parameters, means and means of squares, changed in place. */
// @ts-ignore: decorator
@inline
function step(
  p: usize,
  g: usize,
  m: usize,
  v: usize,
  beta1: v128,
  beta2: v128,
  rest1: v128,
  rest2: v128,
  keep: v128,
  rate: v128,
  correction: v128,
  epsilon: v128,
  lanes: i32,
): void {
  const gradient = loadLanes(g, lanes);
  const mean = f32x4.add(f32x4.mul(beta1, loadLanes(m, lanes)), f32x4.mul(rest1, gradient));
  const weighted = f32x4.mul(rest2, f32x4.mul(gradient, gradient));
  const square = f32x4.add(f32x4.mul(beta2, loadLanes(v, lanes)), weighted);
  const scale = f32x4.add(f32x4.mul(f32x4.sqrt(square), correction), epsilon);
  const kept = f32x4.mul(keep, loadLanes(p, lanes));
  storeLanes(m, mean, lanes);
  storeLanes(v, square, lanes);
  storeLanes(p, f32x4.sub(kept, f32x4.div(f32x4.mul(rate, mean), scale)), lanes);
}

/**
 * Task ADAM: m = beta1 m + rest1 g, v = beta2 v + rest2 g^2, p = keep p - rate m / (sqrt(v) correction + epsilon), the corrections for the
 * start being in `rate` and `correction`, and a factor on the gradient in `rest1` and, squared, in `rest2`. Unit: an element.
 * Arguments: p, g, m, v (addresses), beta1, rest1, beta2, rest2, keep, rate, correction, epsilon.
 */
export function adam(first: i32, last: i32): void {
  const p = argument<usize>(0);
  const g = argument<usize>(1);
  const m = argument<usize>(2);
  const v = argument<usize>(3);
  const beta1 = splat(argument<f32>(4));
  const rest1 = splat(argument<f32>(5));
  const beta2 = splat(argument<f32>(6));
  const rest2 = splat(argument<f32>(7));
  const keep = splat(argument<f32>(8));
  const rate = splat(argument<f32>(9));
  const correction = splat(argument<f32>(10));
  const epsilon = splat(argument<f32>(11));
  let i = first;
  for (; i + 4 <= last; i += 4) {
    step(at(p, i), at(g, i), at(m, i), at(v, i), beta1, beta2, rest1, rest2, keep, rate, correction, epsilon, 4);
  }
  if (i < last) {
    const rest = last - i;
    step(at(p, i), at(g, i), at(m, i), at(v, i), beta1, beta2, rest1, rest2, keep, rate, correction, epsilon, rest);
  }
}
