/**
 * How far the choice of test rows alone moves a difference to dense: a paired bootstrap over rows, one resample for every model of a
 * benchmark. Rows in, numbers out; what a resample needs of a row is computed once, so a resample is one pass over the rows a model.
 */

import {
  applyTemperature,
  type BootstrapInterval,
  type BootstrapOptions,
  ConfigError,
  DataError,
  type Predictions,
  Random,
  ShapeError,
} from "@l0gm/core";
import type { RunResult } from "../result.ts";
import { type Cell, type GroupBootstrap, groupRuns } from "./aggregate.ts";
import { formatFraction } from "./format.ts";
import { PROTOCOLS, type Protocol, type RowMeasure, STAGES, type Stage, testMetrics } from "./measures.ts";

/** Bins of the ECE: (i / 15, (i + 1) / 15], as core's `calibrationError` has them. */
const BINS = 15;

/** Resamples that share one pass over the rows: four sums that do not wait for each other take little longer than one. */
const LANES = 4;

/** How far the NLL of a run's predictions may be from the one it recorded; they are kept in single precision. */
const NLL_TOLERANCE = 1e-4;

/** One number a row, the rows sorted into groups that a resample adds up apart. */
interface GroupedRows {
  /** `[rows]`, group after group. */
  readonly values: Float64Array;
  /** `[rows]`, the row that each value belongs to. */
  readonly order: Uint32Array;
  /** `[groups]`, where each group ends. */
  readonly ends: Uint32Array;
}

/** What a resample needs of one model's predictions. */
export interface RowScores {
  /** `[rows]`, 1 where the predicted class is the label, else 0. */
  readonly correct: Uint8Array;
  /** `[rows]`, -ln of the label's probability. */
  readonly nll: Float64Array;
  /** Confidence minus `correct`, grouped by the bin of the confidence: ECE is the sum of |sum of a bin| over the rows. */
  readonly gaps: GroupedRows;
}

/** A model and the dense model of the same seed. */
export interface ModelPair {
  readonly model: RowScores;
  readonly dense: RowScores;
}

/** One run's test rows under both protocols, before and after temperature scaling. */
export interface TestRows {
  readonly labels: Int32Array;
  readonly scores: Readonly<Record<Protocol, Readonly<Record<Stage, RowScores>>>>;
}

/** Why a run has no test rows, as the end of a sentence that names the run: `has no predictions.safetensors`. */
export interface MissingRows {
  readonly missing: string;
}

/** Reads of every row what accuracy, NLL and ECE are made of. Logits are finite and labels in range, as core's metrics demand. */
export function rowScores({ logits, labels, classes }: Predictions): RowScores {
  const rows = labels.length;
  const correct = new Uint8Array(rows);
  const nll = new Float64Array(rows);
  const gap = new Float64Array(rows);
  const bin = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const z = logits.subarray(row * classes, (row + 1) * classes);
    let best = 0;
    for (let k = 1; k < classes; k++) if ((z[k] as number) > (z[best] as number)) best = k;
    const highest = z[best] as number;
    let sum = 0;
    for (const logit of z) sum += Math.exp(logit - highest);
    const label = labels[row] as number;
    const confidence = 1 / sum;
    correct[row] = best === label ? 1 : 0;
    nll[row] = Math.log(sum) + highest - (z[label] as number);
    gap[row] = confidence - (correct[row] as number);
    while (confidence > ((bin[row] as number) + 1) / BINS) bin[row] = (bin[row] as number) + 1;
  }
  return { correct, nll, gaps: grouped(gap, bin) };
}

/** Sorts by counting, the rows of a group in their given order. */
function grouped(values: Float64Array, group: Uint8Array): GroupedRows {
  const ends = new Uint32Array(BINS);
  for (const bin of group) ends[bin] = (ends[bin] as number) + 1;
  for (let bin = 1; bin < BINS; bin++) ends[bin] = (ends[bin] as number) + (ends[bin - 1] as number);
  const next = Uint32Array.from(ends, (_, bin) => (bin === 0 ? 0 : (ends[bin - 1] as number)));
  const order = new Uint32Array(values.length);
  const sorted = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const bin = group[row] as number;
    const place = next[bin] as number;
    next[bin] = place + 1;
    order[place] = row;
    sorted[place] = values[row] as number;
  }
  return { values: sorted, order, ends };
}

/** Mean over pairs of model minus dense, number by number. */
function meanDifference(
  pairs: readonly { readonly model: ArrayLike<number>; readonly dense: ArrayLike<number> }[],
): Float64Array {
  const mean = new Float64Array(pairs[0]?.dense.length ?? 0);
  for (const { model, dense } of pairs) {
    for (let i = 0; i < mean.length; i++) {
      mean[i] = (mean[i] as number) + ((model[i] as number) - (dense[i] as number)) / pairs.length;
    }
  }
  return mean;
}

/** A measure's mean over the rows of each resample: the sums of the groups, through `fold`, added up. */
interface ResampledMean extends GroupedRows {
  readonly fold: (sum: number) => number;
  /** One for each resample, the whole sample first. */
  readonly means: Float64Array;
}

/** @param counts - `[rows, LANES]`, how often resamples `first` to `first + LANES - 1` have each row */
function takeMeans({ values, order, ends, fold, means }: ResampledMean, counts: Float32Array, first: number): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (const end of ends) {
    let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
    for (; i < end; i++) {
      const value = values[i] as number;
      const at = (order[i] as number) * LANES;
      sumA += (counts[at] as number) * value;
      sumB += (counts[at + 1] as number) * value;
      sumC += (counts[at + 2] as number) * value;
      sumD += (counts[at + 3] as number) * value;
    }
    a += fold(sumA);
    b += fold(sumB);
    c += fold(sumC);
    d += fold(sumD);
  }
  // Those beyond the last resample fall outside the array, which ignores them.
  [a, b, c, d].forEach((sum, lane) => {
    means[first + lane] = sum / values.length;
  });
}

/** The quantile of ascending values, interpolated linearly between neighbours. */
function quantile(sorted: Float64Array, probability: number): number {
  const position = probability * (sorted.length - 1);
  const low = sorted[Math.floor(position)] as number;
  return low + (position - Math.floor(position)) * ((sorted[Math.ceil(position)] as number) - low);
}

function commonRows(comparisons: readonly (readonly ModelPair[])[], where: string): number {
  const rows = comparisons[0]?.[0]?.dense.nll.length ?? 0;
  for (const pairs of comparisons) {
    if (pairs.length === 0)
      throw new DataError({ where, expected: "at least one seed a comparison", received: "none" });
    for (const { nll } of pairs.flatMap(({ model, dense }) => [model, dense])) {
      if (nll.length === rows && rows > 0) continue;
      throw new ShapeError({
        where,
        expected: `predictions of the same rows, at least one`,
        received: `${nll.length} rows beside ${rows}`,
      });
    }
  }
  return rows;
}

/**
 * Percentile bootstrap intervals of differences to dense, each the mean over seeds, whose models stay as they are. Rows are drawn
 * with replacement, one resample for all models of all comparisons; the same seed draws the rows that core's `pairedBootstrap` draws.
 * A resample's ECE is on average above that of the rows it is drawn from, for model and dense alike; what does not cancel shifts the
 * interval.
 *
 * @param comparisons - a list of seeds each, at least one; all predictions are of the same rows in the same order
 * @param options - 1000 samples, level 0.95 and seed 0 by default
 * @returns for each comparison the differences on all rows with their intervals
 * @throws ShapeError when the numbers of rows differ, DataError when a comparison has no seeds, ConfigError when samples, level or
 * seed is outside its range
 *
 * @example
 * ```ts
 * const [atAnEighth] = bootstrapDifferences([seeds.map((seed) => ({ model: gated[seed], dense: dense[seed] }))]);
 * atAnEighth?.ece; // { difference: -0.0012, lower: -0.0031, upper: 0.0006 }
 * ```
 */
export function bootstrapDifferences(
  comparisons: readonly (readonly ModelPair[])[],
  options: BootstrapOptions = {},
): Record<RowMeasure, BootstrapInterval>[] {
  const where = "bootstrapDifferences";
  const { samples = 1000, level = 0.95, seed = 0 } = options;
  if (!Number.isInteger(samples) || samples < 1) {
    throw new ConfigError({ where, expected: "samples to be an integer of at least 1", received: samples });
  }
  if (!(level > 0 && level < 1)) {
    throw new ConfigError({ where, expected: "a level between 0 and 1", received: level });
  }
  const random = Random.from(seed, "bootstrap");
  const rows = commonRows(comparisons, where);
  const inOrder = { order: Uint32Array.from({ length: rows }, (_, row) => row), ends: Uint32Array.of(rows) };
  const resampled = (grouped: GroupedRows, fold: ResampledMean["fold"]): ResampledMean => ({
    ...grouped,
    fold,
    means: new Float64Array(1 + samples),
  });
  const eces = new Map<RowScores, ResampledMean>();
  const eceOf = (model: RowScores): ResampledMean => {
    const ece = eces.get(model) ?? resampled(model.gaps, Math.abs);
    eces.set(model, ece);
    return ece;
  };
  // Accuracy and NLL are means over rows, so their mean over seeds is one too; ECE is not, and is taken model by model.
  const linear = (pairs: readonly ModelPair[], key: "correct" | "nll"): ResampledMean => {
    const values = meanDifference(pairs.map(({ model, dense }) => ({ model: model[key], dense: dense[key] })));
    return resampled({ ...inOrder, values }, (sum) => sum);
  };
  const plans = comparisons.map((pairs) => ({
    accuracy: linear(pairs, "correct"),
    nll: linear(pairs, "nll"),
    ece: pairs.map(({ model, dense }) => ({ model: eceOf(model).means, dense: eceOf(dense).means })),
  }));
  const all = [...eces.values(), ...plans.flatMap(({ accuracy, nll }) => [accuracy, nll])];
  // Counts are small integers: single precision holds them exactly, in half the memory.
  const counts = new Float32Array(rows * LANES).fill(1);
  for (const each of all) takeMeans(each, counts, 0);
  for (let first = 1; first <= samples; first += LANES) {
    counts.fill(0);
    for (let lane = 0; lane < LANES; lane++) {
      for (let i = 0; i < rows; i++) {
        const at = random.integer(rows) * LANES + lane;
        counts[at] = (counts[at] as number) + 1;
      }
    }
    for (const each of all) takeMeans(each, counts, first);
  }
  const interval = (means: Float64Array): BootstrapInterval => {
    const sorted = means.slice(1).sort();
    return {
      difference: means[0] as number,
      lower: quantile(sorted, (1 - level) / 2),
      upper: quantile(sorted, (1 + level) / 2),
    };
  };
  return plans.map(({ accuracy, nll, ece }) => ({
    accuracy: interval(accuracy.means),
    nll: interval(nll.means),
    ece: interval(meanDifference(ece)),
  }));
}

/**
 * Prepares a run's test predictions, with the temperatures that its validation split gave.
 *
 * @returns why there are none where the predictions do not give the NLL that the run recorded: they are another run's
 * @throws ConfigError when a recorded temperature is not a positive number, ShapeError or DataError when predictions are malformed
 */
export function testRows(
  result: RunResult,
  predictions: Readonly<Record<Protocol, Predictions>>,
): TestRows | MissingRows {
  const scoresOf = (protocol: Protocol): Record<Stage, RowScores> => {
    const { temperature } = testMetrics(result, protocol);
    const raw = predictions[protocol];
    return { raw: rowScores(raw), scaled: rowScores(applyTemperature(raw, temperature)) };
  };
  const scores = { equalBudget: scoresOf("equalBudget"), bestValidation: scoresOf("bestValidation") };
  const asRecorded = PROTOCOLS.every((protocol) => {
    const { nll } = scores[protocol].raw;
    const mean = nll.reduce((sum, each) => sum + each, 0) / nll.length;
    return Math.abs(mean - testMetrics(result, protocol).nll) < NLL_TOLERANCE;
  });
  if (!asRecorded) return { missing: "has predictions that do not give the NLL it recorded" };
  return { labels: predictions.bestValidation.labels, scores };
}

/**
 * The bootstrap over test rows of every difference to dense that a report of these runs shows: each method and fraction under both
 * protocols, before and after temperature scaling. A difference has an interval only if every one of its seeds has test rows, those
 * of dense included.
 *
 * @param rows - for every run; one that is not there counts as missing
 * @returns one for each benchmark with a dense run, to be handed to `groupRuns`, `frontierSummary` or `renderReport`
 *
 * @example
 * ```ts
 * const bootstraps = bootstrapRuns(runs, await loadTestRows(found));
 * await writeFile("report.html", renderReport(runs, context, bootstraps));
 * ```
 */
export function bootstrapRuns(
  runs: readonly RunResult[],
  rows: ReadonlyMap<RunResult, TestRows | MissingRows>,
  options: Pick<BootstrapOptions, "samples" | "seed"> = {},
): GroupBootstrap[] {
  const { samples = 1000, seed = 0 } = options;
  return groupRuns(runs).flatMap(({ key, dense, series, comparators }) => {
    if (dense === undefined) return [];
    const cells = [...series.flatMap((each) => each.cells), ...comparators];
    const { found, missing } = readable(
      [dense, ...cells].flatMap((cell) => cell.runs),
      rows,
    );
    const comparisons = cells.flatMap((cell) => {
      const pairs = completePairs(cell, dense, found);
      if (pairs === undefined) return [];
      return PROTOCOLS.flatMap((protocol) =>
        STAGES.map((stage) => ({
          of: {
            method: cell.method,
            fraction: cell.fraction,
            ...(cell.lambda === undefined ? {} : { lambda: cell.lambda }),
            protocol,
            stage,
          },
          pairs: pairs.map(({ model, dense }) => ({
            model: model.scores[protocol][stage],
            dense: dense.scores[protocol][stage],
          })),
        })),
      );
    });
    const intervals = bootstrapDifferences(
      comparisons.map(({ pairs }) => pairs),
      { samples, seed },
    );
    const differences = intervals.flatMap((interval, i) => {
      const of = comparisons[i]?.of;
      return of === undefined ? [] : [{ ...of, ...interval }];
    });
    return [{ key, samples, differences, missing }];
  });
}

/** The runs whose rows are there and are the same rows, and a sentence on each of the others. */
function readable(
  runs: readonly RunResult[],
  rows: ReadonlyMap<RunResult, TestRows | MissingRows>,
): { found: Map<RunResult, TestRows>; missing: string[] } {
  const found = new Map<RunResult, TestRows>();
  const missing: string[] = [];
  let first: TestRows | undefined;
  for (const run of runs) {
    const own = rows.get(run) ?? { missing: "has no predictions" };
    const requested = run.active.requested === undefined ? "" : ` at ${formatFraction(run.active.requested)}`;
    const name = `${run.method}${requested}, seed ${run.seed},`;
    if ("missing" in own) missing.push(`${name} ${own.missing}`);
    else if (first !== undefined && !sameNumbers(own.labels, first.labels)) {
      missing.push(`${name} was tested on other rows than the runs before it`);
    } else {
      first ??= own;
      found.set(run, own);
    }
  }
  return { found, missing };
}

function sameNumbers(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

/** The rows of every seed that a cell shares with dense; undefined where it shares none or the rows of one are missing. */
function completePairs(
  cell: Cell,
  dense: Cell,
  rows: ReadonlyMap<RunResult, TestRows>,
): { model: TestRows; dense: TestRows }[] | undefined {
  const shared = cell.runs.filter((run) => dense.runs.some(({ seed }) => seed === run.seed));
  const pairs = shared.flatMap((run) => {
    const partner = dense.runs.find(({ seed }) => seed === run.seed);
    const model = rows.get(run);
    const baseline = partner === undefined ? undefined : rows.get(partner);
    return model === undefined || baseline === undefined ? [] : [{ model, dense: baseline }];
  });
  return pairs.length === 0 || pairs.length < shared.length ? undefined : pairs;
}
