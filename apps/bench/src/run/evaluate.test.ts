import { accuracy, negativeLogLikelihood, type Predictions } from "@l0gm/core";
import { expect, test } from "vitest";
import { measure, measureSplits, selectRows, splitWarnings } from "./evaluate.ts";

const p: Predictions = {
  logits: Float64Array.of(4, 0, 0, 4, 4, 0, 0, 1, 3, 0, 0, 2),
  labels: Int32Array.of(0, 1, 1, 1, 0, 0),
  classes: 2,
};

test("the temperature is fitted on validation and used on both splits", () => {
  const { validation, test: held } = measureSplits({ validation: p, test: selectRows(p, [0, 1, 2]) });
  expect(held.temperature).toBe(validation.temperature);
  expect(validation.temperatureScaled.nll).toBeLessThan(validation.nll);
  expect(validation).toMatchObject({ rows: 6, accuracy: accuracy(p), nll: negativeLogLikelihood(p) });
  expect(held.rows).toBe(3);
});

test("validation rows without an error decide no temperature: it stays 1, with a warning", () => {
  const validation = selectRows(p, [0, 1, 3]);
  const { test: held } = measureSplits({ validation, test: p });
  expect(held.temperature).toBe(1);
  expect(held.temperatureScaled.nll).toBe(held.nll);
  expect(splitWarnings({ validation, test: p }, ["a", "b"])).toEqual([expect.stringContaining("T stays 1")]);
  expect(splitWarnings({ validation: p, test: p }, ["a", "b"])).toEqual([]);
});

test("a class without rows in a split is told", () => {
  const splits = { validation: p, test: selectRows(p, [0, 4]) };
  expect(splitWarnings(splits, ["a", "b"])).toEqual(["no test row has the class b"]);
});

test("rows of one class have no ranking", () => {
  const metrics = measure(selectRows(p, [0, 4]), 1);
  expect(metrics).not.toHaveProperty("auroc");
  expect(metrics).not.toHaveProperty("averagePrecision");
  expect(metrics.temperatureScaled.nll).toBe(metrics.nll);
});

test("selected rows keep their logits and labels", () => {
  expect(selectRows(p, [3, 0])).toEqual({
    logits: Float64Array.of(0, 1, 4, 0),
    labels: Int32Array.of(1, 0),
    classes: 2,
  });
});
