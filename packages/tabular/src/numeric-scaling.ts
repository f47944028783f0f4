import { normalQuantile } from "./normal-quantile.ts";

/**
 * Quantiles of a column on an even grid of ranks. Equal ones are held once, with the first and the last rank that they take.
 */
export interface QuantileScaling {
  readonly kind: "quantile";
  readonly values: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** A column's mean and standard deviation. */
export interface StandardScaling {
  readonly kind: "standard";
  readonly mean: number;
  /** 1 for a constant column. */
  readonly deviation: number;
}

/** How one numeric column is brought to the scale of the model. Plain JSON. */
export type Scaling = QuantileScaling | StandardScaling;

/** The quantile at rank `share` (0 to 1) of sorted numbers, interpolated linearly. */
export function quantileOf(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const a = sorted[below] ?? Number.NaN;
  const b = sorted[Math.min(below + 1, sorted.length - 1)] ?? a;
  return a + (position - below) * (b - a);
}

/** @param sorted - the column's numbers in ascending order, at least one */
export function fitQuantileScaling(sorted: Float64Array, quantiles: number): QuantileScaling {
  const count = Math.min(quantiles, sorted.length);
  const values: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  for (let rank = 0; rank < count; rank++) {
    const value = quantileOf(sorted, count === 1 ? 0 : rank / (count - 1));
    const last = values.length - 1;
    // Interpolation can fall short of its predecessor by a rounding error; ranks must ascend with the values.
    if (last >= 0 && value <= (values[last] ?? value)) high[last] = rank;
    else {
      values.push(value);
      low.push(rank);
      high.push(rank);
    }
  }
  return { kind: "quantile", values, low, high };
}

/** @param numbers - at least one */
export function fitStandardScaling(numbers: Float64Array): StandardScaling {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
  return { kind: "standard", mean, deviation: variance > 0 ? Math.sqrt(variance) : 1 };
}

/** Ranks nearer to 0 or 1 than this are moved there, so that no value is infinite: the result lies within 5.2 of 0. */
const MARGIN = 1e-7;

/** Standard scaling stops here, so that no outlier is infinite as float32. */
const MOST_DEVIATIONS = 100;

/** Index of the last of the ascending `values` that is at most `x`; -1 when there is none. */
function lastAtMost(values: readonly number[], x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? Number.POSITIVE_INFINITY) <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function rankOf(scaling: QuantileScaling, x: number): number {
  const { values, low, high } = scaling;
  const top = high.at(-1) ?? 0;
  const i = lastAtMost(values, x);
  const value = values[i];
  const next = values[i + 1];
  if (value === undefined) return 0;
  if (x === value) return ((low[i] ?? 0) + (high[i] ?? 0)) / 2 / (top || 1);
  if (next === undefined) return 1;
  const from = high[i] ?? 0;
  return (from + ((low[i + 1] ?? 0) - from) * ((x - value) / (next - value))) / top;
}

/**
 * The scaled value of a number: a standard normal's quantile at the number's rank, or its distance to the mean in deviations,
 * at most 100.
 */
export function scale(scaling: Scaling, x: number): number {
  if (scaling.kind === "standard") {
    return Math.min(MOST_DEVIATIONS, Math.max(-MOST_DEVIATIONS, (x - scaling.mean) / scaling.deviation));
  }
  if (scaling.values.length === 1 && x === scaling.values[0]) return 0;
  return normalQuantile(Math.min(1 - MARGIN, Math.max(MARGIN, rankOf(scaling, x))));
}
