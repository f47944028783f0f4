import { expect, test } from "vitest";
import { ConfigError } from "./errors.ts";
import { stratifiedSplit } from "./stratified-split.ts";

const codes = Int32Array.from({ length: 100 }, (_, row) => (row % 4 === 0 ? 1 : 0));

test("every part has the shares of the classes, in the order of the rows, and every row is in one part", () => {
  const parts = stratifiedSplit(codes, [0.2, 0.4], 3);
  expect(parts.map((rows) => rows.length)).toEqual([40, 20, 40]);
  expect(parts.map((rows) => rows.filter((row) => codes[row] === 1).length)).toEqual([10, 5, 10]);
  for (const rows of parts) expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
  expect(parts.flatMap((rows) => [...rows]).sort((a, b) => a - b)).toEqual([...codes.keys()]);
});

test("the seed decides which rows", () => {
  expect(stratifiedSplit(codes, [0.2], 3)).toEqual(stratifiedSplit(codes, [0.2], 3));
  expect(stratifiedSplit(codes, [0.2], 3)).not.toEqual(stratifiedSplit(codes, [0.2], 4));
});

test("a class of one row is in the first part", () => {
  const [first] = stratifiedSplit(Int32Array.of(0, 0, 0, 0, 1), [0.5], 0);
  expect([...(first ?? [])]).toContain(4);
});

test.each([[[0, 0.2]], [[0.5, 0.5]], [[-0.1]], [[Number.NaN]]])("shares %j are refused", (shares) => {
  expect(() => stratifiedSplit(codes, shares, 0)).toThrow(ConfigError);
});
