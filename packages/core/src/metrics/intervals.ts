import { ConfigError, DataError, NumericalError, ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import { checkPredictions, type Predictions } from "./predictions.ts";
import { studentQuantile } from "./student-t.ts";

/** A mean with its two-sided confidence interval. */
export interface MeanInterval {
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
  /** `mean` plus or minus this. Infinite for a single value, which says nothing of its spread. */
  readonly halfWidth: number;
  /** Number of values. */
  readonly n: number;
}

/** Options of {@link pairedBootstrap}. */
export interface BootstrapOptions {
  /** Resamples, at least 1. Default 2000. */
  readonly samples?: number;
  /** Coverage in (0, 1). Default 0.95. */
  readonly level?: number;
  /** An integer from 0 to 2^53 - 1; the same seed draws the same rows for any metric and any pair. Default 0. */
  readonly seed?: number;
}

/** A difference between two models on the same rows, with its percentile interval. */
export interface BootstrapInterval {
  /** The second model's metric minus the first's, on all rows. */
  readonly difference: number;
  readonly lower: number;
  readonly upper: number;
}

function checkLevel(level: number, where: string): void {
  if (level > 0 && level < 1) return;
  throw new ConfigError({
    where,
    expected: "a level between 0 and 1",
    received: level,
    hint: "write 0.95 for a 95 % interval",
  });
}

function checkValues(xs: ArrayLike<number>, where: string): void {
  if (xs.length === 0) throw new DataError({ where, expected: "at least one value", received: "no values" });
  for (let i = 0; i < xs.length; i++) {
    if (!Number.isFinite(xs[i])) {
      throw new DataError({ where, expected: "finite numbers", received: `${xs[i]} at index ${i}` });
    }
  }
}

function studentInterval(xs: readonly number[], level: number): MeanInterval {
  const n = xs.length;
  const mean = xs.reduce((sum, x) => sum + x, 0) / n;
  const squares = xs.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const halfWidth =
    n === 1 ? Number.POSITIVE_INFINITY : studentQuantile(level, n - 1) * Math.sqrt(squares / (n - 1) / n);
  return { mean, lower: mean - halfWidth, upper: mean + halfWidth, halfWidth, n };
}

/**
 * Mean with Student's t interval, for example of one metric over seeds. It supposes independent values that are roughly normal.
 * A single value has an interval of infinite width.
 *
 * @throws DataError when there are no values or one is not finite, ConfigError when the level is outside (0, 1)
 *
 * @example
 * ```ts
 * meanInterval([0.85, 0.86, 0.84]); // { mean: 0.85, lower: 0.825, upper: 0.875, halfWidth: 0.025, n: 3 }
 * ```
 */
export function meanInterval(xs: ArrayLike<number>, level = 0.95): MeanInterval {
  checkLevel(level, "meanInterval");
  checkValues(xs, "meanInterval");
  return studentInterval(Array.from(xs), level);
}

/**
 * Mean of `b[i] - a[i]` with its t interval: how much the second method differs from the first, seed by seed.
 *
 * @throws ShapeError when the lengths differ, DataError when there are no values or one is not finite, ConfigError when the
 * level is outside (0, 1)
 *
 * @example
 * ```ts
 * const dense = [0.851, 0.853, 0.85];
 * const gated = [0.85, 0.852, 0.851];
 * pairedDifference(dense, gated).mean; // -0.0003
 * ```
 */
export function pairedDifference(a: ArrayLike<number>, b: ArrayLike<number>, level = 0.95): MeanInterval {
  const where = "pairedDifference";
  checkLevel(level, where);
  if (a.length !== b.length) {
    throw new ShapeError({ where, expected: "as many values of b as of a", received: `${a.length} and ${b.length}` });
  }
  checkValues(a, where);
  checkValues(b, where);
  return studentInterval(
    Array.from(a, (x, i) => (b[i] as number) - x),
    level,
  );
}

function checkPair(a: Predictions, b: Predictions, where: string): number {
  const rows = checkPredictions(a, where);
  if (b.classes !== a.classes || b.labels.length !== rows) {
    throw new ShapeError({
      where,
      expected: `both predictions to have ${rows} rows and ${a.classes} classes`,
      received: `${b.labels.length} rows and ${b.classes} classes in the second`,
    });
  }
  checkPredictions(b, where);
  const row = a.labels.findIndex((label, i) => label !== b.labels[i]);
  if (row >= 0) {
    throw new DataError({
      where,
      expected: "both predictions to be of the same rows in the same order",
      received: `labels ${a.labels[row]} and ${b.labels[row]} in row ${row}`,
    });
  }
  return rows;
}

/** The quantile of ascending values, interpolated linearly between neighbours. */
function quantile(sorted: Float64Array, probability: number): number {
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] as number;
  return low + (position - below) * ((sorted[Math.ceil(position)] as number) - low);
}

/**
 * Percentile bootstrap interval of `metric(b) - metric(a)`: rows are drawn with replacement, the same for both models (Efron and
 * Tibshirani 1993). It shows how far the test rows alone would move the difference.
 *
 * @param metric - reads predictions of as many rows as `a` has, some more than once. They are overwritten by the next
 * resample: keep no reference to them. What it throws is passed on, for example by AUROC when a resample lacks a class
 * @throws ShapeError or DataError when either is malformed or they are not of the same rows
 * @throws ConfigError when samples, level or seed is outside its range, NumericalError when the metric is not a finite number
 *
 * @example
 * ```ts
 * const labels = Int32Array.of(1, 1, 0, 0);
 * const dense = { logits: Float64Array.of(0, 1, 0, 2, 0, -1, 0, 1), labels, classes: 2 };
 * const gated = { logits: Float64Array.of(0, 1, 0, 2, 0, -1, 0, -1), labels, classes: 2 };
 * pairedBootstrap(dense, gated, accuracy, { samples: 500, seed: 1 }); // difference 0.25 with lower and upper
 * ```
 */
export function pairedBootstrap(
  a: Predictions,
  b: Predictions,
  metric: (p: Predictions) => number,
  options: BootstrapOptions = {},
): BootstrapInterval {
  const where = "pairedBootstrap";
  const { samples = 2000, level = 0.95, seed = 0 } = options;
  checkLevel(level, where);
  if (!Number.isInteger(samples) || samples < 1) {
    throw new ConfigError({ where, expected: "samples to be an integer of at least 1", received: samples });
  }
  const random = Random.from(seed, "bootstrap");
  const rows = checkPair(a, b, where);
  const { classes } = a;
  const difference = (first: Predictions, second: Predictions): number => {
    const value = metric(second) - metric(first);
    if (!Number.isFinite(value)) throw new NumericalError({ where, expected: "a finite metric", received: value });
    return value;
  };
  const whole = difference(a, b);
  const labels = new Int32Array(rows);
  const first = { logits: new Float64Array(rows * classes), labels, classes };
  const second = { logits: new Float64Array(rows * classes), labels, classes };
  const differences = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    for (let to = 0; to < rows; to++) {
      const from = random.integer(rows);
      labels[to] = a.labels[from] as number;
      for (let k = 0; k < classes; k++) {
        first.logits[to * classes + k] = a.logits[from * classes + k] as number;
        second.logits[to * classes + k] = b.logits[from * classes + k] as number;
      }
    }
    differences[sample] = difference(first, second);
  }
  differences.sort();
  return {
    difference: whole,
    lower: quantile(differences, (1 - level) / 2),
    upper: quantile(differences, (1 + level) / 2),
  };
}
