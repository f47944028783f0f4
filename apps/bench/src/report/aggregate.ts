/** Runs in, numbers out: which runs belong together, their means over seeds, and their paired differences to dense. */

import { type BootstrapInterval, hypervolume, meanInterval, pairedDifference } from "@l0gm/core";
import type { RunResult } from "../result.ts";
import {
  isRowMeasure,
  type MeasureKey,
  type Protocol,
  type RowMeasure,
  readMeasure,
  type Stage,
  testMetrics,
} from "./measures.ts";

/** A mean over seeds with its 95 % t interval; one seed has no interval. */
export interface Estimate {
  readonly mean: number;
  /** Seeds that had a finite value. */
  readonly n: number;
  readonly interval?: { readonly lower: number; readonly upper: number; readonly halfWidth: number };
  /** Of a difference to dense: its 95 % percentile interval when test rows are resampled and the models stay as they are. */
  readonly bootstrap?: { readonly lower: number; readonly upper: number };
}

/** Runs of one method at one fraction, one a seed, by seed. */
export interface Cell {
  readonly method: string;
  /** The fraction that was asked for; where none was (dense, penalty mode) the realised one, averaged over seeds. */
  readonly fraction: number;
  /** The weight of the penalty, in penalty mode. */
  readonly lambda?: number;
  /** Mean open probability before the gates were frozen, averaged over seeds. */
  readonly expected: number;
  /** Open dimensions / d, averaged over seeds. */
  readonly realised: number;
  /** Open dimensions, averaged over seeds. */
  readonly count: number;
  readonly runs: readonly RunResult[];
}

/** One method's cells, densest first. */
export interface Series {
  readonly method: string;
  readonly cells: readonly Cell[];
}

/** One difference to dense under one protocol and stage, bootstrapped over test rows. */
export interface DifferenceBootstrap extends Readonly<Record<RowMeasure, BootstrapInterval>> {
  readonly method: string;
  readonly fraction: number;
  readonly lambda?: number;
  readonly protocol: Protocol;
  readonly stage: Stage;
}

/** The bootstrap over test rows of one group, as `bootstrapRuns` makes it. */
export interface GroupBootstrap {
  /** {@link BenchmarkGroup.key} of the group. */
  readonly key: string;
  readonly samples: number;
  readonly differences: readonly DifferenceBootstrap[];
  /** A phrase on each run whose predictions could not be used; differences that need one of them are left out. */
  readonly missing: readonly string[];
}

/** What may be compared with each other: same benchmark, data, split and width. */
export interface BenchmarkGroup {
  /** Tells groups apart. */
  readonly key: string;
  readonly benchmark: string;
  readonly standInFor?: string;
  readonly simulated: boolean;
  readonly split: string;
  readonly dimensions: number;
  readonly data: RunResult["data"];
  /** Seeds that occur in any run, ascending. */
  readonly seeds: readonly number[];
  readonly dense?: Cell;
  /** Runs that a later one of the same method, fraction and seed replaces; they are in no cell. */
  readonly replaced: number;
  /** What has a fraction, so a place on the frontier: L0GM first, then its path, then others by name. */
  readonly series: readonly Series[];
  /** What the modality does anyway, without a gate and without a fraction, by name. */
  readonly comparators: readonly Cell[];
  readonly bootstrap?: GroupBootstrap;
}

/** Mean and 95 % t interval over the values that are there and finite; undefined without any. */
export function estimate(values: readonly (number | undefined)[]): Estimate | undefined {
  const present = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  const [only] = present;
  if (only === undefined) return undefined;
  if (present.length === 1) return { mean: only, n: 1 };
  const { mean, lower, upper, halfWidth } = meanInterval(present);
  return { mean, n: present.length, interval: { lower, upper, halfWidth } };
}

/** Sorts methods as they are told: dense, L0GM, its path, then comparators by name. */
function methodOrder(a: string, b: string): number {
  const rank = (method: string): number => {
    const index = ["dense", "l0gm", "l0gm-path"].indexOf(method);
    return index < 0 ? 3 : index;
  };
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The last run of each seed, so that a repeated run replaces its predecessor. */
function oneRunPerSeed(runs: readonly RunResult[]): RunResult[] {
  return [...new Map(runs.map((run) => [run.seed, run])).values()].sort((a, b) => a.seed - b.seed);
}

function toCell(runs: readonly RunResult[]): Cell[] {
  const kept = oneRunPerSeed(runs);
  const [first] = kept;
  if (first === undefined) return [];
  return [
    {
      method: first.method,
      fraction: first.active.requested ?? average(kept.map((run) => run.active.realised)),
      ...(first.lambda === undefined ? {} : { lambda: first.lambda }),
      expected: average(kept.map((run) => run.active.expected)),
      realised: average(kept.map((run) => run.active.realised)),
      count: average(kept.map((run) => run.active.count)),
      runs: kept,
    },
  ];
}

function toSeries(runs: readonly RunResult[]): Series[] {
  return groupBy(runs, (run) => run.method)
    .map((ofMethod) => ({
      method: ofMethod[0]?.method ?? "",
      cells: groupBy(ofMethod, ({ active, lambda }) => String(active.requested ?? lambda ?? active.realised))
        .flatMap(toCell)
        .sort((a, b) => b.fraction - a.fraction),
    }))
    .sort((a, b) => methodOrder(a.method, b.method));
}

/** Neither dense nor ours, and nobody asked for a fraction. */
export function isComparator({ method, runs }: Cell): boolean {
  return (
    method !== "dense" &&
    !method.startsWith("l0gm") &&
    runs.every(({ active: { requested } }) => requested === undefined)
  );
}

/**
 * Sorts runs into groups that may be compared with each other. Of two runs with the same method, fraction and seed the later in
 * `runs` counts.
 *
 * @param bootstraps - made from the same runs; they come with the differences to dense
 *
 * @example
 * ```ts
 * for (const group of groupRuns(runs)) console.log(group.benchmark, group.series.map((series) => series.method));
 * ```
 */
export function groupRuns(runs: readonly RunResult[], bootstraps: readonly GroupBootstrap[] = []): BenchmarkGroup[] {
  const comparable = (run: RunResult): string =>
    JSON.stringify([run.benchmark, run.standInFor, run.split, run.dimensions, run.data.name, run.data.checksum]);
  return groupBy(runs, comparable).flatMap((ofGroup) => {
    const [first] = ofGroup;
    if (first === undefined) return [];
    const all = toSeries(ofGroup);
    const others = all.filter(({ method }) => method !== "dense");
    const dense = all.find((series) => series.method === "dense")?.cells[0];
    const key = comparable(first);
    const bootstrap = bootstraps.find((candidate) => candidate.key === key);
    return [
      {
        key,
        benchmark: first.benchmark,
        ...(first.standInFor === undefined ? {} : { standInFor: first.standInFor }),
        simulated: ofGroup.some((run) => run.data.simulated === true),
        split: first.split,
        dimensions: first.dimensions,
        data: first.data,
        seeds: [...new Set(ofGroup.map((run) => run.seed))].sort((a, b) => a - b),
        replaced: ofGroup.length - all.flatMap(({ cells }) => cells.flatMap(({ runs }) => runs)).length,
        ...(dense === undefined ? {} : { dense }),
        series: others.filter(({ cells }) => !cells.every(isComparator)),
        comparators: others.flatMap(({ cells }) => (cells.every(isComparator) ? cells : [])),
        ...(bootstrap === undefined ? {} : { bootstrap }),
      },
    ];
  });
}

/** What has to be said of a group beside its benchmark: that it is a stand-in, that its rows are simulated, which data it is on. */
export function groupNotes({ benchmark, standInFor, simulated, data }: BenchmarkGroup): string[] {
  return [
    ...(standInFor === undefined ? [] : [`stand-in for ${standInFor}`]),
    ...(simulated ? ["simulated"] : []),
    ...(data.name === benchmark ? [] : [data.name]),
  ];
}

/** The group's name; a stand-in and simulated rows are never named without saying so. */
export function groupName(group: BenchmarkGroup): string {
  const notes = groupNotes(group);
  return notes.length === 0 ? group.benchmark : `${group.benchmark} (${notes.join(", ")})`;
}

/** Dense, where there is one, and every other cell in the order of the report. */
export function allCells(group: BenchmarkGroup): Cell[] {
  const others = [...group.series.flatMap((series) => series.cells), ...group.comparators];
  return group.dense === undefined ? others : [group.dense, ...others];
}

/** One test measure of a cell, over its seeds. */
export function cellEstimate(
  cell: Cell,
  key: MeasureKey,
  protocol: Protocol = "bestValidation",
  stage: Stage = "raw",
): Estimate | undefined {
  return estimate(cell.runs.map((run) => readMeasure(testMetrics(run, protocol), key, stage)));
}

/** Pairs two cells by seed and estimates the mean of `read(run) - read(other's run)`. */
export function pairedEstimate(
  cell: Cell,
  other: Cell | undefined,
  read: (run: RunResult) => number | undefined,
): Estimate | undefined {
  const left: number[] = [];
  const right: number[] = [];
  for (const run of cell.runs) {
    const partner = other?.runs.find((candidate) => candidate.seed === run.seed);
    const a = read(run);
    const b = partner === undefined ? undefined : read(partner);
    if (a === undefined || b === undefined) continue;
    left.push(a);
    right.push(b);
  }
  const [a] = left;
  const [b] = right;
  if (a === undefined || b === undefined) return undefined;
  if (left.length === 1) return { mean: a - b, n: 1 };
  const { mean, lower, upper, halfWidth } = pairedDifference(right, left);
  return { mean, n: left.length, interval: { lower, upper, halfWidth } };
}

/** A test measure's mean difference, cell minus dense, over the seeds that both have; with its bootstrap where the group has it. */
export function differenceToDense(
  group: BenchmarkGroup,
  cell: Cell,
  key: MeasureKey,
  protocol: Protocol = "bestValidation",
  stage: Stage = "raw",
): Estimate | undefined {
  const difference = pairedEstimate(cell, group.dense, (run) => readMeasure(testMetrics(run, protocol), key, stage));
  const resampled = group.bootstrap?.differences.find(
    (each) =>
      each.method === cell.method &&
      each.fraction === cell.fraction &&
      each.lambda === cell.lambda &&
      each.protocol === protocol &&
      each.stage === stage,
  );
  if (difference === undefined || resampled === undefined || !isRowMeasure(key)) return difference;
  const { lower, upper } = resampled[key];
  return { ...difference, bootstrap: { lower, upper } };
}

/**
 * What a binned ECE comes to when every confidence is right: E|X| of each bin's gap, normal with variance c(1 - c)/n around zero,
 * weighted by the bin's share of the rows.
 */
export function noiseFloor(
  bins: readonly { readonly count: number; readonly confidence: number }[],
): { mean: number; standardDeviation: number } | undefined {
  const rows = bins.reduce((sum, bin) => sum + bin.count, 0);
  if (rows === 0) return undefined;
  let mean = 0;
  let variance = 0;
  for (const { count, confidence } of bins) {
    if (count === 0) continue;
    const gapVariance = (confidence * (1 - confidence)) / count;
    mean += (count / rows) * Math.sqrt((2 / Math.PI) * gapVariance);
    variance += (count / rows) ** 2 * (1 - 2 / Math.PI) * gapVariance;
  }
  return { mean, standardDeviation: Math.sqrt(variance) };
}

/** {@link noiseFloor} of a cell's test confidences, averaged over seeds. */
export function cellNoiseFloor(
  cell: Cell,
  protocol: Protocol = "bestValidation",
  stage: Stage = "raw",
): ReturnType<typeof noiseFloor> {
  const floors = cell.runs.flatMap((run) => {
    const metrics = testMetrics(run, protocol);
    return noiseFloor(stage === "scaled" ? metrics.temperatureScaled.reliability : metrics.reliability) ?? [];
  });
  if (floors.length === 0) return undefined;
  return {
    mean: average(floors.map((floor) => floor.mean)),
    standardDeviation: average(floors.map((floor) => floor.standardDeviation)),
  };
}

/**
 * Each method's hypervolume in the plane of realised fraction (cost) and test accuracy (value), over the seeds that have all of
 * its fractions. The reference is the whole representation at the group's lowest accuracy: only numbers of one group compare.
 */
export function hypervolumes(group: BenchmarkGroup): { method: string; volume: Estimate }[] {
  const points = (runs: readonly RunResult[]): { cost: number; value: number }[] =>
    runs.flatMap((run) => {
      const value = readMeasure(testMetrics(run, "bestValidation"), "accuracy");
      return value === undefined ? [] : [{ cost: run.active.realised, value }];
    });
  const values = points(allCells(group).flatMap((cell) => cell.runs)).map((point) => point.value);
  if (values.length === 0) return [];
  const reference = { cost: 1, value: Math.min(...values) };
  return group.series.flatMap(({ method, cells }) => {
    const volumes = group.seeds.map((seed) => {
      const ofSeed = points(cells.flatMap((cell) => cell.runs.filter((run) => run.seed === seed)));
      return ofSeed.length < cells.length ? undefined : hypervolume(ofSeed, reference);
    });
    const volume = estimate(volumes);
    return volume === undefined ? [] : [{ method, volume }];
  });
}

/** Seconds that a method took for all of its fractions, over seeds that have all of them. */
export function seriesSeconds(series: Series, seeds: readonly number[]): Estimate | undefined {
  return estimate(
    seeds.map((seed) => {
      const runs = series.cells.flatMap((cell) => cell.runs.filter((run) => run.seed === seed));
      return runs.length < series.cells.length ? undefined : runs.reduce((sum, run) => sum + run.timing.seconds, 0);
    }),
  );
}
