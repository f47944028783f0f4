import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryPredictions, binaryPredictions, reordered } from "../../test/metrics/arbitrary-predictions.ts";
import { golden } from "../../test/reference/golden.ts";
import { DataError, ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import {
  accuracy,
  auroc,
  averagePrecision,
  brierScore,
  confusionMatrix,
  macroF1,
  negativeLogLikelihood,
} from "./classification.ts";
import type { Predictions } from "./predictions.ts";

describe.each(golden)("golden values, %s", (_, p, expected) => {
  it.each([
    ["accuracy", accuracy, expected.accuracy],
    ["macroF1", macroF1, expected.macroF1],
    ["auroc", auroc, expected.auroc],
    ["negativeLogLikelihood", negativeLogLikelihood, expected.nll],
    ["brierScore", brierScore, expected.brier],
  ] as const)("%s", (_name, metric, value) => {
    expect(Math.abs(metric(p) - value)).toBeLessThan(1e-9);
  });
});

const metrics = { accuracy, macroF1, negativeLogLikelihood, brierScore };

describe.each(Object.entries(metrics))("%s", (_, metric) => {
  it("ignores the order of rows and a constant added to a row's logits", () => {
    fc.assert(
      fc.property(arbitraryPredictions, fc.nat(), fc.integer({ min: -8, max: 8 }), (p, seed, constant) => {
        const order = Random.from(seed).permutation(p.labels.length);
        const logits = Float64Array.from(p.logits, (logit, i) =>
          i < p.classes ? Math.round(logit) + constant : logit,
        );
        const whole = Float64Array.from(p.logits, (logit, i) => (i < p.classes ? Math.round(logit) : logit));
        expect(metric(reordered(p, order))).toBeCloseTo(metric(p), 12);
        expect(metric({ ...p, logits })).toBeCloseTo(metric({ ...p, logits: whole }), 12);
      }),
    );
  });
});

describe("accuracy and confusionMatrix", () => {
  it("count by label and prediction", () => {
    const p: Predictions = {
      logits: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 1, 0),
      labels: Int32Array.of(0, 0, 2),
      classes: 3,
    };
    expect(confusionMatrix(p)).toEqual([
      [1, 1, 0],
      [0, 0, 0],
      [0, 1, 0],
    ]);
    expect(accuracy(p)).toBeCloseTo(1 / 3, 15);
  });

  it("agree", () => {
    fc.assert(
      fc.property(arbitraryPredictions, (p) => {
        const matrix = confusionMatrix(p);
        const diagonal = matrix.reduce((sum, row, k) => sum + (row[k] ?? 0), 0);
        expect(matrix.flat().reduce((sum, count) => sum + count, 0)).toBe(p.labels.length);
        expect(accuracy(p)).toBe(diagonal / p.labels.length);
      }),
    );
  });
});

describe("macroF1", () => {
  it("counts a class that is labelled or predicted, and leaves out one that is neither", () => {
    // Labels 0, 0, 2 and predictions 0, 1, 1: F1 is 2/3, 0 and 0; class 3 does not occur.
    const logits = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0);
    expect(macroF1({ logits, labels: Int32Array.of(0, 0, 2), classes: 4 })).toBeCloseTo(2 / 9, 15);
  });
});

describe("auroc", () => {
  it("counts a tie as half", () => {
    expect(auroc(binaryPredictions([0.2, 0.7, 0.7, 0.9], [0, 0, 1, 1]))).toBe(0.875);
    expect(auroc(binaryPredictions([0.5, 0.5, 0.5], [0, 1, 1]))).toBe(0.5);
  });

  it("stays the same under increasing maps of the binary score", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 0, max: 1 })), { minLength: 2 }),
        (rows) => {
          const labels = Int32Array.from(rows, ([, label]) => label);
          fc.pre(labels.includes(0) && labels.includes(1));
          const of = (map: (x: number) => number): number =>
            auroc({ logits: Float64Array.from(rows.flatMap(([x]) => [0, map(x)])), labels, classes: 2 });
          expect(of((x) => x ** 3 + 2 * x)).toBe(of((x) => x));
          expect(of((x) => 100 * x)).toBe(of((x) => x));
          expect(of((x) => -x)).toBeCloseTo(1 - of((x) => x), 12);
        },
      ),
    );
  });

  it("means over the classes that have rows", () => {
    const two = binaryPredictions([0.3, 0.6, 0.4, 0.8], [0, 0, 1, 1]);
    const logits = Float64Array.from({ length: 12 }, (_, i) =>
      i % 3 === 2 ? -50 : (two.logits[i - Math.floor(i / 3)] ?? 0),
    );
    expect(auroc({ logits, labels: two.labels, classes: 3 })).toBeCloseTo(auroc(two), 12);
  });

  it.each([2, 3])("refuses one label with %i classes", (classes) => {
    const p: Predictions = { logits: new Float64Array(2 * classes), labels: Int32Array.of(1, 1), classes };
    expect(() => auroc(p)).toThrow(DataError);
    expect(() => auroc(p)).toThrow(/label 1 in all 2 rows/);
  });
});

describe("averagePrecision", () => {
  it("is scikit-learn's value of its documented example", () => {
    expect(averagePrecision(binaryPredictions([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]))).toBeCloseTo(5 / 6, 14);
  });

  it("takes rows of equal score together", () => {
    expect(averagePrecision(binaryPredictions([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 0]))).toBe(0.25);
  });

  it("refuses more than two classes and rows without a positive", () => {
    expect(() => averagePrecision({ logits: new Float64Array(3), labels: Int32Array.of(1), classes: 3 })).toThrow(
      ShapeError,
    );
    expect(() => averagePrecision(binaryPredictions([0.5], [0]))).toThrow(DataError);
  });
});

describe("negativeLogLikelihood", () => {
  it("is finite and keeps its digits at the extremes", () => {
    const of = (...logits: number[]): number =>
      negativeLogLikelihood({ logits: Float64Array.from(logits), labels: Int32Array.of(0), classes: 2 });
    expect(of(-5000, 5000)).toBe(10000);
    expect(of(50, 0)).toBeCloseTo(Math.exp(-50), 35);
  });

  it("reads float32 logits", () => {
    const p: Predictions = { logits: Float32Array.of(0, 0, 0, 0), labels: Int32Array.of(2), classes: 4 };
    expect(negativeLogLikelihood(p)).toBeCloseTo(Math.log(4), 15);
  });
});

describe("brierScore", () => {
  it("is 0 for certain and right, 2 for certain and wrong", () => {
    const logits = Float64Array.of(1000, 0, 0);
    expect(brierScore({ logits, labels: Int32Array.of(0), classes: 3 })).toBe(0);
    expect(brierScore({ logits, labels: Int32Array.of(1), classes: 3 })).toBe(2);
  });
});
