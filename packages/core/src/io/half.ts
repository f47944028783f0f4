/**
 * Numbers of 16 bits (IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits) as arrays of words, by tables, since Node has had no type
 * for them before version 24. The way there follows J. van der Zijp, "Fast Half Float Conversions", 2012, but rounds to nearest even.
 */

const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** @returns the 16 bits of the nearest number; beyond 65,504 an infinity */
export function halfBits(value: number): number {
  scratch[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const rest = word & 0x7fffffff;
  if (rest > 0x7f800000) return sign | 0x7e00;
  // From half way between the largest number and what would be the next.
  if (rest >= 0x477ff000) return sign | 0x7c00;
  if (rest < 0x38800000) {
    // Below the smallest normal number fractions count units of 2^-24.
    return sign | roundToEven(Math.abs(value) * 2 ** 24);
  }
  // The exponent changes its base; what the fraction loses rounds to even.
  return sign | ((rest - 0x38000000 + 0xfff + ((rest >>> 13) & 1)) >>> 13);
}

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const part = x - floor;
  return part > 0.5 || (part === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

let floats: Float32Array | undefined;

function makeFloats(): Float32Array {
  return Float32Array.from({ length: 2 ** 16 }, (_, word) => {
    const exponent = (word >> 10) & 0x1f;
    const fraction = word & 0x3ff;
    const sign = word & 0x8000 ? -1 : 1;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  });
}

/**
 * Numbers as the nearest ones of 16 bits (IEEE 754 binary16).
 *
 * @param to - of the same length; a new array by default
 * @returns `to`
 */
export function toHalves(values: Float32Array, to: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  for (let i = 0; i < values.length; i++) to[i] = halfBits(values[i] as number);
  return to;
}

/**
 * Numbers of 16 bits as floats.
 *
 * @param to - of the same length; a new array by default
 * @returns `to`
 *
 * @example
 * ```ts
 * console.log(fromHalves(toHalves(Float32Array.of(0.1)))[0]?.toFixed(4)); // 0.1000
 * ```
 */
export function fromHalves(halves: Uint16Array, to: Float32Array = new Float32Array(halves.length)): Float32Array {
  floats ??= makeFloats();
  for (let i = 0; i < halves.length; i++) to[i] = floats[halves[i] as number] as number;
  return to;
}
