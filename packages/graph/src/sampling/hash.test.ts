import { Random } from "@l0gm/core";
import { expect, test } from "vitest";
import { blockKey, mix } from "./hash.ts";

test("gives the numbers of core's Random, in its first blocks of 2^32 as well", () => {
  for (const seed of [0, 7, 2 ** 40 + 3]) {
    const { low, high } = Random.from(seed, "neighbors", 1, "x").take(1);
    const random = Random.from(seed, "neighbors", 1, "x");
    for (let block = 0; block < 5; block++) {
      const key = blockKey(high, block);
      const expected = Array.from({ length: 50 }, () => random.nextUint32());
      expect(Array.from({ length: 50 }, (_, i) => mix(mix(i ^ low) ^ key) >>> 0)).toEqual(expected);
      // Leaves the rest of the block out.
      random.take(2 ** 32 - 50);
    }
  }
});
