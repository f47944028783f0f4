import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryPredictions } from "../../test/metrics/arbitrary-predictions.ts";
import { golden } from "../../test/reference/golden.ts";
import { ConfigError } from "../errors.ts";
import { calibrationError } from "./calibration.ts";
import { accuracy, negativeLogLikelihood } from "./classification.ts";
import type { Predictions } from "./predictions.ts";
import { applyTemperature, fitTemperature, TEMPERATURE_LIMITS } from "./temperature.ts";

describe.each(golden)("golden values, %s", (_, p, expected) => {
  it("temperature, and NLL and ECE at it", () => {
    const temperature = fitTemperature(p);
    const scaled = applyTemperature(p, temperature);
    expect(Math.abs(temperature - expected.temperature)).toBeLessThan(1e-5);
    expect(Math.abs(negativeLogLikelihood(scaled) - expected.nllAfter)).toBeLessThan(1e-9);
    expect(Math.abs(calibrationError(applyTemperature(p, expected.temperature)) - expected.ece15After)).toBeLessThan(
      1e-9,
    );
  });

  it("scales with the logits, as far as the limits", () => {
    const temperature = fitTemperature(p);
    for (const factor of [0.01, 0.1, 10]) {
      const scaled = { ...p, logits: Float64Array.from(p.logits, (logit) => logit * factor) };
      expect(fitTemperature(scaled) / (temperature * factor)).toBeCloseTo(1, 8);
    }
    const wide = { ...p, logits: Float64Array.from(p.logits, (logit) => logit * 1e6) };
    expect(fitTemperature(wide)).toBe(TEMPERATURE_LIMITS.highest);
  });
});

function rows(margins: readonly number[], labels: readonly number[]): Predictions {
  return { logits: Float64Array.from(margins.flatMap((z) => [0, z])), labels: Int32Array.from(labels), classes: 2 };
}

describe("fitTemperature", () => {
  it("finds the closed form of equal margins", () => {
    expect(fitTemperature(rows([4, 4, 4, 4], [1, 1, 1, 0]))).toBeCloseTo(4 / Math.log(3), 9);
  });

  it("returns the lower limit for separable rows and the upper one for misleading logits", () => {
    expect(fitTemperature(rows([1, 2, -1, 300], [1, 1, 0, 1]))).toBe(TEMPERATURE_LIMITS.lowest);
    expect(fitTemperature(rows([1, 2, -1], [0, 0, 1]))).toBe(TEMPERATURE_LIMITS.highest);
    expect(fitTemperature(rows([3, 3], [0, 1]))).toBe(TEMPERATURE_LIMITS.highest);
  });

  it("returns the lower limit for rows so sure that every other class's probability underflows", () => {
    expect(fitTemperature(rows([1000, 5000, -2000], [1, 1, 0]))).toBe(TEMPERATURE_LIMITS.lowest);
    expect(fitTemperature(rows([1e6], [1]))).toBe(TEMPERATURE_LIMITS.lowest);
  });

  it("returns 1 for logits without spread", () => {
    expect(fitTemperature(rows([0, 0], [1, 1]))).toBe(1);
    expect(fitTemperature(rows([0, 0], [0, 1]))).toBe(1);
  });

  it("does not lose its way when one wrong row stands against many sure ones", () => {
    const margins = [...Array.from({ length: 1000 }, (_, i) => 500 + i), 1e-3];
    const temperature = fitTemperature(rows(margins, [...Array.from({ length: 1000 }, () => 1), 0]));
    const at = (T: number): number =>
      negativeLogLikelihood(
        applyTemperature(
          rows(
            margins,
            margins.map((z) => (z > 1 ? 1 : 0)),
          ),
          T,
        ),
      );
    expect(at(temperature)).toBeLessThanOrEqual(at(temperature * 1.01));
    expect(at(temperature)).toBeLessThanOrEqual(at(temperature / 1.01));
  });

  it.each([
    [3, [0, 1e-300, -29.9], [0]],
    [2, [29.9, 29.9, 29.9, -1e-200, 0, 1e-300], [1, 0, 0]],
    [2, [0.5, 29.9, 1e-300, 0], [1, 1]],
  ])("ends where derivatives underflow (%i classes, logits %j)", (classes, logits, labels) => {
    const p = { classes, logits: Float64Array.from(logits), labels: Int32Array.from(labels) };
    const temperature = fitTemperature(p);
    const best = negativeLogLikelihood(applyTemperature(p, temperature));
    for (const other of [TEMPERATURE_LIMITS.lowest, 1, TEMPERATURE_LIMITS.highest]) {
      expect(best).toBeLessThanOrEqual(negativeLogLikelihood(applyTemperature(p, other)) + 1e-12);
    }
  });

  it("gives no worse an NLL than its neighbours", () => {
    fc.assert(
      fc.property(arbitraryPredictions, (p) => {
        const temperature = fitTemperature(p);
        const best = negativeLogLikelihood(applyTemperature(p, temperature));
        for (const factor of [0.5, 0.99, 1.01, 2]) {
          const other = temperature * factor;
          if (other < TEMPERATURE_LIMITS.lowest || other > TEMPERATURE_LIMITS.highest) continue;
          expect(best).toBeLessThanOrEqual(negativeLogLikelihood(applyTemperature(p, other)) + 1e-12);
        }
      }),
    );
  });
});

describe("applyTemperature", () => {
  it("divides in Float64 and leaves the input and the predicted classes as they were", () => {
    const p: Predictions = { logits: Float32Array.of(1, 3), labels: Int32Array.of(1), classes: 2 };
    const scaled = applyTemperature(p, 3);
    expect(scaled.logits).toEqual(Float64Array.of(1 / 3, 1));
    expect(p.logits).toEqual(Float32Array.of(1, 3));
    expect(accuracy(scaled)).toBe(1);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses temperature %f", (temperature) => {
    expect(() => applyTemperature(rows([1], [1]), temperature)).toThrow(ConfigError);
  });
});
