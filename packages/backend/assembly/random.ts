/**
 * Random numbers by address: number i of a stream is a hash of the stream's two keys and i, as in core's `Random`, so it does not depend
 * on threads, chunks or processes.
 */

import { argument } from "./call";
import { at, loadLanes, splat, storeLanes } from "./vector";

/** A bijective mix of 32 bits with low bias (three rounds of xor-shift and multiply). */
// @ts-ignore: decorator
@inline
function mix(x: v128): v128 {
  let h = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 17)), i32x4.splat(0xed5ad4bb));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 11)), i32x4.splat(0xac4c1b51));
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(0x31848bab));
  return v128.xor(h, i32x4.shr_u(h, 14));
}

/** The 32 bits of four numbers. */
// @ts-ignore: decorator
@inline
function bits(counters: v128, low: i32, high: i32): v128 {
  return mix(v128.xor(mix(v128.xor(counters, i32x4.splat(low))), i32x4.splat(high)));
}

// @ts-ignore: decorator
@inline
function counters(first: u32): v128 {
  return i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
}

// @ts-ignore: decorator
@inline
function uniforms(y: usize, place: u32, low: i32, high: i32, start: v128, scale: v128, lanes: i32): void {
  const b = bits(counters(place), low, high);
  const even = f64x2.add(start, f64x2.mul(f64x2.convert_low_i32x4_u(b), scale));
  const odd = f64x2.add(start, f64x2.mul(f64x2.convert_low_i32x4_u(v128.shuffle<i64>(b, b, 1, 1)), scale));
  const four = v128.shuffle<i64>(f32x4.demote_f64x2_zero(even), f32x4.demote_f64x2_zero(odd), 0, 2);
  storeLanes(y, four, lanes);
}

/**
 * Task RANDOM_UNIFORM: y[i] = low + bits / 2^32 (high - low), in float64 until the end. Unit: four elements.
 * Arguments: y, keys (low, high), number of the first, low, (high - low) / 2^32, length.
 */
export function randomUniform(first: i32, last: i32): void {
  const y = argument<usize>(0);
  const low = argument<i32>(1);
  const high = argument<i32>(2);
  const place = argument<u32>(3);
  const start = f64x2.splat(argument<f64>(4));
  const scale = f64x2.splat(argument<f64>(5));
  const length = argument<i32>(6);
  const whole = min(last, length / 4);
  for (let quad = first; quad < whole; quad++) uniforms(at(y, quad * 4), place + quad * 4, low, high, start, scale, 4);
  if (whole < last) {
    uniforms(at(y, whole * 4), place + whole * 4, low, high, start, scale, length - whole * 4);
  }
}

/** Natural logarithms in float64 of numbers in (0, 1], after fdlibm: within one unit of the last place. */
// @ts-ignore: decorator
@inline
function log64(x: v128): v128 {
  const one = f64x2.splat(1);
  // x = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2).
  const shifted = i64x2.add(x, i64x2.splat(0x3ff0000000000000 - 0x3fe6a09e667f3bcd));
  const k64 = i64x2.sub(i64x2.shr_u(shifted, 52), i64x2.splat(1023));
  const mantissa = v128.and(shifted, i64x2.splat(0x000fffffffffffff));
  const f = f64x2.sub(i64x2.add(mantissa, i64x2.splat(0x3fe6a09e667f3bcd)), one);
  const k = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(k64, k64, 0, 2, 0, 2));
  const half = f64x2.mul(f64x2.splat(0.5), f64x2.mul(f, f));
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const z = f64x2.mul(s, s);
  const w = f64x2.mul(z, z);
  let t1 = f64x2.splat(1.531383769920937332e-1);
  t1 = f64x2.add(f64x2.splat(2.222219843214978396e-1), f64x2.mul(w, t1));
  t1 = f64x2.add(f64x2.splat(3.999999999940941908e-1), f64x2.mul(w, t1));
  t1 = f64x2.mul(w, t1);
  let t2 = f64x2.splat(1.479819860511658591e-1);
  t2 = f64x2.add(f64x2.splat(1.818357216161805012e-1), f64x2.mul(w, t2));
  t2 = f64x2.add(f64x2.splat(2.857142874366239149e-1), f64x2.mul(w, t2));
  t2 = f64x2.add(f64x2.splat(6.66666666666673513e-1), f64x2.mul(w, t2));
  const r = f64x2.add(t1, f64x2.mul(z, t2));
  const small = f64x2.add(f64x2.mul(s, f64x2.add(half, r)), f64x2.mul(k, f64x2.splat(1.90821492927058770002e-10)));
  return f64x2.sub(
    f64x2.mul(k, f64x2.splat(6.93147180369123816490e-1)),
    f64x2.sub(f64x2.sub(half, small), f),
  );
}

/** cos(2 pi t) in float64 for t in [0, 1), by the polynomials of fdlibm on an eighth of the circle. */
// @ts-ignore: decorator
@inline
function cosine(t: v128): v128 {
  // The nearest quarter of the circle, and the exact rest, at most an eighth.
  const quarter = f64x2.nearest(f64x2.mul(t, f64x2.splat(4)));
  const x = f64x2.mul(f64x2.sub(t, f64x2.mul(quarter, f64x2.splat(0.25))), f64x2.splat(6.283185307179586));
  const z = f64x2.mul(x, x);
  let c = f64x2.splat(-1.13596475577881948265e-11);
  c = f64x2.add(f64x2.splat(2.08757232129817482790e-9), f64x2.mul(z, c));
  c = f64x2.add(f64x2.splat(-2.75573143513906633035e-7), f64x2.mul(z, c));
  c = f64x2.add(f64x2.splat(2.48015872894767294178e-5), f64x2.mul(z, c));
  c = f64x2.add(f64x2.splat(-1.38888888888741095749e-3), f64x2.mul(z, c));
  c = f64x2.add(f64x2.splat(4.16666666666666019037e-2), f64x2.mul(z, c));
  const even = f64x2.add(f64x2.sub(f64x2.splat(1), f64x2.mul(f64x2.splat(0.5), z)), f64x2.mul(f64x2.mul(z, z), c));
  let s = f64x2.splat(1.58969099521155010221e-10);
  s = f64x2.add(f64x2.splat(-2.50507602534068634195e-8), f64x2.mul(z, s));
  s = f64x2.add(f64x2.splat(2.75573137070700676789e-6), f64x2.mul(z, s));
  s = f64x2.add(f64x2.splat(-1.98412698298579493134e-4), f64x2.mul(z, s));
  s = f64x2.add(f64x2.splat(8.33333333332248946124e-3), f64x2.mul(z, s));
  s = f64x2.add(f64x2.splat(-1.66666666666666324348e-1), f64x2.mul(z, s));
  const odd = f64x2.add(x, f64x2.mul(f64x2.mul(x, z), s));
  // cos(x), -sin(x), -cos(x), sin(x) for the quarters 0 to 3, and 4 is 0 again.
  const isOdd = v128.or(f64x2.eq(quarter, f64x2.splat(1)), f64x2.eq(quarter, f64x2.splat(3)));
  const isNegative = v128.or(f64x2.eq(quarter, f64x2.splat(1)), f64x2.eq(quarter, f64x2.splat(2)));
  const value = v128.bitselect(odd, even, isOdd);
  return v128.bitselect(f64x2.neg(value), value, isNegative);
}

/**
 * Task RANDOM_NORMAL: Box and Muller's sqrt(-2 log(1 - u)) cos(2 pi u') of two numbers each, in float64 until the end. Unit: two elements.
 * Arguments: y, keys (low, high), number of the first, mean, standard deviation, length.
 */
export function randomNormal(first: i32, last: i32): void {
  const y = argument<usize>(0);
  const low = argument<i32>(1);
  const high = argument<i32>(2);
  const place = argument<u32>(3);
  const mean = f64x2.splat(argument<f64>(4));
  const deviation = f64x2.splat(argument<f64>(5));
  const length = argument<i32>(6);
  const unit = f64x2.splat(2.3283064365386963e-10);
  for (let pair = first; pair < last; pair++) {
    const b = bits(counters(place + pair * 4), low, high);
    const u = f64x2.mul(f64x2.convert_low_i32x4_u(v128.shuffle<i32>(b, b, 0, 2, 0, 2)), unit);
    const angle = f64x2.mul(f64x2.convert_low_i32x4_u(v128.shuffle<i32>(b, b, 1, 3, 1, 3)), unit);
    const radius = f64x2.sqrt(f64x2.mul(f64x2.splat(-2), log64(f64x2.sub(f64x2.splat(1), u))));
    const two = f64x2.add(mean, f64x2.mul(deviation, f64x2.mul(radius, cosine(angle))));
    storeLanes(at(y, pair * 2), f32x4.demote_f64x2_zero(two), min(2, length - pair * 2));
  }
}

// @ts-ignore: decorator
@inline
function dropLanes(x: usize, y: usize, place: u32, low: i32, high: i32, limit: v128, factor: v128, lanes: i32): void {
  const kept = i32x4.ge_u(bits(counters(place), low, high), limit);
  storeLanes(y, v128.and(f32x4.mul(loadLanes(x, lanes), factor), kept), lanes);
}

/** y[i] = bits[place + i] < threshold ? 0 : scale x[i]. `y` may be `x`. */
export function drop(x: usize, y: usize, length: i32, low: i32, high: i32, place: u32, threshold: u32, scale: f32): void {
  const limit = i32x4.splat(<i32>threshold);
  const factor = splat(scale);
  let i = 0;
  for (; i + 4 <= length; i += 4) dropLanes(at(x, i), at(y, i), place + i, low, high, limit, factor, 4);
  if (i < length) dropLanes(at(x, i), at(y, i), place + i, low, high, limit, factor, length - i);
}

/**
 * Task DROPOUT: see `drop`; the gradient is the same function of dy. Unit: four elements.
 * Arguments: x, y, keys (low, high), number of the first, threshold (of 2^32), scale, length.
 */
export function dropout(first: i32, last: i32): void {
  const start = first * 4;
  const length = min(last * 4, argument<i32>(7)) - start;
  const place = argument<u32>(4) + start;
  const x = at(argument<usize>(0), start);
  const y = at(argument<usize>(1), start);
  drop(x, y, length, argument<i32>(2), argument<i32>(3), place, argument<u32>(5), argument<f32>(6));
}
