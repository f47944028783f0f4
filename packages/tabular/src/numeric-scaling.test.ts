import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalQuantile } from "./normal-quantile.ts";
import { fitQuantileScaling, fitStandardScaling, quantileOf, scale } from "./numeric-scaling.ts";

const numbers = fc
  .array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 })
  .map((xs) => Float64Array.from(xs).sort());

test("quantileOf interpolates linearly, as numpy does", () => {
  const sorted = Float64Array.of(1, 2, 4, 8);
  expect([0, 0.25, 0.5, 1].map((share) => quantileOf(sorted, share))).toEqual([1, 1.75, 3, 8]);
});

describe("quantile scaling", () => {
  test("is monotone and bounded for any column and any value", () => {
    fc.assert(
      fc.property(
        numbers,
        fc.integer({ min: 2, max: 300 }),
        fc.double({ noNaN: true }),
        fc.double({ noNaN: true }),
        (xs, q, a, b) => {
          const scaling = fitQuantileScaling(xs, q);
          const [low, high] = [scale(scaling, Math.min(a, b)), scale(scaling, Math.max(a, b))];
          expect(low).toBeLessThanOrEqual(high);
          expect(low).toBeGreaterThan(-5.2);
          expect(high).toBeLessThan(5.2);
        },
      ),
    );
  });

  test("gives the normal quantile of a number's rank", () => {
    const scaling = fitQuantileScaling(Float64Array.of(10, 20, 30, 40, 50), 1000);
    expect(scale(scaling, 30)).toBe(0);
    expect(scale(scaling, 20)).toBeCloseTo(normalQuantile(0.25), 12);
    expect(scale(scaling, 45)).toBeCloseTo(normalQuantile(0.875), 12);
    expect(scale(scaling, 60)).toBeCloseTo(5.199337582290662, 12);
    expect(scale(scaling, -3)).toBeCloseTo(-5.199337582290662, 8);
  });

  test("gives ties the middle of their ranks, also at the edge", () => {
    const scaling = fitQuantileScaling(Float64Array.of(0, 0, 0, 5, 5, 5, 9), 7);
    expect(scale(scaling, 0)).toBeCloseTo(normalQuantile(1 / 6), 12);
    expect(scale(scaling, 5)).toBeCloseTo(normalQuantile(4 / 6), 12);
    // Between two values the rank goes from the last tie of one to the first tie of the other.
    expect(scale(scaling, 2.5)).toBeCloseTo(normalQuantile((2 + 0.5) / 6), 12);
  });

  test("puts a constant column at 0", () => {
    const scaling = fitQuantileScaling(Float64Array.of(3, 3, 3), 1000);
    expect(scale(scaling, 3)).toBe(0);
    expect(scale(fitQuantileScaling(Float64Array.of(3), 1000), 3)).toBe(0);
  });

  test("makes training numbers normal", () => {
    const xs = Float64Array.from({ length: 5001 }, (_, i) => Math.exp(i / 500)).sort();
    const scaled = [...xs].slice(1, -1).map((x) => scale(fitted, x));
    const mean = scaled.reduce((sum, x) => sum + x, 0) / scaled.length;
    const variance = scaled.reduce((sum, x) => sum + (x - mean) ** 2, 0) / scaled.length;
    expect(mean).toBeCloseTo(0, 2);
    expect(variance).toBeCloseTo(1, 1);
  });
  const fitted = fitQuantileScaling(
    Float64Array.from({ length: 5001 }, (_, i) => Math.exp(i / 500)),
    1000,
  );
});

test("standard scaling gives mean 0 and deviation 1, and leaves a constant at 0", () => {
  fc.assert(
    fc.property(
      numbers.filter((xs) => (xs.at(-1) ?? 0) - (xs[0] ?? 0) > 1),
      (xs) => {
        const scaling = fitStandardScaling(xs);
        const scaled = Array.from(xs, (x) => scale(scaling, x));
        const mean = scaled.reduce((sum, x) => sum + x, 0) / scaled.length;
        expect(mean).toBeCloseTo(0, 6);
        expect(scaled.reduce((sum, x) => sum + (x - mean) ** 2, 0) / scaled.length).toBeCloseTo(1, 6);
      },
    ),
  );
  expect(scale(fitStandardScaling(Float64Array.of(7, 7)), 7)).toBe(0);
  expect(scale(fitStandardScaling(Float64Array.of(7, 8)), 1e300)).toBe(100);
});
