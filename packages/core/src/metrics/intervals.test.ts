import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binaryPredictions } from "../../test/metrics/arbitrary-predictions.ts";
import { ConfigError, DataError, NumericalError, ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import { calibrationError } from "./calibration.ts";
import { accuracy, auroc, negativeLogLikelihood } from "./classification.ts";
import { meanInterval, pairedBootstrap, pairedDifference } from "./intervals.ts";
import type { Predictions } from "./predictions.ts";

describe("meanInterval", () => {
  it("is Student's interval", () => {
    // R: t.test(c(5.1, 4.9, 5.6, 5.0, 4.4))
    const { mean, lower, upper, halfWidth, n } = meanInterval([5.1, 4.9, 5.6, 5.0, 4.4]);
    expect(mean).toBeCloseTo(5, 14);
    expect(n).toBe(5);
    expect(halfWidth).toBeCloseTo(2.7764451051977987 * Math.sqrt(0.185 / 5), 9);
    expect(lower).toBeCloseTo(5 - halfWidth, 14);
    expect(upper).toBeCloseTo(5 + halfWidth, 14);
  });

  it("covers the true mean as often as it says", () => {
    const random = Random.from(11);
    let covered = 0;
    const trials = 4000;
    for (let trial = 0; trial < trials; trial++) {
      const { lower, upper } = meanInterval(random.normals(5, 3, 2), 0.9);
      if (lower <= 3 && 3 <= upper) covered++;
    }
    // Standard deviation of the share: 0.0047.
    expect(Math.abs(covered / trials - 0.9)).toBeLessThan(0.02);
  });

  it("moves and scales with the values, and widens with the level", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 2, maxLength: 20 }), (xs) => {
        const { mean, halfWidth } = meanInterval(xs);
        const moved = meanInterval(xs.map((x) => 3 * x + 1));
        expect(moved.mean).toBeCloseTo(3 * mean + 1, 10);
        expect(moved.halfWidth).toBeCloseTo(3 * halfWidth, 8);
        expect(meanInterval(xs, 0.99).halfWidth).toBeGreaterThanOrEqual(halfWidth);
      }),
    );
  });

  it("has no bounds for a single value and no width for equal ones", () => {
    expect(meanInterval([2])).toEqual({ mean: 2, lower: -Infinity, upper: Infinity, halfWidth: Infinity, n: 1 });
    expect(meanInterval([2, 2, 2]).halfWidth).toBe(0);
  });

  it("refuses no values, NaN and impossible levels", () => {
    expect(() => meanInterval([])).toThrow(DataError);
    expect(() => meanInterval([1, Number.NaN])).toThrow(/finite numbers, received NaN at index 1/);
    for (const level of [0, 1, 95, Number.NaN]) expect(() => meanInterval([1, 2], level)).toThrow(ConfigError);
  });
});

describe("pairedDifference", () => {
  it("is the interval of b minus a", () => {
    const a = [0.85, 0.86, 0.84];
    const b = [0.87, 0.86, 0.85];
    expect(pairedDifference(a, b, 0.9)).toEqual(meanInterval([0.87 - 0.85, 0, 0.85 - 0.84], 0.9));
  });

  it("refuses values that do not pair, NaN and impossible levels", () => {
    expect(() => pairedDifference([1, 2], [1])).toThrow(ShapeError);
    expect(() => pairedDifference([], [])).toThrow(DataError);
    expect(() => pairedDifference([1, 2], [1, Number.POSITIVE_INFINITY])).toThrow(DataError);
    expect(() => pairedDifference([1, 2], [1, 2], 2)).toThrow(ConfigError);
  });
});

/** Predictions right in a share of the rows, with labels that `seed` does not change. */
function simulated(rows: number, share: number, seed: number): Predictions {
  const random = Random.from(seed);
  const labels = Int32Array.from({ length: rows }, (_, row) => row % 2);
  const logits = new Float64Array(2 * rows);
  labels.forEach((label, row) => {
    logits[2 * row + (random.next() < share ? label : 1 - label)] = 1 + random.next();
  });
  return { logits, labels, classes: 2 };
}

describe("pairedBootstrap", () => {
  const a = simulated(2000, 0.7, 1);
  const b = simulated(2000, 0.8, 2);

  it("agrees with the normal approximation of a difference of accuracies", () => {
    const right = (p: Predictions, row: number): number =>
      accuracy({ ...p, logits: p.logits.slice(2 * row, 2 * row + 2), labels: p.labels.slice(row, row + 1) });
    const gains = Array.from(a.labels, (_, row) => right(b, row) - right(a, row));
    const { mean, lower, upper } = meanInterval(gains);
    const interval = pairedBootstrap(a, b, accuracy, { seed: 3 });
    expect(interval.difference).toBeCloseTo(mean, 12);
    expect(Math.abs(interval.lower - lower)).toBeLessThan(0.003);
    expect(Math.abs(interval.upper - upper)).toBeLessThan(0.003);
  });

  it.each([
    ["accuracy", accuracy],
    ["auroc", auroc],
    ["negativeLogLikelihood", negativeLogLikelihood],
    ["calibrationError", calibrationError],
  ] as const)("orders its bounds around the difference, %s", (_, metric) => {
    const { difference, lower, upper } = pairedBootstrap(a, b, (p) => metric(p), { samples: 200 });
    expect(difference).toBeCloseTo(metric(b) - metric(a), 14);
    expect(lower).toBeLessThan(difference);
    expect(upper).toBeGreaterThan(difference);
  });

  it("is exactly 0 for a model and itself, and changes sign with the order", () => {
    expect(pairedBootstrap(a, a, accuracy, { samples: 50 })).toEqual({ difference: 0, lower: 0, upper: 0 });
    const there = pairedBootstrap(a, b, accuracy, { samples: 99, seed: 4 });
    const back = pairedBootstrap(b, a, accuracy, { samples: 99, seed: 4 });
    expect(back.lower).toBeCloseTo(-there.upper, 12);
    expect(back.upper).toBeCloseTo(-there.lower, 12);
  });

  it("repeats itself for equal seeds only, and widens with the level", () => {
    const first = pairedBootstrap(a, b, accuracy, { samples: 100, seed: 7 });
    expect(pairedBootstrap(a, b, accuracy, { samples: 100, seed: 7 })).toEqual(first);
    expect(pairedBootstrap(a, b, accuracy, { samples: 100, seed: 8 })).not.toEqual(first);
    const wide = pairedBootstrap(a, b, accuracy, { samples: 100, seed: 7, level: 0.99 });
    expect(wide.upper - wide.lower).toBeGreaterThan(first.upper - first.lower);
  });

  it("draws rows whole: label and both logits stay together", () => {
    const labels = Int32Array.of(0, 1, 2);
    const first = { logits: Float64Array.from({ length: 9 }, (_, i) => i), labels, classes: 3 };
    const second = { logits: Float32Array.from({ length: 9 }, (_, i) => 100 + i), labels, classes: 3 };
    pairedBootstrap(
      first,
      second,
      (p) => {
        const offset = (p.logits[0] ?? 0) >= 100 ? 100 : 0;
        p.labels.forEach((label, row) => {
          expect(Array.from(p.logits.subarray(3 * row, 3 * row + 3))).toEqual(
            [0, 1, 2].map((k) => offset + 3 * label + k),
          );
        });
        return 0;
      },
      { samples: 20 },
    );
  });

  it("refuses rows that differ, impossible options and a metric that is no number", () => {
    const p = binaryPredictions([0.2, 0.8], [0, 1]);
    expect(() => pairedBootstrap(p, binaryPredictions([0.2], [0]), accuracy)).toThrow(ShapeError);
    expect(() => pairedBootstrap(p, { ...p, logits: new Float64Array(6), classes: 3 }, accuracy)).toThrow(ShapeError);
    expect(() => pairedBootstrap(p, binaryPredictions([0.2, 0.8], [0, 0]), accuracy)).toThrow(
      /same rows in the same order, received labels 1 and 0 in row 1/,
    );
    expect(() => pairedBootstrap(p, { ...p, logits: new Float64Array(4).fill(Number.NaN) }, accuracy)).toThrow(
      DataError,
    );
    expect(() => pairedBootstrap(p, p, accuracy, { samples: 0 })).toThrow(ConfigError);
    expect(() => pairedBootstrap(p, p, accuracy, { level: 1 })).toThrow(ConfigError);
    expect(() => pairedBootstrap(p, p, accuracy, { seed: -1 })).toThrow(ConfigError);
    expect(() => pairedBootstrap(p, p, () => Number.NaN)).toThrow(NumericalError);
    // Two rows: some resample has one class only, and AUROC says so.
    expect(() => pairedBootstrap(p, p, auroc)).toThrow(/^auroc: expected rows of at least two classes/);
  });
});
