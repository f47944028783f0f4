/** The hard-concrete gate (Louizos et al., 2018): its sample and slope, and its application to rows. */

import { argument } from "./call";
import { log, sigmoid } from "./functions";
import { at, loadLanes, rowAt, splat, storeLanes } from "./vector";

/**
 * Task GATE: s = sigmoid((log u - log(1 - u) + logAlpha) / beta), z = clip(s (zeta - gamma) + gamma, 0, 1), and dz / dlogAlpha, which is 0
 * where z is cut off. A gate that is fixed, at a value that is not negative, has that value and slope 0. Unit: a row of u. Arguments: logAlpha, u, z,
 * slope (addresses), fixed (address of one float a column, or 0), columns, beta, gamma, zeta.
 */
export function gate(first: i32, last: i32): void {
  const fixed = argument<usize>(4);
  const columns = argument<i32>(5);
  const beta = argument<f32>(6);
  const gamma = argument<f32>(7);
  const spread = argument<f32>(8) - gamma;
  const one = splat(1);
  for (let i = first; i < last; i++) {
    const u = rowAt(argument<usize>(1), i, columns);
    const z = rowAt(argument<usize>(2), i, columns);
    const slope = rowAt(argument<usize>(3), i, columns);
    for (let j = 0; j < columns; j += 4) {
      const lanes = min(4, columns - j);
      const noise = loadLanes(at(u, j), lanes);
      const logit = f32x4.add(
        f32x4.sub(log(noise), log(f32x4.sub(one, noise))),
        loadLanes(at(argument<usize>(0), j), lanes),
      );
      const s = sigmoid(f32x4.div(logit, splat(beta)));
      const stretched = f32x4.add(f32x4.mul(s, splat(spread)), splat(gamma));
      const inside = v128.and(f32x4.ge(stretched, splat(0)), f32x4.le(stretched, one));
      const sample = f32x4.pmin(f32x4.pmax(stretched, splat(0)), one);
      const steep = v128.and(f32x4.mul(splat(spread / beta), f32x4.mul(s, f32x4.sub(one, s))), inside);
      const constant = fixed == 0 ? splat(-1) : loadLanes(at(fixed, j), lanes);
      const isFixed = f32x4.ge(constant, splat(0));
      storeLanes(at(z, j), v128.bitselect(constant, sample, isFixed), lanes);
      storeLanes(at(slope, j), v128.andnot(steep, isFixed), lanes);
    }
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
    for (let j = 0; j < columns; j += 4) {
      const lanes = min(4, columns - j);
      storeLanes(at(y, j), f32x4.mul(loadLanes(at(x, j), lanes), loadLanes(at(z, j), lanes)), lanes);
    }
  }
}
