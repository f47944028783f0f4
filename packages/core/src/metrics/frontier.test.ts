import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { hypervolume, paretoFrontier, type TradeOff } from "./frontier.ts";

const axes = {
  cost: (run: { fraction: number; accuracy: number }) => run.fraction,
  value: (run: { fraction: number; accuracy: number }) => run.accuracy,
};

/** Multiples of 1/8, so that points coincide often and areas are exact. */
const eighths = fc.integer({ min: 0, max: 8 }).map((i) => i / 8);
const tradeOffs = fc.array(fc.record({ cost: eighths, value: eighths }), { maxLength: 12 });
const worst: TradeOff = { cost: 1, value: 0 };

describe("paretoFrontier", () => {
  it("keeps what nothing beats, cheapest first", () => {
    const runs = [
      { fraction: 1, accuracy: 0.86 },
      { fraction: 0.125, accuracy: 0.85 },
      { fraction: 0.5, accuracy: 0.849 },
      { fraction: 0.03125, accuracy: 0.84 },
      { fraction: 0.125, accuracy: 0.85 },
    ];
    const frontier = paretoFrontier(runs, axes);
    expect(frontier).toEqual([runs[3], runs[1], runs[0]]);
    expect(frontier[1]).toBe(runs[1]);
  });

  it("holds exactly the points that no other dominates", () => {
    fc.assert(
      fc.property(tradeOffs, (points) => {
        const frontier = paretoFrontier(points);
        const dominates = (p: TradeOff, q: TradeOff): boolean =>
          p.cost <= q.cost && p.value >= q.value && (p.cost < q.cost || p.value > q.value);
        const kept = new Set(frontier.map((p) => `${p.cost} ${p.value}`));
        expect(kept.size).toBe(frontier.length);
        for (const q of points) {
          expect(kept.has(`${q.cost} ${q.value}`)).toBe(!points.some((p) => dominates(p, q)));
        }
      }),
    );
  });

  it("leaves its input as it was and accepts none", () => {
    const points = [
      { cost: 2, value: 2 },
      { cost: 1, value: 1 },
    ];
    paretoFrontier(points);
    expect(points.map(({ cost }) => cost)).toEqual([2, 1]);
    expect(paretoFrontier([])).toEqual([]);
  });

  it("refuses points without finite numbers", () => {
    expect(() =>
      paretoFrontier([
        { cost: 1, value: 1 },
        { cost: Number.NaN, value: 1 },
      ]),
    ).toThrow(DataError);
    expect(() => paretoFrontier([{ cost: 1, value: Number.POSITIVE_INFINITY }])).toThrow(/value Infinity at index 0/);
  });
});

describe("hypervolume", () => {
  it("adds the area of steps", () => {
    const runs = [
      { fraction: 0.5, accuracy: 0.9 },
      { fraction: 0.25, accuracy: 0.8 },
      { fraction: 0.75, accuracy: 0.85 },
    ];
    expect(hypervolume(runs, { cost: 1, value: 0.5 }, axes)).toBeCloseTo(0.275, 14);
  });

  it("counts the cells of a grid that some point covers", () => {
    fc.assert(
      fc.property(tradeOffs, (points) => {
        let cells = 0;
        for (let i = 0; i < 8; i++) {
          for (let j = 0; j < 8; j++) {
            if (points.some((p) => p.cost <= i / 8 && p.value >= (j + 1) / 8)) cells++;
          }
        }
        expect(hypervolume(points, worst)).toBe(cells / 64);
      }),
    );
  });

  it("never falls when a point comes in, and does not change when it was dominated", () => {
    fc.assert(
      fc.property(tradeOffs, fc.record({ cost: eighths, value: eighths }), (points, point) => {
        const before = hypervolume(points, worst);
        const after = hypervolume([...points, point], worst);
        expect(after).toBeGreaterThanOrEqual(before);
        if (points.some((p) => p.cost <= point.cost && p.value >= point.value)) expect(after).toBe(before);
        expect(hypervolume(paretoFrontier(points), worst)).toBe(before);
      }),
    );
  });

  it("is 0 without points or with none better than the reference on both axes", () => {
    expect(hypervolume([], worst)).toBe(0);
    expect(
      hypervolume(
        [
          { cost: 2, value: 5 },
          { cost: 0.5, value: -1 },
        ],
        worst,
      ),
    ).toBe(0);
  });

  it("refuses a point or a reference without finite numbers", () => {
    expect(() => hypervolume([{ cost: 0, value: Number.NaN }], worst)).toThrow(DataError);
    expect(() => hypervolume([], { cost: Number.POSITIVE_INFINITY, value: 0 })).toThrow(DataError);
  });
});
