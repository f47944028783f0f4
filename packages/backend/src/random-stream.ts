/**
 * The hash behind all random numbers of L0GM: number i of a stream depends on the stream's two keys and i alone. Core's `Random` and the
 * operations of this package draw from it; assembly/random.ts computes the same for four numbers at once.
 */

/** The two keys of a stream. */
export interface StreamKeys {
  readonly low: number;
  readonly high: number;
}

/** A bijective mix of 32 bits with low bias (three rounds of xor-shift and multiply). */
function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 17), 0xed5ad4bb);
  h = Math.imul(h ^ (h >>> 11), 0xac4c1b51);
  h = Math.imul(h ^ (h >>> 15), 0x31848bab);
  return h ^ (h >>> 14);
}

function mixText(text: string, seed: number): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) h = mix(h ^ Math.imul(text.charCodeAt(i) + 1, 0x9e3779b9));
  return h;
}

/** Whether a number can be a seed: an integer from 0 to 2^53 - 1. */
export function isSeed(seed: number): boolean {
  return Number.isSafeInteger(seed) && seed >= 0;
}

/** The stream at an address; `seed` has to be one. */
export function streamAt(seed: number, path: readonly (string | number)[]): StreamKeys {
  let low = mix(seed ^ 0x5bd1e995);
  let high = mix(Math.floor(seed / 2 ** 32) ^ low ^ 0x27d4eb2f);
  for (const part of path) {
    // Ended, so that ("a", "b") is another address than ("ab").
    const text = `${typeof part === "number" ? "#" : ""}${part}\0`;
    low = mixText(text, low);
    high = mixText(text, high ^ 0x165667b1);
  }
  return { low, high };
}

/** The keys with which a stream goes on at number `block` 2^32: below that, an index has 32 bits. */
export function keysOfBlock({ low, high }: StreamKeys, block: number): StreamKeys {
  return { low, high: high ^ Math.imul(block, 0x9e3779b9) };
}

/** Number `i` of a stream, below 2^32, as 32 bits without sign. */
export function bitsAt({ low, high }: StreamKeys, i: number): number {
  return mix(mix(i ^ low) ^ high) >>> 0;
}
