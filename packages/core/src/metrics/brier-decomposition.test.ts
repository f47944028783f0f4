import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryPredictions, binaryPredictions, reordered } from "../../test/metrics/arbitrary-predictions.ts";
import { golden } from "../../test/reference/golden.ts";
import { Random } from "../random.ts";
import { brierDecomposition } from "./brier-decomposition.ts";
import { brierScore } from "./classification.ts";

describe.each(golden)("golden values, %s", (_, p, expected) => {
  it("all four parts", () => {
    const parts = brierDecomposition(p);
    for (const part of ["brier", "miscalibration", "discrimination", "uncertainty"] as const) {
      expect(Math.abs(parts[part] - expected.corpTopLabelBrier[part])).toBeLessThan(1e-9);
    }
  });
});

describe("brierDecomposition", () => {
  it("adds up, with no negative part, whatever the order of rows", () => {
    fc.assert(
      fc.property(arbitraryPredictions, fc.nat(), (p, seed) => {
        const parts = brierDecomposition(p);
        const { brier, miscalibration, discrimination, uncertainty } = parts;
        expect(miscalibration - discrimination + uncertainty).toBeCloseTo(brier, 12);
        expect(miscalibration).toBeGreaterThanOrEqual(-1e-12);
        expect(discrimination).toBeGreaterThanOrEqual(-1e-12);
        const shuffled = brierDecomposition(reordered(p, Random.from(seed).permutation(p.labels.length)));
        expect(shuffled.miscalibration).toBeCloseTo(miscalibration, 12);
      }),
    );
  });

  it("of two classes is half the summed Brier score", () => {
    const p = binaryPredictions([0.9, 0.8, 0.3, 0.6], [1, 0, 0, 1]);
    expect(brierDecomposition(p).brier).toBeCloseTo(brierScore(p) / 2, 14);
  });

  it("pools violators: right at 0.6, wrong at 0.9 gives one block", () => {
    const { miscalibration, discrimination, uncertainty } = brierDecomposition(binaryPredictions([0.6, 0.9], [1, 0]));
    expect(discrimination).toBeCloseTo(0, 14);
    expect(uncertainty).toBe(0.25);
    expect(miscalibration).toBeCloseTo((0.16 + 0.81) / 2 - 0.25, 14);
  });

  it("separates perfectly when right and wrong do not overlap", () => {
    const { discrimination, uncertainty } = brierDecomposition(binaryPredictions([0.6, 0.7, 0.8, 0.9], [0, 0, 1, 1]));
    expect(discrimination).toBeCloseTo(uncertainty, 14);
  });
});
