import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { openProbabilityOf } from "../gate/hard-concrete.ts";
import { expectClose } from "../testing/index.ts";
import { type Controller, path, penalty, targetFraction } from "./controllers.ts";
import { constant, cosine, linear, warmUp } from "./schedules.ts";

/**
 * A model in numbers: gate j gains `utilities[j]` from being open and loses `multiplier` (shared among the gates), and follows the
 * gradient of the difference. Gates that are worth most are the last to close.
 */
function simulate(
  controller: Controller,
  steps: number,
  segment = 0,
  start = 3,
): { expected: number[]; multipliers: number[] } {
  const gates = 100;
  const logAlpha = Float64Array.from({ length: gates }, () => start);
  const utilities = logAlpha.map((_, j) => 0.5 * ((j + 1) / gates) ** 2);
  const fraction = (): number => logAlpha.reduce((sum, a) => sum + openProbabilityOf(a), 0) / gates;
  let multiplier = 0;
  const expected: number[] = [];
  const multipliers: number[] = [];
  for (let step = 0; step < steps; step++) {
    expected.push(fraction());
    multiplier = controller.update({ segment, progress: step / steps, expected: fraction() }, multiplier);
    multipliers.push(multiplier);
    logAlpha.forEach((a, j) => {
      // Adam moves log alpha by about its learning rate in the gradient's direction.
      logAlpha[j] = Math.min(5, Math.max(-5, a + 0.05 * Math.tanh(20 * ((utilities[j] ?? 0) - multiplier))));
    });
  }
  expected.push(fraction());
  return { expected, multipliers };
}

describe("penalty", () => {
  test("follows its schedule, whatever the gates do", () => {
    const controller = penalty(warmUp(0.2, cosine(0, 0.5)));
    const at = (progress: number, expected: number): number => controller.update({ segment: 0, progress, expected }, 9);
    expectClose([at(0.1, 1), at(0.6, 0.1), at(0.6, 0.9), at(1, 0)], [0, 0.25, 0.25, 0.5]);
    expect(controller).toMatchObject({ mode: "penalty", segments: [{ fraction: undefined, share: 1 }] });
  });

  test("is never negative", () => {
    expect(penalty(linear(-1, 1)).update({ segment: 0, progress: 0, expected: 1 }, 0)).toBe(0);
  });

  test("closes the gates that are worth less than it", () => {
    const { expected } = simulate(penalty(constant(0.125)), 2000);
    // Utility 0.5 x^2 exceeds 0.125 for the upper half.
    expectClose([expected.at(-1) ?? Number.NaN], [0.5], { absolute: 0.05 });
  });
});

describe("targetFraction", () => {
  test.each([0.75, 0.5, 0.25, 0.125, 1 / 32])(
    "dual ascent drives the expected fraction to %d and holds it",
    (fraction) => {
      const { expected, multipliers } = simulate(targetFraction({ fraction }), 6000);
      const end = expected.slice(-600);
      expect(Math.max(...end)).toBeLessThan(fraction + 0.05);
      expect(Math.min(...end)).toBeGreaterThan(fraction - 0.12);
      expect(Math.max(...multipliers)).toBeGreaterThan(0);
    },
  );

  test("the constraint is slack at first: nothing presses while everything may be open", () => {
    const controller = targetFraction({ fraction: 0.25 });
    expect(controller.update({ segment: 0, progress: 0, expected: 1 }, 0)).toBe(0);
    expect(controller.update({ segment: 0, progress: 0.05, expected: 0.99 }, 0)).toBe(0);
  });

  test("the multiplier rises with the relative violation and restarts at 0 when the constraint holds", () => {
    const controller = targetFraction({ fraction: 0.2, dualStep: 0.1, annealing: constant(1) });
    const update = (expected: number, multiplier: number): number =>
      controller.update({ segment: 0, progress: 0.9, expected }, multiplier);
    expectClose([update(0.3, 1)], [1 + 0.1 * 0.5], { absolute: 1e-12 });
    expectClose([update(0.8, 1)], [1 + 0.1 * 3], { absolute: 1e-12 });
    expect(update(0.199, 5)).toBe(0);
    expect(update(0.1, 5)).toBe(0);
  });

  test("a course beyond 1 asks for no less than the fraction", () => {
    const observation = { segment: 0, progress: 1, expected: 0.4 };
    const [plain, beyond] = [1, 2].map((end) => targetFraction({ fraction: 0.2, annealing: linear(0, end) }));
    expect(beyond?.update(observation, 0)).toBe(plain?.update(observation, 0));
  });

  test("keeps no state: the same observation gives the same multiplier", () => {
    const controller = targetFraction({ fraction: 0.2 });
    const observation = { segment: 0, progress: 0.5, expected: 0.9 };
    const first = controller.update(observation, 0.3);
    controller.update({ ...observation, expected: 0 }, 0.9);
    expect(controller.update(observation, 0.3)).toBe(first);
  });

  test("has one segment with its fraction", () => {
    expect(targetFraction({ fraction: 0.125, consolidation: 0.25 })).toMatchObject({
      mode: "target",
      segments: [{ fraction: 0.125, share: 1, consolidation: 0.25 }],
    });
  });

  test.each<[string, Parameters<typeof targetFraction>[0]]>([
    ["fraction 0", { fraction: 0 }],
    ["a fraction above 1", { fraction: 1.5 }],
    ["no number", { fraction: Number.NaN }],
    ["full consolidation", { fraction: 0.5, consolidation: 1 }],
    ["a dual step of 0", { fraction: 0.5, dualStep: 0 }],
  ])("refuses %s", (_, options) => {
    expect(() => targetFraction(options)).toThrow(ConfigError);
  });
});

describe("path", () => {
  const fractions = [1, 0.5, 0.25, 0.125];

  test("has a segment a fraction; shares add up to 1 and the first is the longest", () => {
    const { segments, mode } = path({ fractions, firstShare: 2 });
    expect(mode).toBe("path");
    expect(segments.map((segment) => segment.fraction)).toEqual(fractions);
    expectClose(
      segments.map((segment) => segment.share),
      [0.4, 0.2, 0.2, 0.2],
      { absolute: 1e-12 },
    );
  });

  test("within a segment the constraint falls from the fraction before to its own", () => {
    const controller = path({ fractions, dualStep: 1 });
    // multiplier 0 and step 1: the update is expected / target - 1, from which the target follows.
    const target = (segment: number, progress: number): number =>
      10 / (controller.update({ segment, progress, expected: 10 }, 0) + 1);
    expectClose([target(0, 0), target(0, 0.99)], [1, 1], { absolute: 1e-9 });
    expectClose([target(1, 0), target(1, 0.99)], [1, 0.5], { absolute: 1e-9 });
    expectClose([target(3, 0), target(3, 0.99)], [0.25, 0.125], { absolute: 1e-9 });
    const course = [0, 0.1, 0.2, 0.3, 0.4, 0.5].map((progress) => target(2, progress));
    expect(course).toEqual([...course].sort((a, b) => b - a));
  });

  test("each segment drives the simulated fraction to its own", () => {
    const controller = path({ fractions });
    for (const [segment, fraction] of fractions.entries()) {
      const { expected } = simulate(controller, 4000, segment);
      expect(expected.at(-1), `segment ${segment}`).toBeLessThan(fraction + 0.05);
    }
  });

  test.each<[string, Parameters<typeof path>[0]]>([
    ["no fractions", { fractions: [] }],
    ["rising fractions", { fractions: [0.25, 0.5] }],
    ["equal fractions", { fractions: [0.5, 0.5] }],
    ["a fraction above 1", { fractions: [2, 1] }],
    ["a fraction of 0", { fractions: [1, 0] }],
    ["full consolidation", { fractions: [1], consolidation: 1 }],
    ["a first share of 0", { fractions: [1, 0.5], firstShare: 0 }],
    ["a negative dual step", { fractions: [1], dualStep: -1 }],
  ])("refuses %s", (_, options) => {
    expect(() => path(options)).toThrow(ConfigError);
  });
});
