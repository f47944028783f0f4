import { expect, test } from "vitest";
import { ShapeError } from "../errors.ts";
import { expectClose } from "./closeness.ts";

test("accepts numbers within the absolute and the relative tolerance", () => {
  expectClose([1, 2], [1 + 9e-7, 2]);
  expectClose(new Float32Array([1000]), [1001], { absolute: 0, relative: 1e-3 });
  expectClose([Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY]);
});

test("names the number that is furthest off, and how many are", () => {
  expect(() => expectClose([1, 5, 2.5], [1, 2, 2], {}, "logits")).toThrow(
    /logits\[1\]: expected 2 ± .*received 5\n.*2 of 3/,
  );
});

test.each([
  [Number.NaN, Number.NaN],
  [Number.NaN, 1],
  [1, Number.NaN],
  [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  [1, Number.POSITIVE_INFINITY],
])("%d does not agree with %d", (actual, expected) => {
  expect(() => expectClose([0, actual], [0, expected], { absolute: 1 })).toThrow(/\[1\]/);
});

test("different lengths are an error", () => {
  expect(() => expectClose([1], [1, 2])).toThrow(ShapeError);
});
