import { expect, test } from "vitest";
import { quantile, ratio, roundMedians, spread } from "./statistics.ts";

test("quantiles interpolate between order statistics", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
  expect(quantile([7], 0.75)).toBe(7);
  expect(spread([5, 1, 3])).toEqual({ median: 3, lowerQuartile: 2, upperQuartile: 4, lowest: 1, highest: 5, count: 3 });
});

test("a ratio is of medians within a round, so a machine that slows down does not change it", () => {
  const slower = ratio([[2, 2, 9], [20, 20], [200]], [[1, 1, 1], [10], [100, 100]]);
  expect(slower).toMatchObject({ median: 2, lowerQuartile: 2, upperQuartile: 2, count: 3 });
});

test("rounds that one of the two sat out do not count", () => {
  const [over, under] = [
    [[4], undefined, [8]],
    [[2], [1000], [2]],
  ];
  expect(ratio(over, under)).toMatchObject({ lowest: 2, highest: 4, count: 2 });
  expect(roundMedians(over)).toEqual([4, 8]);
  expect(ratio([undefined, [1]], [[1], undefined])).toBeUndefined();
});
