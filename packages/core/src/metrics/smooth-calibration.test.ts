import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryPredictions, binaryPredictions, reordered } from "../../test/metrics/arbitrary-predictions.ts";
import { golden } from "../../test/reference/golden.ts";
import { ConfigError } from "../errors.ts";
import { Random } from "../random.ts";
import { type Predictions, topLabels } from "./predictions.ts";
import { smoothCalibrationError } from "./smooth-calibration.ts";

/** The definition, point by point: |residuals times reflected kernel|, images up to two reflections away. */
function byDefinition(p: Predictions, bandwidth: number): number {
  const { confidence, correct } = topLabels(p);
  const points = 4000;
  let integral = 0;
  for (let i = 0; i < points; i++) {
    const t = (i + 0.5) / points;
    let sum = 0;
    confidence.forEach((value, row) => {
      for (const image of [-2, 0, 2, 4].flatMap((shift) => [shift + value, shift - value])) {
        sum += (value - (correct[row] ?? 0)) * Math.exp(-(((t - image) / bandwidth) ** 2) / 2);
      }
    });
    integral += Math.abs(sum) / points;
  }
  return integral / (confidence.length * bandwidth * Math.sqrt(2 * Math.PI));
}

/** Rows whose confidence and chance of being right follow a fixed law; `scale` 1 is calibrated. */
function simulated(rows: number, scale: number): Predictions {
  const random = Random.from(5);
  const logits = new Float64Array(2 * rows);
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const z = 2 * random.normal();
    logits[2 * row + 1] = scale * z;
    return random.next() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
  });
  return { logits, labels, classes: 2 };
}

describe.each(golden)("golden values, %s", (_, p, expected) => {
  it("with its own bandwidth", () => {
    expect(Math.abs(smoothCalibrationError(p) - expected.smoothEce_relplot)).toBeLessThan(6e-4);
  });

  it("at bandwidth 0.05", () => {
    expect(Math.abs(smoothCalibrationError(p, { bandwidth: 0.05 }) - expected.smoothEce_sigma005)).toBeLessThan(6e-4);
  });
});

describe("smoothCalibrationError", () => {
  it.each([0.01, 0.05, 0.3])("equals the definition at bandwidth %f, saturated confidences included", (bandwidth) => {
    const p = simulated(150, 6);
    expect(smoothCalibrationError(p, { bandwidth })).toBeCloseTo(byDefinition(p, bandwidth), 4);
  });

  it("chooses the bandwidth that equals the error", () => {
    const p = simulated(400, 2);
    const error = smoothCalibrationError(p);
    expect(smoothCalibrationError(p, { bandwidth: error })).toBeCloseTo(error, 5);
  });

  it("is small for calibrated rows and large for overconfident ones", () => {
    expect(smoothCalibrationError(simulated(20_000, 1))).toBeLessThan(0.015);
    expect(smoothCalibrationError(simulated(20_000, 5))).toBeGreaterThan(0.1);
  });

  it("is 0 without residuals and 1 when certain and wrong", () => {
    const logits = Float64Array.of(0, 1000, 0, 1000);
    expect(smoothCalibrationError({ logits, labels: Int32Array.of(1, 1), classes: 2 })).toBe(0);
    expect(smoothCalibrationError({ logits, labels: Int32Array.of(0, 0), classes: 2 })).toBeCloseTo(1, 6);
  });

  it("of equal confidences is their gap, since the kernel keeps the mass within [0, 1]", () => {
    for (const probability of [0.5, 0.731, 0.999]) {
      const gap = Math.abs(probability - 0.5);
      expect(smoothCalibrationError(binaryPredictions([probability, probability], [0, 1]))).toBeCloseTo(gap, 6);
    }
  });

  it("lies in [0, 1], ignores the order of rows, and falls as the bandwidth grows", () => {
    fc.assert(
      fc.property(arbitraryPredictions, fc.nat(), (p, seed) => {
        const error = smoothCalibrationError(p, { bandwidth: 0.1 });
        const shuffled = reordered(p, Random.from(seed).permutation(p.labels.length));
        expect(error).toBeGreaterThanOrEqual(0);
        expect(error).toBeLessThanOrEqual(1 + 1e-6);
        expect(smoothCalibrationError(shuffled, { bandwidth: 0.1 })).toBeCloseTo(error, 10);
        expect(smoothCalibrationError(p, { bandwidth: 0.2 })).toBeLessThanOrEqual(error + 1e-6);
      }),
      { numRuns: 50 },
    );
  });

  it.each([0, 0.0009, 1.1, -1, Number.NaN])("refuses bandwidth %f", (bandwidth) => {
    expect(() => smoothCalibrationError(binaryPredictions([0.5], [0]), { bandwidth })).toThrow(ConfigError);
  });
});
