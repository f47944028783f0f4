import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { expectClose } from "../testing/index.ts";
import {
  budgetOf,
  frozenValues,
  type GateState,
  gateHealth,
  gatesOpenByRule,
  LIVE,
  MINIMUM_OPEN_VALUE,
  strongestGates,
} from "./budget.ts";
import { gateValue, logAlphaFor } from "./hard-concrete.ts";

function state(logAlpha: readonly number[], parts: { fixed?: number[]; sizes?: number[] } = {}): GateState {
  return {
    logAlpha: Float32Array.from(logAlpha),
    fixed: Float32Array.from(parts.fixed ?? logAlpha.map(() => LIVE)),
    sizes: Int32Array.from(parts.sizes ?? logAlpha.map(() => 1)),
  };
}

describe("budgetOf", () => {
  test.each([
    [1, 128, 128],
    [1 / 8, 128, 16],
    [1 / 32, 128, 4],
    [0.3, 10, 3],
    [0.15, 10, 2],
    [1 / 256, 128, 1],
  ])("%d of %d dimensions is %d", (fraction, dimensions, count) => {
    expect(budgetOf(fraction, dimensions)).toBe(count);
  });

  test.each([0, -0.5, 1.01, Number.NaN])("%d is no fraction", (fraction) => {
    expect(() => budgetOf(fraction, 128)).toThrow(/a number in \(0, 1\]/);
  });

  test("a fraction that rounds to no dimension says what would not", () => {
    expect(() => budgetOf(0.001, 128)).toThrow(/at least 0\.00390625 of 128 dimensions, received 0\.001/);
  });
});

describe("strongestGates", () => {
  test("takes the largest log alphas, strongest first, and the earlier of two equals", () => {
    expect(strongestGates(state([0, 3, -1, 3, 2]), 3)).toEqual([1, 3, 4]);
  });

  test("never takes a gate that is fixed shut, and takes one that is fixed open", () => {
    expect(strongestGates(state([5, 1, 0], { fixed: [0, 1, LIVE] }), 3)).toEqual([1, 2]);
  });

  test("passes over a group that does not fit", () => {
    expect(strongestGates(state([3, 2, 1], { sizes: [2, 4, 1] }), 3)).toEqual([0, 2]);
  });

  test("fills the budget exactly with one dimension a gate", () => {
    const logAlphas = fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(logAlphas, fc.integer({ min: 1, max: 40 }), (values, wanted) => {
        const budget = Math.min(wanted, values.length);
        const kept = strongestGates(state(values), budget);
        expect(new Set(kept).size).toBe(budget);
        const weakest = Math.min(...kept.map((g) => values[g] ?? Number.NaN));
        expect(values.filter((value) => value > weakest).length).toBeLessThan(budget);
      }),
    );
  });

  test("a budget below every group, or no open gate, is an error", () => {
    expect(() => strongestGates(state([1, 2], { sizes: [4, 4] }), 3)).toThrow(/at most 3 dimensions, received 2 open/);
    expect(() => strongestGates(state([1, 2], { fixed: [0, 0] }), 2)).toThrow(ConfigError);
  });
});

describe("gatesOpenByRule", () => {
  test("differs between the rules where METHOD says: expected 0.40 is all open by mean and all shut by median", () => {
    const undecided = state(new Array<number>(8).fill(logAlphaFor(0.4)));
    expect(gatesOpenByRule(undecided, {}, "mean")).toHaveLength(8);
    expect(gatesOpenByRule(undecided, {}, "median")).toEqual([]);
  });

  test("a fixed gate is open by its value, whatever its log alpha", () => {
    expect(gatesOpenByRule(state([-10, 10, 10], { fixed: [0.7, 0, LIVE] }), {}, "mean")).toEqual([0, 2]);
  });
});

describe("frozenValues", () => {
  test("kept gates have their deterministic value but never a vanishing one; the others are 0", () => {
    const values = frozenValues(state([-2, 1, 9, 9]), [0, 1, 2], {}, "mean");
    expectClose(values, [MINIMUM_OPEN_VALUE, gateValue(1), 1, 0]);
  });

  test("a gate that is fixed open keeps its value", () => {
    expectClose(frozenValues(state([9, 9], { fixed: [0.6, LIVE] }), [0, 1], {}, "median"), [0.6, 1]);
  });

  test.each([-1, 2, 0.5])("gate %d of two is an error", (gate) => {
    expect(() => frozenValues(state([0, 0]), [gate], {}, "mean")).toThrow(ConfigError);
  });
});

describe("gateHealth", () => {
  test("counts open gates by their dimensions, and fixed ones as 0 or 1", () => {
    const health = gateHealth(state([logAlphaFor(0.5), -10, 0], { sizes: [2, 1, 1], fixed: [LIVE, 1, 0] }));
    expectClose([health.expected], [(2 * 0.5 + 1) / 4]);
    expectClose([health.separation], [2 / 3]);
    expect(health).toMatchObject({ dead: 1, saturated: 0, warnings: [] });
  });

  test.each<[string, GateState, number, RegExp]>([
    ["all shut", state([-10, -10]), 1, /all 2 gates are shut/],
    ["too few open", state([3, -3, -3]), 2, /1 dimensions are open, fewer than 2/],
    ["all stuck open", state([9, 9]), 1, /all 2 gates are saturated open/],
  ])("warns when they are %s", (_, gates, minimum, message) => {
    const { warnings } = gateHealth(gates, {}, minimum);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(message);
  });

  test("frozen open gates are no collapse", () => {
    expect(gateHealth(state([9, 9], { fixed: [1, 1] })).warnings).toEqual([]);
  });
});
