/**
 * What decides the penalty's weight (the multiplier lambda) at every step. A controller sees numbers and returns a number; it keeps
 * no state, so one controller can serve many runs and a resumed run needs only its last multiplier.
 */

import { ConfigError } from "../errors.ts";
import { cosine, cubic, holdAtEnd, type Schedule, warmUp } from "./schedules.ts";

/** A stretch of a run that ends with frozen gates: first the gates are learned, then they are constants (consolidation). */
export interface Segment {
  /** Active fraction that is realised exactly when the gates are frozen; the evaluation rule decides when undefined. */
  readonly fraction: number | undefined;
  /** Share of the run's epochs; the shares of a run add up to 1. */
  readonly share: number;
  /** Share of the segment's epochs that consolidate. */
  readonly consolidation: number;
}

/** What a controller sees before a step. */
export interface Observation {
  readonly segment: number;
  /** Progress through the segment's gate phase, in [0, 1). */
  readonly progress: number;
  /** Expected active fraction, E[L0] / d, weighted by the gates' costs where they have any. */
  readonly expected: number;
}

/** Decides the multiplier of the expected active fraction in the loss. */
export interface Controller {
  readonly mode: "penalty" | "target" | "path";
  readonly segments: readonly [Segment, ...Segment[]];
  /**
   * @param multiplier - the value of the step before; 0 at the start of a segment
   * @returns the multiplier for the coming step, at least 0
   */
  update(observation: Observation, multiplier: number): number;
}

/** Options of {@link penalty}. */
export interface PenaltyOptions {
  /** Share of the epochs with frozen gates at the end. @defaultValue 0.3 */
  readonly consolidation?: number;
}

/**
 * L0-annealing: the multiplier follows a schedule, and the evaluation rule decides which gates stay.
 *
 * @param schedule - lambda over the progress of the gate phase
 * @throws ConfigError when `consolidation` is outside [0, 1)
 *
 * @example
 * ```ts
 * const controller = penalty(warmUp(0.2, cosine(0, 0.5)));
 * console.log(controller.update({ segment: 0, progress: 0.6, expected: 0.9 }, 0)); // 0.25
 * ```
 */
export function penalty(schedule: Schedule, options: PenaltyOptions = {}): Controller {
  const consolidation = checkConsolidation("penalty", options.consolidation ?? 0.3);
  return {
    mode: "penalty",
    segments: [{ fraction: undefined, share: 1, consolidation }],
    update: ({ progress }) => Math.max(0, schedule(progress)),
  };
}

/** Options shared by {@link targetFraction} and {@link path}. */
interface DualOptions {
  /** Share of a segment's epochs with frozen gates at its end. @defaultValue 0.4 */
  readonly consolidation?: number;
  /** Step of dual ascent on the multiplier. @defaultValue 0.05 */
  readonly dualStep?: number;
}

/** Options of {@link targetFraction}. */
export interface TargetOptions extends DualOptions {
  /** Active fraction of the finished model, in (0, 1]. */
  readonly fraction: number;
  /**
   * Course of the constraint from 0 (all open) to 1 (the fraction) over the gate phase; values beyond count as 0 and 1.
   * @defaultValue holds 0 for a tenth of the phase, then `cubic(0, 1)`, then 1 for the last 27 %
   */
  readonly annealing?: Schedule;
}

/**
 * Constrained learning: minimise the loss subject to E[L0]/d <= rho(t), with rho annealed from 1 to `fraction`, by dual ascent on
 * the multiplier, which restarts at 0 whenever the constraint holds (Gallego-Posada et al. 2022, arXiv:2208.04425). When the gate
 * phase ends the round(fraction * d) strongest gates stay, so the fraction is realised exactly.
 *
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * const controller = targetFraction({ fraction: 1 / 8 });
 * const late = { segment: 0, progress: 0.9, expected: 0.3 };
 * console.log(controller.update(late, 0) > 0); // true: more is open than is allowed
 * ```
 */
export function targetFraction(options: TargetOptions): Controller {
  const where = "targetFraction";
  const annealing = options.annealing ?? warmUp(0.1, holdAtEnd(0.3, cubic(0, 1)));
  const fraction = checkFraction(where, options.fraction);
  return {
    mode: "target",
    segments: [{ fraction, share: 1, consolidation: checkConsolidation(where, options.consolidation ?? 0.4) }],
    update: dualAscent(options.dualStep, ({ progress }) => {
      const course = Math.min(1, Math.max(0, annealing(progress)));
      return 1 + (fraction - 1) * course;
    }),
  };
}

/** Options of {@link path}. */
export interface PathOptions extends DualOptions {
  /** Active fractions in falling order, each in (0, 1]. */
  readonly fractions: readonly number[];
  /** Epochs of the first segment, which also trains the network from nothing, relative to each later one. @defaultValue 4 */
  readonly firstShare?: number;
}

/**
 * A whole frontier from one run: the constraint falls from fraction to fraction; at each the gates are frozen, the network is
 * consolidated and recorded, and the open gates are learned on. Gates once shut stay shut, so the kept sets are nested.
 *
 * @throws ConfigError when an option is out of range or the fractions do not fall
 *
 * @example
 * ```ts
 * const controller = path({ fractions: [1, 0.5, 0.25, 0.125] });
 * console.log(controller.segments.length); // 4
 * ```
 */
export function path(options: PathOptions): Controller {
  const where = "path";
  const { fractions, firstShare = 4 } = options;
  const consolidation = checkConsolidation(where, options.consolidation ?? 0.5);
  fractions.forEach((fraction, i) => {
    checkFraction(where, fraction);
    if (fraction >= (fractions[i - 1] ?? Number.POSITIVE_INFINITY)) {
      throw new ConfigError({ where, expected: "fractions in falling order", received: fractions });
    }
  });
  if (!(firstShare > 0 && firstShare < Number.POSITIVE_INFINITY)) {
    throw new ConfigError({ where: `${where}.firstShare`, expected: "a number above 0", received: firstShare });
  }
  const total = firstShare + fractions.length - 1;
  const [first, ...rest] = fractions.map((fraction, i) => ({
    fraction,
    share: (i === 0 ? firstShare : 1) / total,
    consolidation,
  }));
  if (first === undefined) throw new ConfigError({ where, expected: "at least one fraction", received: fractions });
  const course = holdAtEnd(0.4, cosine(0, 1));
  return {
    mode: "path",
    segments: [first, ...rest],
    update: dualAscent(options.dualStep, ({ segment, progress }) => {
      const from = fractions[segment - 1] ?? 1;
      const to = fractions[segment] ?? from;
      // Geometric between fractions: halving takes as long from 1/2 to 1/4 as from 1/16 to 1/32.
      return from * (to / from) ** course(progress);
    }),
  };
}

function dualAscent(step = 0.05, target: (observation: Observation) => number): Controller["update"] {
  if (!(step > 0)) throw new ConfigError({ where: "dualStep", expected: "a number above 0", received: step });
  return (observation, multiplier) => {
    // Relative, so that the pressure does not fade as the fraction becomes small.
    const violation = observation.expected / target(observation) - 1;
    return violation <= 0 ? 0 : multiplier + step * violation;
  };
}

function checkFraction(where: string, fraction: number): number {
  if (!(fraction > 0 && fraction <= 1)) {
    throw new ConfigError({ where, expected: "an active fraction in (0, 1]", received: fraction });
  }
  return fraction;
}

function checkConsolidation(where: string, share: number): number {
  if (!(share >= 0 && share < 1)) {
    throw new ConfigError({ where: `${where}.consolidation`, expected: "a share in [0, 1)", received: share });
  }
  return share;
}
