import type { Controller } from "../control/controllers.ts";
import { ConfigError } from "../errors.ts";

/** Epochs of one segment: the first `gates` learn the gates, the rest consolidate. */
export interface SegmentPlan {
  readonly fraction: number | undefined;
  readonly epochs: number;
  /** Epochs after which the gates are frozen if they have separated. */
  readonly gates: number;
  /** Epochs after which they are frozen in any case. */
  readonly latestFreeze: number;
}

/**
 * Turns shares into epochs: every segment gets at least one epoch of each phase, and the sum is exactly `epochs`. Up to half of the
 * consolidation can go to gates that have not separated in time.
 *
 * @throws ConfigError when there are too few epochs
 */
export function planSegments(epochs: number, controller: Controller | undefined): readonly SegmentPlan[] {
  if (!Number.isInteger(epochs) || epochs < 1) {
    throw new ConfigError({ where: "fit.epochs", expected: "an integer of at least 1", received: epochs });
  }
  if (controller === undefined) return [{ fraction: undefined, epochs, gates: 0, latestFreeze: 0 }];
  const { segments } = controller;
  if (epochs < 2 * segments.length) {
    throw new ConfigError({
      where: "fit.epochs",
      expected: `at least ${2 * segments.length}: each of ${segments.length} segments learns its gates and consolidates`,
      received: epochs,
      hint: "raise epochs or ask for fewer fractions",
    });
  }
  let cumulative = 0;
  let used = 0;
  return segments.map(({ fraction, share, consolidation }, i) => {
    cumulative += share;
    const later = segments.length - 1 - i;
    const end = Math.max(used + 2, Math.min(Math.round(cumulative * epochs), epochs - 2 * later));
    const length = end - used;
    used = end;
    const consolidating = Math.min(length - 1, Math.max(1, Math.round(length * consolidation)));
    return {
      fraction,
      epochs: length,
      gates: length - consolidating,
      latestFreeze: length - Math.ceil(consolidating / 2),
    };
  });
}
