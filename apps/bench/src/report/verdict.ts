/** What the numbers say, in plain sentences. Every sentence is computed; none is shown without its numbers. */

import {
  allCells,
  type BenchmarkGroup,
  type Cell,
  cellEstimate,
  cellNoiseFloor,
  differenceToDense,
  type Estimate,
  groupName,
  pairedEstimate,
  type Series,
  seriesSeconds,
} from "./aggregate.ts";
import {
  formatBootstrap,
  formatDifference,
  formatDuration,
  formatNumber,
  formatSigned,
  MISSING,
  plural,
} from "./format.ts";
import {
  MEASURES,
  type Measure,
  PROTOCOL_LABELS,
  PROTOCOLS,
  type Protocol,
  readMeasure,
  testMetrics,
} from "./measures.ts";

/** The fraction that verdicts are about, as near as the runs come to it. */
const HEADLINE_FRACTION = 1 / 8;

/**
 * Whichever of L0GM's separate runs and path has more seeds, then more fractions, separate runs where both have as many; else a
 * comparator.
 */
export function headlineSeries(group: BenchmarkGroup): Series | undefined {
  const ours = group.series.filter((series) => series.method.startsWith("l0gm"));
  const candidates = ours.length > 0 ? ours : group.series;
  return candidates.toSorted((a, b) => seedsOf(b) - seedsOf(a) || b.cells.length - a.cells.length)[0];
}

/** Of the fraction that has the fewest. */
function seedsOf({ cells }: Series): number {
  return Math.min(...cells.map(({ runs }) => runs.length));
}

/** The cell nearest to 1/8 on the log scale, and the sparsest one where it is another. */
export function headlineCells(group: BenchmarkGroup): { headline: Cell; sparsest?: Cell } | undefined {
  const cells = headlineSeries(group)?.cells ?? [];
  const distance = (cell: Cell): number => Math.abs(Math.log2(cell.fraction / HEADLINE_FRACTION));
  const headline = cells.reduce<Cell | undefined>(
    (best, cell) => (best === undefined || distance(cell) < distance(best) ? cell : best),
    undefined,
  );
  const sparsest = cells.at(-1);
  if (headline === undefined) return undefined;
  return sparsest === undefined || sparsest === headline ? { headline } : { headline, sparsest };
}

const METHOD_NAMES: Readonly<Record<string, string>> = { l0gm: "L0GM", "l0gm-path": "L0GM’s path" };

function methodName(method: string): string {
  return METHOD_NAMES[method] ?? method;
}

/** `16 of 128 dimensions` */
export function dimensionsOf(group: BenchmarkGroup, cell: Cell): string {
  return `${formatNumber(cell.count, Number.isInteger(cell.count) ? 0 : 1)} of ${group.dimensions} dimensions`;
}

function basis(estimate: Estimate): string {
  if (estimate.interval !== undefined) return `paired over ${plural(estimate.n, "seed")}, 95 % t interval`;
  return estimate.bootstrap === undefined ? "one seed, no interval" : "one seed, no t interval";
}

/** What follows a difference that was bootstrapped over test rows. */
function overRows(difference: Estimate | undefined, measure: Measure, separator: string): string {
  const interval = formatBootstrap(difference, measure);
  return interval === "" ? "" : `${separator}bootstrap over test rows ${interval}`;
}

/** Said where seeds settle on which side of zero a difference lies, and test rows do not. */
function doubt({ interval, bootstrap }: Estimate): string {
  if (interval === undefined || bootstrap === undefined) return "";
  const settled = interval.upper < 0 || interval.lower > 0;
  return settled && bootstrap.lower <= 0 && bootstrap.upper >= 0 ? ", though the bootstrap includes zero" : "";
}

/** Which side of zero an interval lies on. */
function side(estimate: Estimate): "below" | "above" | "both" | "unknown" {
  if (estimate.interval === undefined) return "unknown";
  if (estimate.interval.upper < 0) return "below";
  return estimate.interval.lower > 0 ? "above" : "both";
}

function accuracySentence(group: BenchmarkGroup, cell: Cell): string {
  const measure = MEASURES.accuracy;
  const where = `Under ${PROTOCOL_LABELS.bestValidation}, at ${dimensionsOf(group, cell)},`;
  const name = methodName(cell.method);
  const difference = differenceToDense(group, cell, "accuracy");
  if (difference === undefined) {
    const own = cellEstimate(cell, "accuracy");
    return `${where} the accuracy of ${name} is ${formatNumber((own?.mean ?? Number.NaN) * 100, 2)} %.`;
  }
  const { mean, interval } = difference;
  const points = (value: number): string => formatSigned(value * measure.scale, measure.digits);
  const range = interval === undefined ? "" : ` [${points(interval.lower)}, ${points(interval.upper)}]`;
  const judgement = { below: ": it is lower", above: ": it is higher", both: ", which includes zero", unknown: "" };
  return `${where} the accuracy of ${name} differs from dense by ${points(mean)} points${range} (${basis(difference)}${overRows(difference, measure, "; ")})${judgement[side(difference)]}${doubt(difference)}.`;
}

function calibrationSentence(group: BenchmarkGroup, cell: Cell, protocol: Protocol): string | undefined {
  const measure = MEASURES.ece;
  const raw = differenceToDense(group, cell, "ece", protocol, "raw");
  const scaled = differenceToDense(group, cell, "ece", protocol, "scaled");
  if (raw === undefined || group.dense === undefined) return undefined;
  const means = [cell, group.dense].map((each) =>
    formatNumber(cellEstimate(each, "ece", protocol)?.mean, measure.digits),
  );
  const judgement = {
    below: "lower than dense",
    above: "higher than dense",
    both: "not told apart from dense",
    unknown: "",
  };
  const word = judgement[side(raw)];
  return (
    `Under ${PROTOCOL_LABELS[protocol]}, at ${dimensionsOf(group, cell)}, ECE is ${means[0]} against ${means[1]} for dense` +
    `${word === "" ? "" : `, ${word}${doubt(raw)}`} (${formatDifference(raw, measure)}${overRows(raw, measure, ", ")}); ` +
    `after temperature scaling the difference is ${formatDifference(scaled, measure)}${overRows(scaled, measure, ", ")}.`
  );
}

function floorSentence(group: BenchmarkGroup, cell: Cell): string | undefined {
  const [run] = (group.dense ?? cell).runs;
  const floor = cellNoiseFloor(group.dense ?? cell);
  if (run === undefined || floor === undefined) return undefined;
  const rows = formatNumber(testMetrics(run, "bestValidation").rows);
  const rms = differenceToDense(group, cell, "rmsDebiased");
  const smooth = differenceToDense(group, cell, "smoothEce");
  const others =
    rms === undefined && smooth === undefined
      ? ""
      : ` Beside it, under best validation: debiased RMS error ${formatDifference(rms, MEASURES.rmsDebiased)}, smooth ECE ${formatDifference(smooth, MEASURES.smoothEce)}.`;
  return `Were every confidence right, a binned ECE would still be ${formatNumber(floor.mean, 4)} ± ${formatNumber(floor.standardDeviation, 4)} (one standard deviation) on these ${rows} test rows; differences of that size say little.${others}`;
}

/** Runs that asked for a fraction and did not get round(rho d) dimensions. */
function inexactRuns(group: BenchmarkGroup): number {
  return allCells(group)
    .flatMap((cell) => cell.runs)
    .filter(
      ({ active, dimensions }) =>
        active.requested !== undefined && active.count !== Math.round(active.requested * dimensions),
    ).length;
}

/** Path mode against separate runs at the fractions that both have. */
export function pathComparison(group: BenchmarkGroup):
  | {
      largest: Estimate;
      at: Cell;
      fractions: number;
      /** Absent where separate runs lack one of the path's fractions: then their times do not compare. */
      seconds?: { path: number; separate: number };
    }
  | undefined {
  const separate = group.series.find((series) => series.method === "l0gm");
  const path = group.series.find((series) => series.method === "l0gm-path");
  if (separate === undefined || path === undefined) return undefined;
  const shared = path.cells.flatMap((cell) => {
    const partner = separate.cells.find((candidate) => candidate.fraction === cell.fraction);
    const difference = pairedEstimate(cell, partner, (run) =>
      readMeasure(testMetrics(run, "bestValidation"), "accuracy"),
    );
    return difference === undefined || partner === undefined ? [] : [{ cell, partner, difference }];
  });
  const [first] = shared;
  if (first === undefined) return undefined;
  const largest = shared.reduce((a, b) => (Math.abs(b.difference.mean) > Math.abs(a.difference.mean) ? b : a), first);
  const ofSeparate = seriesSeconds({ method: "l0gm", cells: shared.map(({ partner }) => partner) }, group.seeds);
  const ofPath = seriesSeconds(path, group.seeds);
  const comparable = shared.length === path.cells.length && ofSeparate !== undefined && ofPath !== undefined;
  return {
    largest: largest.difference,
    at: largest.cell,
    fractions: shared.length,
    ...(comparable ? { seconds: { path: ofPath.mean, separate: ofSeparate.mean } } : {}),
  };
}

function pathSentence(group: BenchmarkGroup): string | undefined {
  const comparison = pathComparison(group);
  if (comparison === undefined) return undefined;
  const { largest, at, fractions, seconds } = comparison;
  const time =
    seconds === undefined
      ? ""
      : `One path run a seed gives ${plural(fractions, "fraction")} in ${formatDuration(seconds.path)}, separate runs in ` +
        `${formatDuration(seconds.separate)}: the path costs ${formatNumber(seconds.path / seconds.separate, 2)} of their time. `;
  const where = fractions === 1 ? "differs from separate runs" : "differs from separate runs most";
  const size = `${formatDifference(largest, MEASURES.accuracy)} points (${basis(largest)})`;
  return `${time}The path’s accuracy ${where} at ${dimensionsOf(group, at)}, by ${size}.`;
}

/** A path trains on from fraction to fraction, so the budgets that its last epochs end are not dense's. */
function pathEpochsSentence({ dense, series }: BenchmarkGroup): string | undefined {
  const cells = series.find(({ method }) => method === "l0gm-path")?.cells;
  if (cells === undefined) return undefined;
  const ends = cells.map((cell) => formatNumber(epochsOf(cell)));
  const beside = dense === undefined ? "" : `; dense has ${formatNumber(epochsOf(dense))}`;
  return `The path trains on from fraction to fraction. Its equal budget is the last epoch of each fraction’s segment, after ${ends.join(", ")} epochs in all${beside}.`;
}

/** Epochs of training behind the cells' models, the earlier ones of a path included; early stopping makes some runs shorter. */
function epochsOf(...cells: readonly Cell[]): number {
  return Math.max(...cells.flatMap(({ runs }) => runs.map(({ trace }) => (trace.at(-1)?.epoch ?? -1) + 1)));
}

function comparatorSentence(group: BenchmarkGroup, cell: Cell): string | undefined {
  const rivals = group.series
    .filter((series) => !series.method.startsWith("l0gm") && series.method !== cell.method)
    .flatMap((series) => series.cells.filter((candidate) => candidate.fraction === cell.fraction))
    .flatMap((rival) => {
      const mean = cellEstimate(rival, "accuracy")?.mean;
      return mean === undefined ? [] : [{ rival, mean }];
    });
  const [first] = rivals;
  if (first === undefined) return undefined;
  const { rival } = rivals.reduce((a, b) => (b.mean > a.mean ? b : a), first);
  const difference = pairedEstimate(rival, cell, (run) => readMeasure(testMetrics(run, "bestValidation"), "accuracy"));
  const against =
    difference === undefined
      ? "no seed in common"
      : `${formatDifference(difference, MEASURES.accuracy)} points against ${methodName(cell.method)} (${basis(difference)})`;
  return `The most accurate comparator there is ${rival.method}: ${against}.`;
}

/** How an accuracy compares with each comparator's. Separate runs have their epochs and batches, a path has its own. */
function comparatorsSentence(group: BenchmarkGroup, cell: Cell): string | undefined {
  const compared = group.comparators.flatMap((comparator) => {
    const difference = pairedEstimate(cell, comparator, (run) =>
      readMeasure(testMetrics(run, "bestValidation"), "accuracy"),
    );
    return difference === undefined ? [] : [{ comparator, difference }];
  });
  if (compared.length === 0) return undefined;
  const named = (which: ReturnType<typeof side>): string =>
    compared
      .filter(({ difference }) => side(difference) === which)
      .map(({ comparator, difference }) => `${comparator.method} (${formatDifference(difference, MEASURES.accuracy)})`)
      .join(", ");
  const parts = [
    ["ahead of", named("above")],
    ["not told apart from", named("both")],
    ["behind", named("below")],
    ["compared, without an interval, with", named("unknown")],
  ].flatMap(([phrase, names]) => (names === "" ? [] : [`${phrase} ${names}`]));
  const budget =
    cell.method === "l0gm-path"
      ? `After ${plural(epochsOf(cell), "epoch")} in all, where comparators have ${formatNumber(epochsOf(...group.comparators))}`
      : "With the same epochs and batches";
  return `${budget}, ${methodName(cell.method)} at ${dimensionsOf(group, cell)} is ${parts.join("; ")}: points of accuracy, paired by seed.`;
}

function replacedSentence({ replaced }: BenchmarkGroup): string | undefined {
  if (replaced === 0) return undefined;
  const [verb, whose] = replaced === 1 ? ["is", "its"] : ["are", "their"];
  return `${plural(replaced, "run")} ${verb} left out: a later run, with other settings or other code, has ${whose} method, fraction and seed.`;
}

/** Runs whose test rows could not be resampled; the first few by name. */
function missingRowsSentence({ bootstrap }: BenchmarkGroup): string | undefined {
  const missing = bootstrap?.missing ?? [];
  if (missing.length === 0) return undefined;
  const named = missing.slice(0, 3).join("; ");
  const more = missing.length > 3 ? `; and ${plural(missing.length - 3, "run")} more` : "";
  return `Where one of these runs takes part, the bootstrap over test rows is missing: ${named}${more}.`;
}

/**
 * The verdict on one group, sentence by sentence.
 *
 * @example
 * ```ts
 * for (const group of groupRuns(runs)) console.log(verdictSentences(group).join("\n"));
 * ```
 */
export function verdictSentences(group: BenchmarkGroup): string[] {
  const cells = headlineCells(group);
  const { dense } = group;
  const sentences: (string | undefined)[] = [];
  if (group.standInFor !== undefined) {
    sentences.push(`These are results on ${groupName(group)}; they are not results on ${group.standInFor}.`);
  } else if (group.simulated)
    sentences.push("These rows are simulated; they show that the method runs, not what it is worth.");
  if (dense === undefined) sentences.push("There is no dense run here, so no difference to dense can be given.");
  else {
    const accuracy = cellEstimate(dense, "accuracy");
    const nll = cellEstimate(dense, "nll");
    const interval =
      accuracy?.interval === undefined
        ? "one seed, no interval"
        : `[${formatNumber(accuracy.interval.lower * 100, 2)}, ${formatNumber(accuracy.interval.upper * 100, 2)}], ${plural(accuracy.n, "seed")}`;
    sentences.push(
      `Dense, with all ${group.dimensions} dimensions, has accuracy ${accuracy === undefined ? MISSING : formatNumber(accuracy.mean * 100, 2)} % (${interval}) and NLL ${formatNumber(nll?.mean, 4)} under ${PROTOCOL_LABELS.bestValidation}.`,
    );
  }
  if (cells !== undefined) {
    const { headline, sparsest } = cells;
    sentences.push(accuracySentence(group, headline));
    if (sparsest !== undefined) sentences.push(accuracySentence(group, sparsest));
    sentences.push(...PROTOCOLS.map((protocol) => calibrationSentence(group, headline, protocol)));
    sentences.push(
      floorSentence(group, headline),
      comparatorSentence(group, headline),
      comparatorsSentence(group, headline),
      pathSentence(group),
      pathEpochsSentence(group),
    );
    const inexact = inexactRuns(group);
    const asked = allCells(group).some((cell) => cell.runs.some((run) => run.active.requested !== undefined));
    if (inexact > 0)
      sentences.push(`${plural(inexact, "run")} did not end with the number of dimensions that was asked for.`);
    else if (asked) sentences.push("Every run ended with exactly the number of dimensions that was asked for.");
  }
  sentences.push(replacedSentence(group), missingRowsSentence(group));
  return sentences.filter((sentence) => sentence !== undefined);
}

/** A number that stands alone, with what it is and how sure it is. */
export interface HeadlineNumber {
  readonly value: string;
  readonly label: string;
  readonly note: string;
}

const ratio = (dense: number, compacted: number): string =>
  dense > 0 && compacted > 0 ? `${formatNumber(dense / compacted, dense / compacted < 10 ? 1 : 0)}×` : MISSING;

/** Four or five numbers for the head of a benchmark's section. */
export function headlineNumbers(group: BenchmarkGroup): HeadlineNumber[] {
  const cells = headlineCells(group);
  if (cells === undefined) return [];
  const cell = cells.headline;
  const where = `${formatNumber(cell.count, Number.isInteger(cell.count) ? 0 : 1)}/${group.dimensions} dimensions`;
  const intervals = (estimate: Estimate, measure: Measure): string => {
    const [, seeds = "one seed, no interval"] = formatDifference(estimate, measure).split(/ (?=\[)/);
    return estimate.bootstrap === undefined
      ? seeds
      : `${estimate.interval === undefined ? "one seed" : `seeds ${seeds}`} · test rows ${formatBootstrap(estimate, measure)}`;
  };
  const budget =
    cell.method === "l0gm-path" && group.dense !== undefined
      ? ` · after ${plural(epochsOf(cell), "epoch")}, dense ${formatNumber(epochsOf(group.dense))}`
      : "";
  const numbers: HeadlineNumber[] = [];
  const accuracy = differenceToDense(group, cell, "accuracy");
  if (accuracy !== undefined) {
    numbers.push({
      value: formatSigned(accuracy.mean * 100, 2),
      label: `points of accuracy against dense, ${where}`,
      note: intervals(accuracy, MEASURES.accuracy) + budget,
    });
  }
  const ece = differenceToDense(group, cell, "ece");
  if (ece !== undefined) {
    numbers.push({
      value: formatSigned(ece.mean, 4),
      label: `ECE against dense, best validation, ${where}`,
      note: intervals(ece, MEASURES.ece) + budget,
    });
  }
  const [run] = cell.runs;
  if (run !== undefined) {
    const { embeddingBytes } = run.cost;
    numbers.push({
      value: ratio(embeddingBytes.dense, embeddingBytes.compacted),
      label: "smaller embedding",
      note: `${formatNumber(embeddingBytes.dense)} B to ${formatNumber(embeddingBytes.compacted)} B`,
    });
  }
  const seconds = pathComparison(group)?.seconds;
  if (seconds !== undefined) {
    numbers.push({
      value: formatNumber(seconds.path / seconds.separate, 2),
      label: "of the time of separate runs for a whole path",
      note: `${formatDuration(seconds.path)} against ${formatDuration(seconds.separate)}`,
    });
  }
  return numbers;
}
