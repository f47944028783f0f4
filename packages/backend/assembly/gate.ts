/** The hard-concrete gate (Louizos et al., 2018): its sample and slope, and its application to rows. */

import { argument, constants } from "./call";
import { log, sigmoid } from "./functions";
import { at, loadLanes, rowAt, splat, storeLanes } from "./vector";

// @ts-ignore: decorator
@inline
function sample(
  logAlpha: usize,
  u: usize,
  z: usize,
  slope: usize,
  beta: f32,
  gamma: f32,
  spread: f32,
  t: usize,
  lanes: i32,
): void {
  const one = splat(1);
  const noise = loadLanes(u, lanes);
  const logit = f32x4.add(f32x4.sub(log(noise, t), log(f32x4.sub(one, noise), t)), loadLanes(logAlpha, lanes));
  const s = sigmoid(f32x4.div(logit, splat(beta)), t);
  const stretched = f32x4.add(f32x4.mul(s, splat(spread)), splat(gamma));
  const inside = v128.and(f32x4.ge(stretched, splat(0)), f32x4.le(stretched, one));
  storeLanes(z, f32x4.pmin(f32x4.pmax(stretched, splat(0)), one), lanes);
  const steep = f32x4.mul(splat(spread / beta), f32x4.mul(s, f32x4.sub(one, s)));
  storeLanes(slope, v128.and(steep, inside), lanes);
}

/** Gives the gates with a value that is not negative in `fixed` that value, and slope 0. */
function fix(fixed: usize, z: usize, slope: usize, columns: i32): void {
  for (let j = 0; j < columns; j++) {
    const value = load<f32>(at(fixed, j));
    if (value < 0) continue;
    store<f32>(at(z, j), value);
    store<f32>(at(slope, j), 0);
  }
}

/**
 * Task GATE: s = sigmoid((log u - log(1 - u) + logAlpha) / beta), z = clip(s (zeta - gamma) + gamma, 0, 1), and dz / dlogAlpha, which is 0
 * where z is cut off. A gate that is fixed, at a value that is not negative, has that value and slope 0. Unit: a row of u. Arguments: logAlpha, u, z,
 * slope (addresses), fixed (address of one float a column, or 0), columns, beta, gamma, zeta.
 */
export function gate(first: i32, last: i32): void {
  const logAlpha = argument<usize>(0);
  const fixed = argument<usize>(4);
  const columns = argument<i32>(5);
  const beta = argument<f32>(6);
  const gamma = argument<f32>(7);
  const spread = argument<f32>(8) - gamma;
  const t = constants();
  for (let i = first; i < last; i++) {
    const u = rowAt(argument<usize>(1), i, columns);
    const z = rowAt(argument<usize>(2), i, columns);
    const slope = rowAt(argument<usize>(3), i, columns);
    let j = 0;
    for (; j + 4 <= columns; j += 4) {
      sample(at(logAlpha, j), at(u, j), at(z, j), at(slope, j), beta, gamma, spread, t, 4);
    }
    if (j < columns) sample(at(logAlpha, j), at(u, j), at(z, j), at(slope, j), beta, gamma, spread, t, columns - j);
    if (fixed != 0) fix(fixed, z, slope, columns);
  }
}

/**
 * Task MULTIPLY_ROWS: y[i, j] = x[i, j] z[i or 0, j]. Unit: a row. Arguments: x, z, y (addresses), columns, whether z has a single row
 * (0 or 1).
 */
export function multiplyRows(first: i32, last: i32): void {
  const columns = argument<i32>(3);
  const single = argument<i32>(4) != 0;
  for (let i = first; i < last; i++) {
    const x = rowAt(argument<usize>(0), i, columns);
    const z = rowAt(argument<usize>(1), single ? 0 : i, columns);
    const y = rowAt(argument<usize>(2), i, columns);
    let j = 0;
    for (; j + 4 <= columns; j += 4) v128.store(at(y, j), f32x4.mul(v128.load(at(x, j)), v128.load(at(z, j))));
    for (; j < columns; j++) store<f32>(at(y, j), load<f32>(at(x, j)) * load<f32>(at(z, j)));
  }
}
