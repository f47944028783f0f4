/**
 * The hash of all random numbers of L0GM, for loops that draw millions: core's `Random` gives the keys, and a test holds the two together.
 * Number `i` of block `b` of a stream with the keys `low` and `high` is `mix(mix(i ^ low) ^ blockKey(high, b)) >>> 0`.
 */

/** A bijective mix of 32 bits. */
export function mix(x: number): number {
  let h = Math.imul(x ^ (x >>> 17), 0xed5ad4bb);
  h = Math.imul(h ^ (h >>> 11), 0xac4c1b51);
  h = Math.imul(h ^ (h >>> 15), 0x31848bab);
  return h ^ (h >>> 14);
}

/** The second key of a stream's block. */
export function blockKey(high: number, block: number): number {
  return high ^ Math.imul(block, 0x9e3779b9);
}
