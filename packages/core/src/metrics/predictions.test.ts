import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryPredictions } from "../../test/metrics/arbitrary-predictions.ts";
import { DataError, ShapeError } from "../errors.ts";
import { brierDecomposition } from "./brier-decomposition.ts";
import { calibrationError, reliabilityCurve } from "./calibration.ts";
import {
  accuracy,
  auroc,
  averagePrecision,
  brierScore,
  confusionMatrix,
  macroF1,
  negativeLogLikelihood,
} from "./classification.ts";
import { argmax, checkPredictions, type Predictions, probabilities, topLabels } from "./predictions.ts";
import { smoothCalibrationError } from "./smooth-calibration.ts";
import { applyTemperature, fitTemperature } from "./temperature.ts";

const good: Predictions = { logits: Float64Array.of(0, 1, 1, 0), labels: Int32Array.of(0, 1), classes: 2 };

const malformed: [string, Predictions, typeof ShapeError | typeof DataError, RegExp][] = [
  ["one class", { ...good, classes: 1 }, ShapeError, /integer of at least 2, received 1/],
  ["half a class", { ...good, classes: 2.5 }, ShapeError, /received 2.5/],
  ["a label too many", { ...good, labels: Int32Array.of(0, 1, 0) }, ShapeError, /3 x 2 = 6 logits.*received 4 logits/],
  ["a logit too many", { ...good, logits: new Float64Array(5) }, ShapeError, /2 x 2 = 4 logits.*received 5 logits/],
  ["no rows", { logits: new Float64Array(0), labels: new Int32Array(0), classes: 2 }, DataError, /at least one row/],
  ["a label too high", { ...good, labels: Int32Array.of(0, 2) }, DataError, /from 0 to 1, received 2 in row 1/],
  ["a negative label", { ...good, labels: Int32Array.of(-1, 1) }, DataError, /received -1 in row 0/],
  ["NaN", { ...good, logits: Float32Array.of(0, 1, Number.NaN, 0) }, DataError, /received NaN in row 1, class 0/],
  ["infinity", { ...good, logits: Float64Array.of(0, -Infinity, 0, 0) }, DataError, /-Infinity in row 0, class 1/],
];

const readers: [string, (p: Predictions) => unknown][] = Object.entries({
  accuracy,
  applyTemperature: (p: Predictions) => applyTemperature(p, 2),
  auroc,
  averagePrecision,
  brierDecomposition,
  brierScore,
  calibrationError,
  confusionMatrix,
  fitTemperature,
  macroF1,
  negativeLogLikelihood,
  probabilities,
  reliabilityCurve,
  smoothCalibrationError,
});

describe("checkPredictions", () => {
  it("returns the number of rows", () => {
    expect(checkPredictions(good, "test")).toBe(2);
  });

  describe.each(readers)("called by %s", (name, read) => {
    it.each(malformed)("refuses %s", (_, p, type, message) => {
      expect(() => read(p)).toThrow(type);
      expect(() => read(p)).toThrow(message);
      expect(() => read(p)).toThrow(new RegExp(`^${name}:`));
    });
  });
});

describe("argmax", () => {
  it("takes the lowest index among equals", () => {
    expect(argmax(Float64Array.of(9, 1, 3, 3), 1, 3)).toBe(1);
  });
});

describe("probabilities", () => {
  it("is exact where exponentials are", () => {
    expect(Array.from(probabilities({ ...good, logits: Float64Array.of(5, 5, 800, 0) }))).toEqual([0.5, 0.5, 1, 0]);
  });

  it("adds up to 1 in every row and ignores a constant", () => {
    fc.assert(
      fc.property(arbitraryPredictions, fc.integer({ min: -1000, max: 1000 }), (p, constant) => {
        const softmax = probabilities(p);
        const shifted = probabilities({ ...p, logits: Float64Array.from(p.logits, (logit) => logit + constant) });
        for (let row = 0; row < p.labels.length; row++) {
          const ofRow = softmax.subarray(row * p.classes, (row + 1) * p.classes);
          expect(ofRow.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 14);
        }
        softmax.forEach((value, i) => {
          expect(shifted[i]).toBeCloseTo(value, 12);
        });
      }),
    );
  });
});

describe("topLabels", () => {
  it("agrees with probabilities", () => {
    fc.assert(
      fc.property(arbitraryPredictions, (p) => {
        const softmax = probabilities(p);
        const { predicted, confidence, correct } = topLabels(p);
        p.labels.forEach((label, row) => {
          const ofRow = softmax.subarray(row * p.classes, (row + 1) * p.classes);
          expect(confidence[row]).toBe(Math.max(...ofRow));
          expect(confidence[row]).toBe(ofRow[predicted[row] ?? -1]);
          expect(correct[row]).toBe(predicted[row] === label ? 1 : 0);
        });
      }),
    );
  });
});
