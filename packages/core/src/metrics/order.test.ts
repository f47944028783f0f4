import { expect, it } from "vitest";
import { ascendingOrder, forEachTie } from "./order.ts";

it("orders ascending and keeps the order of equals", () => {
  expect(Array.from(ascendingOrder(Float64Array.of(3, 1, 2, 1, -5)))).toEqual([4, 1, 3, 2, 0]);
});

it("visits every run of equal values once", () => {
  const values = Float64Array.of(3, 1, 2, 1, 3);
  const runs: [number, number][] = [];
  forEachTie(values, ascendingOrder(values), (from, to) => runs.push([from, to]));
  expect(runs).toEqual([
    [0, 2],
    [2, 3],
    [3, 5],
  ]);
});
