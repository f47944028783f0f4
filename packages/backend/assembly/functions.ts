/**
 * Functions of one variable on four floats at once, within a few units of the last place of float32. NaN stays NaN, and infinities give
 * the limits: `pmin` and `pmax` keep their first operand unless the second is really smaller or larger, unlike in x86's minimum.
 */

import { fma, splat } from "./vector";

/** e^x (Cephes): x = n ln 2 + r, a polynomial in r, and 2^n in two factors so that neither overflows before the result does. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const bounded = f32x4.pmax(f32x4.pmin(x, splat(89)), splat(-104));
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  const magic = splat(12582912);
  const shifted = fma(bounded, splat(1.44269504088896341), magic);
  const n = f32x4.sub(shifted, magic);
  const r = fma(n, splat(2.1219444e-4), fma(n, splat(-0.693359375), bounded));
  let p = splat(1.98756915e-4);
  p = fma(p, r, splat(1.3981999507e-3));
  p = fma(p, r, splat(8.3334519073e-3));
  p = fma(p, r, splat(4.1665795894e-2));
  p = fma(p, r, splat(1.6666665459e-1));
  p = fma(p, r, splat(5.0000001201e-1));
  p = f32x4.add(fma(p, f32x4.mul(r, r), r), splat(1));
  const exponent = i32x4.sub(shifted, i32x4.splat(0x4b400000));
  const half = i32x4.shr_s(exponent, 1);
  const bias = i32x4.splat(127);
  const scale1 = i32x4.shl(i32x4.add(half, bias), 23);
  const scale2 = i32x4.shl(i32x4.add(i32x4.sub(exponent, half), bias), 23);
  return f32x4.mul(f32x4.mul(p, scale1), scale2);
}

/** The natural logarithm (Cephes): x = 2^e m with m in [sqrt(1/2), sqrt(2)), a polynomial in m - 1. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  // Subnormal numbers are scaled up first.
  const tiny = f32x4.lt(x, splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, splat(8388608)), x, tiny);
  const e0 = i32x4.sub(i32x4.shr_s(scaled, 23), i32x4.splat(126));
  const e1 = i32x4.sub(e0, v128.and(tiny, i32x4.splat(23)));
  const m0 = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const low = f32x4.lt(m0, splat(0.707106781186547524));
  const e = f32x4.convert_i32x4_s(i32x4.add(e1, low));
  const m = f32x4.sub(f32x4.add(m0, v128.and(m0, low)), splat(1));
  const z = f32x4.mul(m, m);
  let p = splat(7.0376836292e-2);
  p = fma(p, m, splat(-1.151461031e-1));
  p = fma(p, m, splat(1.167699874e-1));
  p = fma(p, m, splat(-1.2420140846e-1));
  p = fma(p, m, splat(1.4249322787e-1));
  p = fma(p, m, splat(-1.6668057665e-1));
  p = fma(p, m, splat(2.0000714765e-1));
  p = fma(p, m, splat(-2.4999993993e-1));
  p = fma(p, m, splat(3.3333331174e-1));
  p = f32x4.mul(f32x4.mul(p, m), z);
  p = fma(e, splat(-2.1219444e-4), p);
  p = fma(z, splat(-0.5), p);
  const finite = fma(e, splat(0.693359375), f32x4.add(m, p));
  const infinity = splat(Infinity);
  // +infinity and NaN stay what they are; 0 gives -infinity, a negative number NaN.
  const kept = v128.bitselect(finite, x, f32x4.lt(x, infinity));
  const zero = v128.bitselect(f32x4.neg(infinity), kept, f32x4.eq(x, splat(0)));
  return v128.bitselect(splat(NaN), zero, f32x4.lt(x, splat(0)));
}

/** tanh as a ratio of polynomials (Eigen); beyond 7.9, where it is 1 to within 3e-7, exactly 1, so that GELU's tail vanishes. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const limit = splat(7.90531110763549805);
  const t = f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
  const t2 = f32x4.mul(t, t);
  let p = fma(t2, splat(-2.76076847742355e-16), splat(2.00018790482477e-13));
  p = fma(t2, p, splat(-8.60467152213735e-11));
  p = fma(t2, p, splat(5.12229709037114e-8));
  p = fma(t2, p, splat(1.48572235717979e-5));
  p = fma(t2, p, splat(6.37261928875436e-4));
  p = fma(t2, p, splat(4.89352455891786e-3));
  let q = fma(t2, splat(1.19825839466702e-6), splat(1.18534705686654e-4));
  q = fma(t2, q, splat(2.268434632439e-3));
  q = fma(t2, q, splat(4.89352518554385e-3));
  const ratio = f32x4.div(f32x4.mul(t, p), q);
  const one = v128.or(v128.and(x, i32x4.splat(0x80000000)), splat(1));
  return v128.bitselect(one, ratio, f32x4.gt(f32x4.abs(x), limit));
}

// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), exp(f32x4.neg(x))));
}

/** The error function by Abramowitz and Stegun 7.1.26, as in TensorFlow.js's other backends: off by at most 2e-7. */
// @ts-ignore: decorator
@inline
export function erf(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const a = f32x4.abs(x);
  const t = f32x4.div(splat(1), fma(a, splat(0.3275911), splat(1)));
  let p = splat(1.061405429);
  p = fma(p, t, splat(-1.453152027));
  p = fma(p, t, splat(1.421413741));
  p = fma(p, t, splat(-0.284496736));
  p = fma(p, t, splat(0.254829592));
  const y = f32x4.sub(splat(1), f32x4.mul(f32x4.mul(p, t), exp(f32x4.neg(f32x4.mul(a, a)))));
  return v128.or(y, sign);
}

/** x Phi(x), Phi being the normal distribution function. */
// @ts-ignore: decorator
@inline
export function gelu(x: v128): v128 {
  const phi = f32x4.mul(splat(0.5), f32x4.add(splat(1), erf(f32x4.mul(x, splat(0.70710678118654752)))));
  return f32x4.mul(x, phi);
}

/** Phi(x) + x phi(x). */
// @ts-ignore: decorator
@inline
export function geluSlope(x: v128): v128 {
  const phi = f32x4.mul(splat(0.5), f32x4.add(splat(1), erf(f32x4.mul(x, splat(0.70710678118654752)))));
  const density = f32x4.mul(splat(0.39894228040143268), exp(f32x4.mul(splat(-0.5), f32x4.mul(x, x))));
  return fma(x, density, phi);
}

/** GELU with tanh in the place of erf (Hendrycks and Gimpel, 2016). */
// @ts-ignore: decorator
@inline
export function geluTanh(x: v128): v128 {
  const inner = f32x4.mul(f32x4.mul(splat(0.79788456080286536), x), fma(splat(0.044715), f32x4.mul(x, x), splat(1)));
  return f32x4.mul(f32x4.mul(splat(0.5), x), f32x4.add(splat(1), tanh(inner)));
}

// @ts-ignore: decorator
@inline
export function geluTanhSlope(x: v128): v128 {
  const x2 = f32x4.mul(x, x);
  const t = tanh(f32x4.mul(f32x4.mul(splat(0.79788456080286536), x), fma(splat(0.044715), x2, splat(1))));
  const slope = f32x4.mul(splat(0.79788456080286536), fma(splat(0.134145), x2, splat(1)));
  const rest = f32x4.mul(f32x4.mul(splat(0.5), x), f32x4.sub(splat(1), f32x4.mul(t, t)));
  return fma(rest, slope, f32x4.mul(splat(0.5), f32x4.add(splat(1), t)));
}
