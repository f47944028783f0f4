import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { expectClose } from "../testing/index.ts";
import { constant, cosine, cubic, exponential, holdAtEnd, linear, rampUp, type Schedule, warmUp } from "./schedules.ts";

const at = (schedule: Schedule, ...progress: number[]): number[] => progress.map(schedule);
const exact = { absolute: 1e-12 };

describe("values by hand", () => {
  test.each<[string, Schedule, number[]]>([
    ["constant", constant(3), [3, 3, 3, 3]],
    ["linear", linear(1, 3), [1, 1.5, 2, 3]],
    ["cosine", cosine(0, 1), [0, (1 - Math.SQRT1_2) / 2, 0.5, 1]],
    ["cubic", cubic(0, 1), [0, 1 - 0.75 ** 3, 0.875, 1]],
    ["exponential", exponential(1, 16), [1, 2, 4, 16]],
  ])("%s at 0, 1/4, 1/2 and 1", (_, schedule, values) => {
    expectClose(at(schedule, 0, 0.25, 0.5, 1), values, exact);
  });

  test("warmUp holds the first value, then runs the rest of the way", () => {
    expectClose(at(warmUp(0.2, linear(1, 3)), 0, 0.1, 0.2, 0.6, 1), [1, 1, 1, 2, 3], exact);
  });

  test("holdAtEnd runs first, then holds the last value", () => {
    expectClose(at(holdAtEnd(0.2, linear(1, 3)), 0, 0.4, 0.8, 0.9, 1), [1, 2, 3, 3, 3], exact);
  });

  test("rampUp rises from 0 to the first value, then runs the schedule", () => {
    expectClose(at(rampUp(0.2, linear(2, 0)), 0, 0.1, 0.2, 0.6, 1), [0, 1, 2, 1, 0], exact);
    expectClose(at(rampUp(0, linear(2, 0)), 0, 1), [2, 0], exact);
  });

  test("they compose", () => {
    const schedule = warmUp(0.5, holdAtEnd(0.5, linear(0, 1)));
    expectClose(at(schedule, 0.5, 0.625, 0.75, 1), [0, 0.5, 1, 1], exact);
  });
});

describe("laws", () => {
  const value = fc.double({ min: 0.01, max: 100, noNaN: true });
  const progress = fc.double({ min: 0, max: 1, noNaN: true });
  const share = fc.double({ min: 0, max: 0.99, noNaN: true });
  const kinds = { linear, cosine, cubic, exponential };
  const anySchedule = fc
    .tuple(fc.constantFrom(...Object.values(kinds)), value, value)
    .map(([make, start, end]) => ({ schedule: make(start, end), start, end }));

  test("each starts at start, ends at end, stays between them, and never turns", () => {
    fc.assert(
      fc.property(anySchedule, progress, progress, ({ schedule, start, end }, a, b) => {
        expectClose(at(schedule, 0, 1), [start, end], { absolute: 1e-9 });
        const [early, late] = at(schedule, Math.min(a, b), Math.max(a, b)) as [number, number];
        const direction = Math.sign(end - start);
        expect((late - early) * direction).toBeGreaterThanOrEqual(-1e-9);
        expect((early - start) * direction).toBeGreaterThanOrEqual(-1e-9);
        expect((end - late) * direction).toBeGreaterThanOrEqual(-1e-9);
      }),
    );
  });

  test("progress outside [0, 1] is clamped", () => {
    fc.assert(
      fc.property(anySchedule, share, ({ schedule, start, end }, s) => {
        expectClose(at(schedule, -1, 2), [start, end], { absolute: 1e-9 });
        expectClose(at(warmUp(s, schedule), -1, 2), [start, end], { absolute: 1e-9 });
        expectClose(at(holdAtEnd(s, schedule), -1, 2), [start, end], { absolute: 1e-9 });
        expectClose(at(rampUp(s, schedule), 2), [end], { absolute: 1e-9 });
      }),
    );
  });
});

test.each([-0.1, 1, Number.NaN])("%d is no share", (share) => {
  for (const wrap of [warmUp, holdAtEnd, rampUp]) expect(() => wrap(share, constant(1))).toThrow(ConfigError);
});

test.each([
  [0, 1],
  [1, 0],
  [-1, 2],
  [Number.NaN, 1],
])("exponential from %d to %d is an error", (start, end) => {
  expect(() => exponential(start, end)).toThrow(ConfigError);
});
