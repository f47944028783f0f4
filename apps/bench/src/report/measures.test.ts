import { expect, it } from "vitest";
import { readMeasure } from "./measures.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

const [run] = syntheticRuns({ seeds: 1 });
if (run === undefined) throw new Error("no synthetic run");
const { test } = run.metrics;

it("reads probability measures before or after temperature scaling", () => {
  expect(readMeasure(test, "ece", "raw")).toBe(test.ece);
  expect(readMeasure(test, "ece", "scaled")).toBe(test.temperatureScaled.ece);
});

it("reads prediction measures alike in both stages", () => {
  expect(readMeasure(test, "accuracy", "scaled")).toBe(test.accuracy);
});

it("has nothing where the run has nothing or no finite number", () => {
  const { auroc: _, ...withoutAuroc } = test;
  expect(readMeasure(withoutAuroc, "auroc")).toBeUndefined();
  expect(readMeasure({ ...test, nll: Number.NaN }, "nll")).toBeUndefined();
});
