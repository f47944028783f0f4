/** Medians, quartiles, and ratios within rounds. */

/** Of some numbers. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly lowest: number;
  readonly highest: number;
  readonly count: number;
}

/** Times of one implementation in each round, in milliseconds; undefined where it did not take part. */
export type Rounds = readonly (readonly number[] | undefined)[];

/** The quantile by linear interpolation between order statistics. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const [low = Number.NaN, high = low] = [sorted[below], sorted[below + 1]];
  return low + (high - low) * (place - below);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function spread(values: readonly number[]): Spread {
  return {
    median: median(values),
    lowerQuartile: quantile(values, 0.25),
    upperQuartile: quantile(values, 0.75),
    lowest: Math.min(...values),
    highest: Math.max(...values),
    count: values.length,
  };
}

/** The median of each round that was taken part in. */
export function roundMedians(rounds: Rounds): number[] {
  return rounds.flatMap((times) => (times === undefined ? [] : [median(times)]));
}

/**
 * How many times as long one implementation takes as another. A ratio is taken within a round, where both meet the same machine; a drift
 * over the run changes times, not ratios.
 *
 * @returns undefined when they share no round
 */
export function ratio(over: Rounds, under: Rounds): Spread | undefined {
  const ratios = over.flatMap((times, round) => {
    const others = under[round];
    return times === undefined || others === undefined ? [] : [median(times) / median(others)];
  });
  return ratios.length === 0 ? undefined : spread(ratios);
}
