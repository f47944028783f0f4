/** Which gates stay when the gates are frozen, and what can be said of gates before that. Numbers only. */

import { ConfigError } from "../errors.ts";
import {
  type EvaluationRule,
  gateValue,
  type HardConcreteParams,
  openProbabilityOf,
  saturatedProbabilityOf,
} from "./hard-concrete.ts";

/** Marks a gate that is still learned, where a fixed gate has its value in [0, 1]. */
export const LIVE = -1;

/** Learned and fixed state of the gates, and how many dimensions each one covers. */
export interface GateState {
  /** `[gates]` */
  readonly logAlpha: Float32Array;
  /** `[gates]`: {@link LIVE}, or the value at which the gate is fixed. */
  readonly fixed: Float32Array;
  /** `[gates]`: dimensions behind each gate. */
  readonly sizes: Int32Array;
}

/**
 * Dimensions that an active fraction stands for: round(fraction * d).
 *
 * @throws ConfigError when the fraction is outside (0, 1] or rounds to no dimension
 */
export function budgetOf(fraction: number, dimensions: number): number {
  const where = "active fraction";
  if (!(fraction > 0 && fraction <= 1)) {
    throw new ConfigError({ where, expected: "a number in (0, 1]", received: fraction });
  }
  const count = Math.round(fraction * dimensions);
  if (count < 1) {
    throw new ConfigError({
      where,
      expected: `at least ${1 / (2 * dimensions)} of ${dimensions} dimensions`,
      received: `${fraction}, which rounds to 0 dimensions`,
      hint: "ask for a larger fraction or widen the representation",
    });
  }
  return count;
}

/**
 * Makes sure before training that a budget can be filled after it.
 *
 * @throws ConfigError when the gates that are not shut cover fewer dimensions, or each of them more
 */
export function checkBudget({ fixed, sizes }: GateState, dimensions: number): void {
  const where = "active fraction";
  const open = sizes.filter((_, g) => fixed[g] !== 0);
  const total = open.reduce((sum, size) => sum + size, 0);
  if (total < dimensions) {
    throw new ConfigError({
      where,
      expected: `${dimensions} dimensions whose gates are not shut`,
      received: total,
      hint: "gates that are fixed at 0 stay shut: train a new model, or free them with gate.setFixed",
    });
  }
  const smallest = open.reduce((least, size) => Math.min(least, size), dimensions + 1);
  if (smallest > dimensions) {
    throw new ConfigError({
      where,
      expected: `a group of at most ${dimensions} dimensions`,
      received: `groups of ${smallest} or more`,
      hint: "ask for a larger fraction or use smaller groups",
    });
  }
}

/**
 * The gates with the largest log alpha that fit in `dimensions`, strongest first. With one dimension a gate, or groups of one
 * size that divide the budget, exactly `dimensions` stay; a group that does not fit is passed over.
 *
 * @throws ConfigError when not even the smallest eligible group fits
 */
export function strongestGates(state: GateState, dimensions: number): number[] {
  const eligible = [...state.logAlpha.keys()].filter((g) => state.fixed[g] !== 0);
  // A stable order on ties keeps the choice the same on every machine.
  eligible.sort((a, b) => (state.logAlpha[b] ?? 0) - (state.logAlpha[a] ?? 0) || a - b);
  const kept: number[] = [];
  let left = dimensions;
  for (const g of eligible) {
    const size = state.sizes[g] ?? 1;
    if (size > left) continue;
    kept.push(g);
    left -= size;
  }
  if (kept.length === 0) {
    throw new ConfigError({
      where: "strongestGates",
      expected: `an open group of at most ${dimensions} dimensions`,
      received: `${eligible.length} open groups`,
      hint: "ask for a larger active fraction or use smaller groups",
    });
  }
  return kept;
}

/** Gates that the evaluation rule leaves open: what a penalty without a budget keeps. */
export function gatesOpenByRule(state: GateState, params: HardConcreteParams, rule: EvaluationRule): number[] {
  return [...state.logAlpha.keys()].filter((g) => {
    const fixed = state.fixed[g] ?? LIVE;
    return fixed === LIVE ? gateValue(state.logAlpha[g] ?? 0, params, rule) > 0 : fixed > 0;
  });
}

/**
 * A gate that is kept is frozen at its deterministic value, but not below this. A gate that has not separated yet can have a
 * deterministic value near 0 while its samples were far from it; freezing it there would shut a gate that training relied on.
 */
export const MINIMUM_OPEN_VALUE = 0.5;

/**
 * The values at which the gates are frozen: the kept ones open, all others 0.
 *
 * @throws ConfigError when `kept` names a gate that is not there
 */
export function frozenValues(
  state: GateState,
  kept: readonly number[],
  params: HardConcreteParams,
  rule: EvaluationRule,
): Float32Array {
  const values = new Float32Array(state.logAlpha.length);
  for (const g of kept) {
    if (values[g] === undefined) {
      throw new ConfigError({ where: "frozenValues", expected: `gates 0 to ${values.length - 1}`, received: g });
    }
    const fixed = state.fixed[g] ?? LIVE;
    values[g] = fixed > 0 ? fixed : Math.max(MINIMUM_OPEN_VALUE, gateValue(state.logAlpha[g] ?? 0, params, rule));
  }
  return values;
}

/** What a glance at all gates says. */
export interface GateHealth {
  /** Mean of P(z != 0), weighted by the gates' dimensions; a fixed gate counts as 0 or 1. */
  readonly expected: number;
  /** Share of gates whose open probability lies outside [0.1, 0.9]: how far the gates have made up their mind. */
  readonly separation: number;
  /** Gates with P(z != 0) < 0.01: they hardly ever see a gradient. */
  readonly dead: number;
  /** Gates with P(z = 1) > 0.99: their samples carry no gradient either. */
  readonly saturated: number;
  /** Problems in words; empty when there is none. */
  readonly warnings: readonly string[];
}

/**
 * Looks for collapse: all gates shut, all stuck open, or fewer than a minimum open.
 *
 * @param minimumOpen - the least number of dimensions with an open probability of at least 0.5
 *
 * @example
 * ```ts
 * const shut = new Float32Array(8).fill(-10);
 * const health = gateHealth({ logAlpha: shut, fixed: new Float32Array(8).fill(-1), sizes: new Int32Array(8).fill(1) });
 * console.log(health.warnings);
 * ```
 */
export function gateHealth(state: GateState, params: HardConcreteParams = {}, minimumOpen = 1): GateHealth {
  let dimensions = 0;
  let expected = 0;
  let open = 0;
  let separated = 0;
  let dead = 0;
  let saturated = 0;
  const gates = state.logAlpha.length;
  for (let g = 0; g < gates; g++) {
    const logAlpha = state.logAlpha[g] ?? 0;
    const fixed = state.fixed[g] ?? LIVE;
    const size = state.sizes[g] ?? 1;
    const probability = fixed === LIVE ? openProbabilityOf(logAlpha, params) : Number(fixed > 0);
    dimensions += size;
    expected += size * probability;
    if (probability >= 0.5) open += size;
    if (probability < 0.1 || probability > 0.9) separated++;
    if (probability < 0.01) dead++;
    if (fixed === LIVE && saturatedProbabilityOf(logAlpha, params) > 0.99) saturated++;
  }
  const warnings: string[] = [];
  if (dead === gates) warnings.push(`collapse: all ${gates} gates are shut (P(z != 0) < 0.01)`);
  else if (open < minimumOpen) warnings.push(`collapse: ${open} dimensions are open, fewer than ${minimumOpen}`);
  if (saturated === gates)
    warnings.push(`all ${gates} gates are saturated open (P(z = 1) > 0.99): no gradient reaches them`);
  return { expected: expected / dimensions, separation: separated / gates, dead, saturated, warnings };
}
