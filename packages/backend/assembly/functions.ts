/**
 * Functions of one variable on four floats at once, within a few units of the last place of float32. NaN stays NaN, and infinities give
 * the limits: `pmin` and `pmax` keep their first operand unless the second is really smaller or larger, unlike in x86's minimum.
 * `t` is where the coefficients lie: see constants.ts.
 */

import { ERF, EXP, GELU, LOG, TANH } from "./constants";
import { fma, splat } from "./vector";

/** e^x (Cephes): x = n ln 2 + r, a polynomial in r, and 2^n in two factors so that neither overflows before the result does. */
// @ts-ignore: decorator
@inline
export function exp(x: v128, t: usize): v128 {
  const bounded = f32x4.pmax(f32x4.pmin(x, v128.load_splat<f32>(t, EXP)), v128.load_splat<f32>(t, EXP + 4));
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  const magic = v128.load_splat<f32>(t, EXP + 12);
  const shifted = fma(bounded, v128.load_splat<f32>(t, EXP + 8), magic);
  const n = f32x4.sub(shifted, magic);
  const r = fma(n, v128.load_splat<f32>(t, EXP + 20), fma(n, v128.load_splat<f32>(t, EXP + 16), bounded));
  let p = v128.load_splat<f32>(t, EXP + 24);
  p = fma(p, r, v128.load_splat<f32>(t, EXP + 28));
  p = fma(p, r, v128.load_splat<f32>(t, EXP + 32));
  p = fma(p, r, v128.load_splat<f32>(t, EXP + 36));
  p = fma(p, r, v128.load_splat<f32>(t, EXP + 40));
  p = fma(p, r, v128.load_splat<f32>(t, EXP + 44));
  const one = v128.load_splat<f32>(t, GELU + 4);
  p = f32x4.add(fma(p, f32x4.mul(r, r), r), one);
  // The bits of magic lie 0x4b400000 below those of n; an exponent's bias is that of 1.
  const exponent = i32x4.sub(shifted, magic);
  const half = i32x4.shr_s(exponent, 1);
  const scale1 = i32x4.add(i32x4.shl(half, 23), one);
  const scale2 = i32x4.add(i32x4.shl(i32x4.sub(exponent, half), 23), one);
  return f32x4.mul(f32x4.mul(p, scale1), scale2);
}

/** The natural logarithm (Cephes): x = 2^e m with m in [sqrt(1/2), sqrt(2)), a polynomial in m - 1. */
// @ts-ignore: decorator
@inline
export function log(x: v128, t: usize): v128 {
  // Subnormal numbers are scaled up first.
  const tiny = f32x4.lt(x, v128.load_splat<f32>(t, LOG));
  const scaled = v128.bitselect(f32x4.mul(x, v128.load_splat<f32>(t, LOG + 4)), x, tiny);
  const e0 = i32x4.sub(i32x4.shr_s(scaled, 23), i32x4.splat(126));
  const e1 = i32x4.sub(e0, v128.and(tiny, i32x4.splat(23)));
  const m0 = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), v128.load_splat<f32>(t, GELU));
  const low = f32x4.lt(m0, v128.load_splat<f32>(t, LOG + 8));
  const e = f32x4.convert_i32x4_s(i32x4.add(e1, low));
  const m = f32x4.sub(f32x4.add(m0, v128.and(m0, low)), v128.load_splat<f32>(t, GELU + 4));
  const z = f32x4.mul(m, m);
  let p = v128.load_splat<f32>(t, LOG + 12);
  p = fma(p, m, v128.load_splat<f32>(t, LOG + 16));
  p = fma(p, m, v128.load_splat<f32>(t, LOG + 20));
  p = fma(p, m, v128.load_splat<f32>(t, LOG + 24));
  p = fma(p, m, v128.load_splat<f32>(t, LOG + 28));
  p = fma(p, m, v128.load_splat<f32>(t, LOG + 32));
  p = fma(p, m, v128.load_splat<f32>(t, LOG + 36));
  p = fma(p, m, v128.load_splat<f32>(t, LOG + 40));
  p = fma(p, m, v128.load_splat<f32>(t, LOG + 44));
  p = f32x4.mul(f32x4.mul(p, m), z);
  p = fma(e, v128.load_splat<f32>(t, LOG + 48), p);
  p = fma(z, v128.load_splat<f32>(t, GELU + 16), p);
  const finite = fma(e, v128.load_splat<f32>(t, LOG + 52), f32x4.add(m, p));
  const infinity = splat(Infinity);
  // +infinity and NaN stay what they are; 0 gives -infinity, a negative number NaN.
  const kept = v128.bitselect(finite, x, f32x4.lt(x, infinity));
  const zero = v128.bitselect(f32x4.neg(infinity), kept, f32x4.eq(x, splat(0)));
  return v128.bitselect(splat(NaN), zero, f32x4.lt(x, splat(0)));
}

/** tanh as a ratio of polynomials (Eigen); beyond 7.9, where it is 1 to within 3e-7, exactly 1, so that GELU's tail vanishes. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128, t: usize): v128 {
  const limit = v128.load_splat<f32>(t, TANH);
  const a = f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
  const z = f32x4.mul(a, a);
  let p = fma(z, v128.load_splat<f32>(t, TANH + 4), v128.load_splat<f32>(t, TANH + 8));
  p = fma(z, p, v128.load_splat<f32>(t, TANH + 12));
  p = fma(z, p, v128.load_splat<f32>(t, TANH + 16));
  p = fma(z, p, v128.load_splat<f32>(t, TANH + 20));
  p = fma(z, p, v128.load_splat<f32>(t, TANH + 24));
  p = fma(z, p, v128.load_splat<f32>(t, TANH + 28));
  let q = fma(z, v128.load_splat<f32>(t, TANH + 32), v128.load_splat<f32>(t, TANH + 36));
  q = fma(z, q, v128.load_splat<f32>(t, TANH + 40));
  q = fma(z, q, v128.load_splat<f32>(t, TANH + 44));
  const ratio = f32x4.div(f32x4.mul(a, p), q);
  const one = v128.or(v128.and(x, i32x4.splat(0x80000000)), v128.load_splat<f32>(t, GELU + 4));
  return v128.bitselect(one, ratio, f32x4.gt(f32x4.abs(x), limit));
}

// @ts-ignore: decorator
@inline
export function sigmoid(x: v128, t: usize): v128 {
  const one = v128.load_splat<f32>(t, GELU + 4);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x), t)));
}

/** The error function as a ratio of polynomials (Eigen), off by at most 5e-7; beyond 4, where it is 1 to within 2e-8, exactly 1. */
// @ts-ignore: decorator
@inline
export function erf(x: v128, t: usize): v128 {
  const limit = v128.load_splat<f32>(t, ERF);
  const a = f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
  const z = f32x4.mul(a, a);
  let p = fma(z, v128.load_splat<f32>(t, ERF + 4), v128.load_splat<f32>(t, ERF + 8));
  p = fma(z, p, v128.load_splat<f32>(t, ERF + 12));
  p = fma(z, p, v128.load_splat<f32>(t, ERF + 16));
  p = fma(z, p, v128.load_splat<f32>(t, ERF + 20));
  p = fma(z, p, v128.load_splat<f32>(t, ERF + 24));
  p = fma(z, p, v128.load_splat<f32>(t, ERF + 28));
  let q = fma(z, v128.load_splat<f32>(t, ERF + 32), v128.load_splat<f32>(t, ERF + 36));
  q = fma(z, q, v128.load_splat<f32>(t, ERF + 40));
  q = fma(z, q, v128.load_splat<f32>(t, ERF + 44));
  q = fma(z, q, v128.load_splat<f32>(t, ERF + 48));
  // Rounding can carry it beyond 1.
  const y = f32x4.div(f32x4.mul(a, p), q);
  return f32x4.pmax(f32x4.pmin(y, v128.load_splat<f32>(t, GELU + 4)), v128.load_splat<f32>(t, GELU + 32));
}

/** Phi(x), the normal distribution function. */
// @ts-ignore: decorator
@inline
function phi(x: v128, t: usize): v128 {
  return f32x4.mul(v128.load_splat<f32>(t, GELU), f32x4.add(v128.load_splat<f32>(t, GELU + 4), erf(f32x4.mul(x, v128.load_splat<f32>(t, GELU + 8)), t)));
}

/** x Phi(x). */
// @ts-ignore: decorator
@inline
export function gelu(x: v128, t: usize): v128 {
  return f32x4.mul(x, phi(x, t));
}

/** Phi(x) + x phi(x). */
// @ts-ignore: decorator
@inline
export function geluSlope(x: v128, t: usize): v128 {
  const density = f32x4.mul(v128.load_splat<f32>(t, GELU + 12), exp(f32x4.mul(v128.load_splat<f32>(t, GELU + 16), f32x4.mul(x, x)), t));
  return fma(x, density, phi(x, t));
}

/** GELU with tanh in the place of erf (Hendrycks and Gimpel, 2016). */
// @ts-ignore: decorator
@inline
export function geluTanh(x: v128, t: usize): v128 {
  const cubic = fma(v128.load_splat<f32>(t, GELU + 24), f32x4.mul(x, x), v128.load_splat<f32>(t, GELU + 4));
  const inner = f32x4.mul(f32x4.mul(v128.load_splat<f32>(t, GELU + 20), x), cubic);
  return f32x4.mul(f32x4.mul(v128.load_splat<f32>(t, GELU), x), f32x4.add(v128.load_splat<f32>(t, GELU + 4), tanh(inner, t)));
}

// @ts-ignore: decorator
@inline
export function geluTanhSlope(x: v128, t: usize): v128 {
  const one = v128.load_splat<f32>(t, GELU + 4);
  const z = f32x4.mul(x, x);
  const steep = v128.load_splat<f32>(t, GELU + 20);
  const y = tanh(f32x4.mul(f32x4.mul(steep, x), fma(v128.load_splat<f32>(t, GELU + 24), z, one)), t);
  const slope = f32x4.mul(steep, fma(v128.load_splat<f32>(t, GELU + 28), z, one));
  const rest = f32x4.mul(f32x4.mul(v128.load_splat<f32>(t, GELU), x), f32x4.sub(one, f32x4.mul(y, y)));
  return fma(rest, slope, f32x4.mul(v128.load_splat<f32>(t, GELU), f32x4.add(one, y)));
}
