import { expect, test } from "vitest";
import { automaticBatchSize } from "./execute.ts";

test("the automatic batch size is a power of two from 16 to 512", () => {
  expect([100, 2000, 5000, 20_000, 27_677, 1_000_000].map(automaticBatchSize)).toEqual([16, 32, 64, 256, 512, 512]);
});
