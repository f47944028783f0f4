import { seedsFrom } from "@l0gm/core";
import { expect, test } from "vitest";
import { partsAroundPruning } from "./pruning.ts";

test("the epochs before and after pruning are together those of the dense run, and shuffle differently", () => {
  const seeds = seedsFrom(3);
  const lengths = [2, 3, 5, 8, 60].map((epochs) => partsAroundPruning(epochs, seeds).map((part) => part.epochs));
  expect(lengths).toEqual([
    [1, 1],
    [2, 1],
    [3, 2],
    [5, 3],
    [36, 24],
  ]);
  const [before, after] = partsAroundPruning(8, seeds);
  expect([before.first, after.first]).toEqual([0, 5]);
  expect(before.seeds).toEqual(seeds);
  expect(after.seeds).toMatchObject({ split: seeds.split, initial: seeds.initial, gate: seeds.gate });
  expect([after.seeds.shuffle, after.seeds.dropout]).not.toEqual([seeds.shuffle, seeds.dropout]);
  expect(before.folder).not.toBe(after.folder);
});
