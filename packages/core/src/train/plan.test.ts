import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { path, penalty, targetFraction } from "../control/controllers.ts";
import { constant } from "../control/schedules.ts";
import { ConfigError } from "../errors.ts";
import { planSegments } from "./plan.ts";

describe("by hand", () => {
  test("a dense model has one segment without gates", () => {
    expect(planSegments(3, undefined)).toEqual([{ fraction: undefined, epochs: 3, gates: 0, latestFreeze: 0 }]);
  });

  test("a target: 10 epochs with 40 % consolidation, half of which gates may use up", () => {
    const controller = targetFraction({ fraction: 0.25, consolidation: 0.4 });
    expect(planSegments(10, controller)).toEqual([{ fraction: 0.25, epochs: 10, gates: 6, latestFreeze: 8 }]);
  });

  test("no consolidation still leaves one epoch of it, which gates cannot use up", () => {
    const plan = planSegments(4, penalty(constant(1), { consolidation: 0 }));
    expect(plan).toEqual([{ fraction: undefined, epochs: 4, gates: 3, latestFreeze: 3 }]);
  });

  test("a path: the first segment is as long as its share says", () => {
    const plan = planSegments(12, path({ fractions: [1, 0.5, 0.25, 0.125], firstShare: 3, consolidation: 0.5 }));
    expect(plan.map(({ epochs, gates }) => [epochs, gates])).toEqual([
      [6, 3],
      [2, 1],
      [2, 1],
      [2, 1],
    ]);
  });
});

test("epochs add up, and every segment has room for both phases, however few epochs there are", () => {
  const cases = fc.record({
    segments: fc.integer({ min: 1, max: 9 }),
    more: fc.integer({ min: 0, max: 60 }),
    consolidation: fc.double({ min: 0, max: 0.999, noNaN: true }),
    firstShare: fc.double({ min: 0.01, max: 20, noNaN: true }),
  });
  fc.assert(
    fc.property(cases, ({ segments, more, ...options }) => {
      const fractions = Array.from({ length: segments }, (_, i) => 2 ** -i);
      const epochs = 2 * segments + more;
      const plan = planSegments(epochs, path({ fractions, ...options }));
      expect(plan.map(({ fraction }) => fraction)).toEqual(fractions);
      expect(plan.reduce((sum, segment) => sum + segment.epochs, 0)).toBe(epochs);
      for (const { epochs: length, gates, latestFreeze } of plan) {
        expect(gates).toBeGreaterThanOrEqual(1);
        expect(latestFreeze).toBeGreaterThanOrEqual(gates);
        expect(latestFreeze).toBeLessThan(length);
      }
    }),
  );
});

test.each([0, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY])("%d epochs are an error", (epochs) => {
  expect(() => planSegments(epochs, undefined)).toThrow(ConfigError);
});

test("fewer than two epochs a segment are an error", () => {
  expect(() => planSegments(5, path({ fractions: [1, 0.5, 0.25] }))).toThrow(/at least 6/);
});
