import { ConfigError, DataError, ShapeError } from "../errors.ts";
import { ascendingOrder } from "./order.ts";
import { checkPredictions, type Predictions, probabilities, topLabels } from "./predictions.ts";

/** How confidences are grouped. */
export interface BinningOptions {
  /** Number of bins, at least 1. Default 15. */
  readonly bins?: number;
  /**
   * `equal-width` (default): intervals (lower, upper] of length 1 / bins; confidence 0 joins the first.
   * `equal-mass`: the sorted confidences split into groups whose sizes differ by at most one, larger groups first, rows of
   * equal confidence in their given order; no more groups than rows.
   */
  readonly binning?: "equal-width" | "equal-mass";
}

/** How the gaps between confidence and outcome are put together. */
export interface BinaryCalibrationOptions extends BinningOptions {
  /** `l1` (default, the usual ECE): mean gap; `l2`: root mean squared gap, both weighted by rows; `max`: largest gap (MCE). */
  readonly norm?: "l1" | "l2" | "max";
  /**
   * Take from every squared gap the variance that its mean outcome has by chance. Only with `l2`. Bins under 2 rows add 0; a
   * negative sum becomes 0. Default false.
   */
  readonly debiased?: boolean;
}

/** Options of {@link calibrationError}. */
export interface CalibrationOptions extends BinaryCalibrationOptions {
  /**
   * `top-label` (default): the predicted class's probability against being right. `classwise`: every class's probability
   * against that class's indicator, and the mean of these errors over classes.
   */
  readonly target?: "top-label" | "classwise";
}

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  /** Bounds of the bin; with equal mass, its smallest and largest confidence. */
  readonly lower: number;
  readonly upper: number;
  /** Rows in the bin. */
  readonly count: number;
  /** Mean confidence of the rows; null in an empty bin. */
  readonly confidence: number | null;
  /** Share of the rows that are right; null in an empty bin. */
  readonly accuracy: number | null;
}

interface Bin {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  /** Means over the rows; NaN in an empty bin. */
  readonly confidence: number;
  readonly outcome: number;
}

function checkChoice(where: string, option: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new ConfigError({ where, expected: `${option} to be one of ${choices.join(", ")}`, received: value });
}

function checkBinning({ bins = 15, binning = "equal-width" }: BinningOptions, where: string): Required<BinningOptions> {
  if (!Number.isInteger(bins) || bins < 1) {
    throw new ConfigError({ where, expected: "bins to be an integer of at least 1", received: bins });
  }
  checkChoice(where, "binning", binning, ["equal-width", "equal-mass"]);
  return { bins, binning };
}

function checkOptions(options: CalibrationOptions, where: string): Required<CalibrationOptions> {
  const { norm = "l1", target = "top-label", debiased = false } = options;
  checkChoice(where, "norm", norm, ["l1", "l2", "max"]);
  checkChoice(where, "target", target, ["top-label", "classwise"]);
  if (debiased && (norm !== "l2" || target !== "top-label")) {
    throw new ConfigError({
      where,
      expected: "norm l2 and target top-label with debiased",
      received: `norm ${norm} and target ${target}`,
      hint: 'the debiased estimator is defined for squared gaps; set norm: "l2" or leave debiased out',
    });
  }
  return { ...checkBinning(options, where), norm, target, debiased };
}

/** The bin (i / bins, (i + 1) / bins] that holds `value`. */
function equalWidthBin(value: number, bins: number): number {
  const i = Math.max(0, Math.ceil(value * bins) - 1);
  // The product rounds: 0.07 * 100 is above 7, yet 0.07 is the upper bound 7 / 100 itself.
  if (i > 0 && value <= i / bins) return i - 1;
  return value > (i + 1) / bins ? i + 1 : i;
}

/** The bin of every row. */
function assign(confidence: Float64Array, bins: number, binning: "equal-width" | "equal-mass"): Uint32Array {
  const rows = confidence.length;
  const assigned = new Uint32Array(rows);
  if (binning === "equal-width") {
    for (let row = 0; row < rows; row++) assigned[row] = equalWidthBin(confidence[row] as number, bins);
    return assigned;
  }
  const size = Math.floor(rows / bins);
  const larger = (rows % bins) * (size + 1);
  ascendingOrder(confidence).forEach((row, rank) => {
    assigned[row] = rank < larger ? Math.floor(rank / (size + 1)) : (rows % bins) + Math.floor((rank - larger) / size);
  });
  return assigned;
}

function binned(confidence: Float64Array, outcome: Uint8Array, options: Required<BinningOptions>): Bin[] {
  const { binning } = options;
  const bins = binning === "equal-mass" ? Math.min(options.bins, confidence.length) : options.bins;
  const assigned = assign(confidence, bins, binning);
  const counts = new Uint32Array(bins);
  const confidences = new Float64Array(bins);
  const outcomes = new Float64Array(bins);
  const smallest = new Float64Array(bins).fill(1);
  const largest = new Float64Array(bins);
  for (let row = 0; row < confidence.length; row++) {
    const bin = assigned[row] as number;
    const value = confidence[row] as number;
    counts[bin] = (counts[bin] as number) + 1;
    confidences[bin] = (confidences[bin] as number) + value;
    outcomes[bin] = (outcomes[bin] as number) + (outcome[row] as number);
    if (value < (smallest[bin] as number)) smallest[bin] = value;
    if (value > (largest[bin] as number)) largest[bin] = value;
  }
  return Array.from(counts, (count, bin) => ({
    lower: binning === "equal-width" ? bin / bins : (smallest[bin] as number),
    upper: binning === "equal-width" ? (bin + 1) / bins : (largest[bin] as number),
    count,
    confidence: (confidences[bin] as number) / count,
    outcome: (outcomes[bin] as number) / count,
  }));
}

function errorOf(confidence: Float64Array, outcome: Uint8Array, options: Required<BinaryCalibrationOptions>): number {
  const filled = binned(confidence, outcome, options).filter((bin) => bin.count > 0);
  const mean = (term: (bin: Bin) => number): number =>
    filled.reduce((sum, bin) => sum + (bin.count / confidence.length) * term(bin), 0);
  if (options.debiased) {
    const squared = mean(({ confidence, outcome, count }) =>
      count < 2 ? 0 : (confidence - outcome) ** 2 - (outcome * (1 - outcome)) / (count - 1),
    );
    return Math.sqrt(Math.max(0, squared));
  }
  if (options.norm === "l2") return Math.sqrt(mean((bin) => (bin.confidence - bin.outcome) ** 2));
  if (options.norm === "l1") return mean((bin) => Math.abs(bin.confidence - bin.outcome));
  return filled.reduce((most, bin) => Math.max(most, Math.abs(bin.confidence - bin.outcome)), 0);
}

/**
 * Calibration error of binned confidences: by default the expected calibration error (ECE) of the predicted class over 15
 * equal-width bins (Guo et al. 2017). Every bin compares its mean confidence, not its middle, with its share of right
 * predictions. `equal-mass` is adaptive ECE and `classwise` static ECE (Nixon et al. 2019); `debiased` is the estimator of
 * Kumar, Liang and Ma (2019).
 *
 * @returns a number in [0, 1], 0 for perfect agreement
 * @throws ConfigError when an option is outside its range, or `debiased` comes without `l2` and `top-label`
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * const p = { logits: Float64Array.of(0, 2, 0, 2, 0, 2), labels: Int32Array.of(1, 1, 0), classes: 2 };
 * calibrationError(p); // 0.214: |0.881 - 0.667|
 * calibrationError(p, { binning: "equal-mass", norm: "l2", debiased: true, bins: 1 }); // 0: the gap is within chance
 * ```
 */
export function calibrationError(p: Predictions, options: CalibrationOptions = {}): number {
  const checked = checkOptions(options, "calibrationError");
  const rows = checkPredictions(p, "calibrationError");
  if (checked.target === "top-label") {
    const { confidence, correct } = topLabels(p);
    return errorOf(confidence, correct, checked);
  }
  const { labels, classes } = p;
  const softmax = probabilities(p);
  const errors = Array.from({ length: classes }, (_, k) =>
    errorOf(
      new Float64Array(rows).map((_, row) => softmax[row * classes + k] as number),
      new Uint8Array(rows).map((_, row) => (labels[row] === k ? 1 : 0)),
      checked,
    ),
  );
  return errors.reduce((sum, error) => sum + error, 0) / classes;
}

/**
 * Calibration error of the probability of one event, for example P(class 1), against whether it happened.
 *
 * @param probabilities - `[n]`, each in [0, 1]
 * @param outcomes - `[n]`, each 0 or 1
 * @returns a number in [0, 1], 0 for perfect agreement
 * @throws ConfigError when an option is outside its range, or `debiased` comes without `l2`
 * @throws ShapeError when the lengths differ, DataError when there are no rows or a value is outside its range
 *
 * @example
 * ```ts
 * binaryCalibrationError([0.25, 0.25, 0.55, 0.75, 0.75], [0, 0, 1, 1, 1], { bins: 2 }); // 0.29
 * ```
 */
export function binaryCalibrationError(
  probabilities: ArrayLike<number>,
  outcomes: ArrayLike<number>,
  options: BinaryCalibrationOptions = {},
): number {
  const where = "binaryCalibrationError";
  const checked = checkOptions(options, where);
  if (probabilities.length !== outcomes.length) {
    throw new ShapeError({
      where,
      expected: "as many outcomes as probabilities",
      received: `${outcomes.length} outcomes and ${probabilities.length} probabilities`,
    });
  }
  if (probabilities.length === 0) throw new DataError({ where, expected: "at least one row", received: "0 rows" });
  for (let row = 0; row < probabilities.length; row++) {
    const probability = probabilities[row] as number;
    if (!(probability >= 0 && probability <= 1)) {
      throw new DataError({
        where,
        expected: "probabilities from 0 to 1",
        received: `${probability} in row ${row}`,
        hint: "pass probabilities, not logits",
      });
    }
    if (outcomes[row] !== 0 && outcomes[row] !== 1) {
      throw new DataError({ where, expected: "outcomes 0 or 1", received: `${outcomes[row]} in row ${row}` });
    }
  }
  return errorOf(Float64Array.from(probabilities), Uint8Array.from(outcomes), checked);
}

/**
 * Points of a reliability diagram for the predicted class: mean confidence and accuracy a bin.
 *
 * @returns the bins from low to high confidence, empty ones included
 * @throws ConfigError when an option is outside its range
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * const p = { logits: Float64Array.of(0, 2, 0, 2), labels: Int32Array.of(1, 0), classes: 2 };
 * reliabilityCurve(p, { bins: 2 })[1]; // { lower: 0.5, upper: 1, count: 2, confidence: 0.881, accuracy: 0.5 }
 * ```
 */
export function reliabilityCurve(p: Predictions, options: BinningOptions = {}): ReliabilityBin[] {
  const checked = checkBinning(options, "reliabilityCurve");
  checkPredictions(p, "reliabilityCurve");
  const { confidence, correct } = topLabels(p);
  return binned(confidence, correct, checked).map(({ lower, upper, count, confidence, outcome }) => ({
    lower,
    upper,
    count,
    confidence: count === 0 ? null : confidence,
    accuracy: count === 0 ? null : outcome,
  }));
}
