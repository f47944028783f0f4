import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryPredictions, binaryPredictions, reordered } from "../../test/metrics/arbitrary-predictions.ts";
import { golden } from "../../test/reference/golden.ts";
import { ConfigError, DataError, ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import { binaryCalibrationError, type CalibrationOptions, calibrationError, reliabilityCurve } from "./calibration.ts";
import { probabilities } from "./predictions.ts";

describe.each(golden)("golden values, %s", (_, p, expected) => {
  const cases: [CalibrationOptions, number][] = [
    [{}, expected.ece15.l1],
    [{ norm: "l2" }, expected.ece15.l2],
    [{ norm: "max" }, expected.ece15.max],
    [{ bins: 10 }, expected.ece10],
    [{ binning: "equal-mass" }, expected.equalMass15_arraySplit],
    [{ binning: "equal-mass", norm: "l2" }, expected.topLabelL2Plugin_equalMass15],
    [{ binning: "equal-mass", norm: "l2", debiased: true }, expected.topLabelL2Debiased_equalMass15],
    [{ norm: "l2", debiased: true }, expected.topLabelL2Debiased_equalWidth15],
    [{ target: "classwise" }, expected.classwise15],
  ];
  it.each(cases)("calibrationError with %o", (options, value) => {
    expect(Math.abs(calibrationError(p, options) - value)).toBeLessThan(1e-9);
  });

  it("reliabilityCurve", () => {
    const curve = reliabilityCurve(p);
    expect(curve).toHaveLength(expected.ece15.bins.length);
    curve.forEach((bin, i) => {
      const { count, confidence, accuracy } = expected.ece15.bins[i] ?? {};
      expect(bin.lower).toBeCloseTo(i / 15, 15);
      expect(bin.upper).toBeCloseTo((i + 1) / 15, 15);
      expect(bin.count).toBe(count);
      if (count === 0) expect([bin.confidence, bin.accuracy]).toEqual([null, null]);
      else {
        expect(bin.confidence).toBeCloseTo(confidence ?? Number.NaN, 9);
        expect(bin.accuracy).toBeCloseTo(accuracy ?? Number.NaN, 9);
      }
    });
  });
});

const allOptions: fc.Arbitrary<CalibrationOptions> = fc
  .record({
    bins: fc.integer({ min: 1, max: 60 }),
    binning: fc.constantFrom("equal-width", "equal-mass"),
    norm: fc.constantFrom("l1", "l2", "max"),
    target: fc.constantFrom("top-label", "classwise"),
    debiased: fc.boolean(),
  })
  .map((options) => (options.debiased ? { ...options, norm: "l2", target: "top-label" } : options));

describe("calibrationError", () => {
  it("lies in [0, 1]", () => {
    fc.assert(
      fc.property(arbitraryPredictions, allOptions, (p, options) => {
        const error = calibrationError(p, options);
        expect(error).toBeGreaterThanOrEqual(0);
        expect(error).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("grows from l1 to l2 to max, and debiasing only lowers it", () => {
    fc.assert(
      fc.property(arbitraryPredictions, allOptions, (p, { bins = 15, binning = "equal-width" }) => {
        const [l1, l2, max] = (["l1", "l2", "max"] as const).map((norm) =>
          calibrationError(p, { bins, binning, norm }),
        );
        const debiased = calibrationError(p, { bins, binning, norm: "l2", debiased: true });
        expect(l1).toBeLessThanOrEqual((l2 ?? 0) + 1e-12);
        expect(l2).toBeLessThanOrEqual((max ?? 0) + 1e-12);
        expect(debiased).toBeLessThanOrEqual((l2 ?? 0) + 1e-12);
      }),
    );
  });

  it("ignores the order of rows: with equal width always, with equal mass when no confidences tie", () => {
    const distinct = fc
      .uniqueArray(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 50 })
      .chain((margins) =>
        fc.record({
          margins: fc.constant(margins),
          labels: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: margins.length, maxLength: margins.length }),
        }),
      )
      .map(({ margins, labels }) => ({
        logits: Float64Array.from(margins.flatMap((margin) => [0, margin / 1000])),
        labels: Int32Array.from(labels),
        classes: 2,
      }));
    fc.assert(
      fc.property(arbitraryPredictions, distinct, allOptions, fc.nat(), (tied, untied, options, seed) => {
        const p = options.binning === "equal-mass" ? untied : tied;
        const shuffled = reordered(p, Random.from(seed).permutation(p.labels.length));
        // The square root of a sum that should be 0 turns 1e-17 of rounding into 3e-9.
        const digits = options.debiased ? 7 : 10;
        expect(calibrationError(shuffled, { ...options, target: "top-label" })).toBeCloseTo(
          calibrationError(p, { ...options, target: "top-label" }),
          digits,
        );
      }),
    );
  });

  it("is 0 with one bin when mean confidence equals accuracy", () => {
    const p = binaryPredictions([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0]);
    expect(calibrationError(p)).toBeCloseTo(0, 14);
  });

  it("adds nothing for bins under two rows when debiased", () => {
    expect(calibrationError(binaryPredictions([0.99], [0]), { norm: "l2", debiased: true })).toBe(0);
  });

  const impossible: [string, object, RegExp][] = [
    ["no bins", { bins: 0 }, /bins to be an integer of at least 1, received 0/],
    ["half a bin", { bins: 1.5 }, /received 1.5/],
    ["an unknown binning", { binning: "adaptive" }, /binning to be one of equal-width, equal-mass, received adaptive/],
    ["an unknown norm", { norm: "l3" }, /norm to be one of l1, l2, max, received l3/],
    ["an unknown target", { target: "all" }, /target to be one of top-label, classwise, received all/],
    ["debiased l1", { debiased: true }, /received norm l1 and target top-label/],
    ["debiased max", { debiased: true, norm: "max" }, /received norm max/],
    ["debiased classwise", { debiased: true, norm: "l2", target: "classwise" }, /target classwise/],
  ];
  it.each(impossible)("refuses %s", (_, options, message) => {
    const p = binaryPredictions([0.5], [0]);
    expect(() => calibrationError(p, options)).toThrow(ConfigError);
    expect(() => calibrationError(p, options)).toThrow(message);
  });
});

describe("binaryCalibrationError", () => {
  it("keeps confidence 1 in the last bin", () => {
    expect(binaryCalibrationError([0.95, 1], [1, 0], { bins: 10 })).toBeCloseTo(0.475, 14);
  });

  it("counts a confidence of exactly 0", () => {
    expect(binaryCalibrationError([0, 1], [1, 1])).toBe(0.5);
  });

  it.each([
    ["l1", 0.29],
    ["l2", 0.2918332857],
    ["max", 0.3166666667],
  ] as const)("equals the published example, %s", (norm, value) => {
    const error = binaryCalibrationError([0.25, 0.25, 0.55, 0.75, 0.75], [0, 0, 1, 1, 1], { bins: 2, norm });
    expect(error).toBeCloseTo(value, 9);
  });

  it("puts a confidence that is a bin's upper bound into that bin, whatever the product with the bins rounds to", () => {
    for (const bins of [2, 3, 7, 10, 15, 49, 100]) {
      for (let i = 1; i < bins; i++) {
        // One bin holds both values only if the boundary belongs to the lower one; apart, the largest gap would be 1 - (i - 0.5) / bins.
        const inside = (i - 0.5) / bins;
        const error = binaryCalibrationError([inside, i / bins], [0, 1], { bins, norm: "max" });
        expect(error).toBeCloseTo(Math.abs((inside + i / bins) / 2 - 0.5), 12);
      }
    }
  });

  it("splits sorted confidences into sizes that differ by at most one, larger first", () => {
    // Groups {0.1, 0.2}, {0.3}: |0.15 - 0.5| * 2 / 3 + |0.3 - 1| / 3.
    const error = binaryCalibrationError([0.3, 0.1, 0.2], [1, 0, 1], { bins: 2, binning: "equal-mass" });
    expect(error).toBeCloseTo((2 * 0.35 + 0.7) / 3, 14);
  });

  it("is the classwise error of one class", () => {
    fc.assert(
      fc.property(arbitraryPredictions, (p) => {
        const softmax = probabilities(p);
        const errors = Array.from({ length: p.classes }, (_, k) =>
          binaryCalibrationError(
            Array.from(p.labels, (_label, row) => softmax[row * p.classes + k] ?? -1),
            Array.from(p.labels, (label) => (label === k ? 1 : 0)),
          ),
        );
        const mean = errors.reduce((sum, error) => sum + error, 0) / p.classes;
        expect(calibrationError(p, { target: "classwise" })).toBeCloseTo(mean, 14);
      }),
    );
  });

  it("refuses what is not a probability or an outcome", () => {
    expect(() => binaryCalibrationError([0.5, 0.5], [1])).toThrow(ShapeError);
    expect(() => binaryCalibrationError([], [])).toThrow(DataError);
    expect(() => binaryCalibrationError([0.5, 1.01], [1, 1])).toThrow(
      /probabilities from 0 to 1, received 1.01 in row 1/,
    );
    expect(() => binaryCalibrationError([Number.NaN], [1])).toThrow(/received NaN in row 0/);
    expect(() => binaryCalibrationError([0.5], [2])).toThrow(/outcomes 0 or 1, received 2 in row 0/);
    expect(() => binaryCalibrationError([0.5], [1], { debiased: true })).toThrow(ConfigError);
  });
});

describe("reliabilityCurve", () => {
  it("gives back the calibration error", () => {
    fc.assert(
      fc.property(arbitraryPredictions, allOptions, (p, { bins = 15, binning = "equal-width" }) => {
        const curve = reliabilityCurve(p, { bins, binning });
        const rows = curve.reduce((sum, bin) => sum + bin.count, 0);
        const l1 = curve.reduce(
          (sum, bin) => sum + bin.count * Math.abs((bin.confidence ?? 0) - (bin.accuracy ?? 0)),
          0,
        );
        expect(rows).toBe(p.labels.length);
        expect(l1 / rows).toBeCloseTo(calibrationError(p, { bins, binning }), 12);
        for (const bin of curve) {
          if (bin.confidence === null) continue;
          expect(bin.confidence).toBeGreaterThanOrEqual(bin.lower - 1e-12);
          expect(bin.confidence).toBeLessThanOrEqual(bin.upper + 1e-12);
        }
      }),
    );
  });

  it("has no more equal-mass groups than rows", () => {
    const curve = reliabilityCurve(binaryPredictions([0.6, 0.9], [1, 1]), { binning: "equal-mass" });
    expect(curve.map(({ count }) => count)).toEqual([1, 1]);
    expect(curve[1]?.lower).toBeCloseTo(0.9, 14);
    expect(curve[1]?.upper).toBeCloseTo(0.9, 14);
  });

  it("refuses bins that are not a positive integer", () => {
    expect(() => reliabilityCurve(binaryPredictions([0.5], [0]), { bins: -1 })).toThrow(ConfigError);
  });
});
