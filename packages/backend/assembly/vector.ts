/** The few vector idioms that every kernel shares. A vector holds four floats; addresses are in bytes. */

/** a * b + c: rounded once where the module is compiled for relaxed SIMD and the machine has it, else twice. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** The address of float `i`. */
// @ts-ignore: decorator
@inline
export function at(address: usize, i: i32): usize {
  return address + (<usize>i << 2);
}

/** The address of float `row * stride`, which may lie beyond 2^31 floats. */
// @ts-ignore: decorator
@inline
export function rowAt(address: usize, row: i32, stride: i32): usize {
  return address + ((<usize>row * <usize>stride) << 2);
}

// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** The first `lanes` (1 to 4) floats at an address, the rest 0; reads no further. */
// @ts-ignore: decorator
@inline
export function loadLanes(address: usize, lanes: i32): v128 {
  if (lanes == 4) return v128.load(address);
  let v = v128.load32_zero(address);
  if (lanes > 1) v = v128.load_lane<f32>(address, v, 1, 4);
  if (lanes > 2) v = v128.load_lane<f32>(address, v, 2, 8);
  return v;
}

/** Writes the first `lanes` (1 to 4) floats, and no further. */
// @ts-ignore: decorator
@inline
export function storeLanes(address: usize, v: v128, lanes: i32): void {
  if (lanes == 4) {
    v128.store(address, v);
    return;
  }
  v128.store_lane<f32>(address, v, 0);
  if (lanes > 1) v128.store_lane<f32>(address, v, 1, 4);
  if (lanes > 2) v128.store_lane<f32>(address, v, 2, 8);
}
