import type { Random } from "@l0gm/core";
import { blockKey, mix } from "./hash.ts";

/** Of an edge, from 0 to 2^32 - 1. */
export type EdgePriority = (row: number, column: number) => number;

/**
 * A random number for every edge that depends on its ends alone, so that whoever meets the edge from either side, in any order, finds the
 * same.
 *
 * @param undirected - whether an edge and its reverse have the same number
 */
export function priorities(random: Random, undirected: boolean): EdgePriority {
  // Number `column` of block `row` of the stream, as in the sampler.
  const { low, high } = random.take(1);
  return (row, column) => {
    const first = undirected && column < row ? column : row;
    const second = undirected && column < row ? row : column;
    return mix(mix(second ^ low) ^ blockKey(high, first)) >>> 0;
  };
}
