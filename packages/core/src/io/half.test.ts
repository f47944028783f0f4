import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHalves, halfBits, toHalves } from "./half.ts";

const back = (word: number): number => fromHalves(Uint16Array.of(word))[0] as number;

test.each([
  [0, 0],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65_504, 0x7bff],
  [65_519.99, 0x7bff],
  [65_520, 0x7c00],
  [Number.NEGATIVE_INFINITY, 0xfc00],
  [2 ** -24, 1],
  [2 ** -25, 0],
  [3 * 2 ** -25, 2],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [2 ** -14 - 2 ** -25, 0x0400],
])("%d is %i", (value, word) => {
  expect(halfBits(value)).toBe(word);
});

test("every number of 16 bits comes back", () => {
  for (let word = 0; word < 2 ** 16; word++) {
    const value = back(word);
    const kept = Number.isNaN(value) ? Number.isNaN(back(halfBits(value))) : halfBits(value) === word;
    if (!kept) expect.fail(`the bits ${word} are ${value}, whose bits are ${halfBits(value)}`);
  }
});

test("other numbers go to the nearest", () => {
  fc.assert(
    fc.property(fc.float({ min: -65_000, max: 65_000, noNaN: true }), (value) => {
      const word = toHalves(Float32Array.of(value))[0] as number;
      const error = Math.abs(back(word) - value);
      for (const other of [word - 1, word + 1]) {
        if ((other & 0x7c00) !== 0x7c00 && other >= 0)
          expect(Math.abs(back(other) - value)).toBeGreaterThanOrEqual(error);
      }
    }),
  );
});
