import type { RunResult } from "../result.ts";
import {
  type BenchmarkGroup,
  type Cell,
  cellEstimate,
  differenceToDense,
  type Estimate,
  type GroupBootstrap,
  groupName,
  groupRuns,
  hypervolumes,
} from "./aggregate.ts";
import type { Protocol, RowMeasure, Stage } from "./measures.ts";
import { verdictSentences } from "./verdict.ts";

/** Test measures of one cell under one protocol, over seeds. Fractions of one, not per cent. */
export interface ProtocolSummary {
  readonly accuracy?: Estimate;
  readonly nll?: Estimate;
  readonly ece?: Estimate;
  readonly rmsDebiased?: Estimate;
  readonly smoothEce?: Estimate;
  /** Mean paired difference, cell minus dense; absent without a dense run of the same seed. */
  readonly minusDense: { readonly accuracy?: Estimate; readonly nll?: Estimate; readonly ece?: Estimate };
  readonly temperatureScaled: {
    readonly nll?: Estimate;
    readonly ece?: Estimate;
    readonly minusDense: { readonly nll?: Estimate; readonly ece?: Estimate };
  };
}

/** One method at one fraction. */
export interface FrontierPoint {
  readonly method: string;
  readonly active: {
    readonly requested?: number;
    readonly expected: number;
    readonly realised: number;
    readonly count: number;
  };
  readonly seeds: readonly number[];
  readonly protocols: Readonly<Record<Protocol, ProtocolSummary>>;
}

/** One benchmark's frontier, as `reproduce` and `sweep` print it. */
export interface FrontierSummary {
  readonly benchmark: string;
  /** The benchmark with what has to be said of it: a stand-in, simulated rows, data of another name. */
  readonly name: string;
  readonly standInFor?: string;
  /** Present, and true, where rows were generated rather than collected. */
  readonly simulated?: true;
  readonly split: string;
  readonly dimensions: number;
  readonly frontier: readonly FrontierPoint[];
  /** What the modality does anyway, without a gate: no fraction, so no place on the frontier. Absent where none ran. */
  readonly comparators?: readonly FrontierPoint[];
  /** Dominated area a method (realised fraction against error); compares within one benchmark only. */
  readonly hypervolumes: readonly { readonly method: string; readonly volume: Estimate }[];
  /** How `bootstrap` of each difference to dense came about, where predictions were read. */
  readonly bootstrap?: {
    readonly samples: number;
    /** Runs whose predictions could not be used. */
    readonly missing: readonly string[];
  };
  /** Plain sentences. */
  readonly verdict: readonly string[];
}

/** Leaves out the keys whose value is undefined. */
function present<Key extends string>(
  entries: Readonly<Record<Key, Estimate | undefined>>,
): Partial<Record<Key, Estimate>> {
  const kept = Object.entries<Estimate | undefined>(entries).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as Partial<Record<Key, Estimate>>;
}

function protocolSummary(group: BenchmarkGroup, cell: Cell, protocol: Protocol): ProtocolSummary {
  const own = (key: "accuracy" | "nll" | "ece" | "rmsDebiased" | "smoothEce"): Estimate | undefined =>
    cellEstimate(cell, key, protocol);
  const difference = (key: RowMeasure, stage: Stage = "raw"): Estimate | undefined =>
    cell === group.dense ? undefined : differenceToDense(group, cell, key, protocol, stage);
  return {
    ...present({
      accuracy: own("accuracy"),
      nll: own("nll"),
      ece: own("ece"),
      rmsDebiased: own("rmsDebiased"),
      smoothEce: own("smoothEce"),
    }),
    minusDense: present({ accuracy: difference("accuracy"), nll: difference("nll"), ece: difference("ece") }),
    temperatureScaled: {
      ...present({
        nll: cellEstimate(cell, "nll", protocol, "scaled"),
        ece: cellEstimate(cell, "ece", protocol, "scaled"),
      }),
      minusDense: present({ nll: difference("nll", "scaled"), ece: difference("ece", "scaled") }),
    },
  };
}

function frontierPoint(group: BenchmarkGroup, cell: Cell): FrontierPoint {
  const requested = cell.runs[0]?.active.requested;

  return {
    method: cell.method,
    active: {
      ...(requested === undefined ? {} : { requested }),
      expected: cell.expected,
      realised: cell.realised,
      count: cell.count,
    },
    seeds: cell.runs.map((run) => run.seed),
    protocols: {
      equalBudget: protocolSummary(group, cell, "equalBudget"),
      bestValidation: protocolSummary(group, cell, "bestValidation"),
    },
  };
}

/**
 * Frontier and verdict of every benchmark in `runs`, for JSON and for the terminal.
 *
 * @param bootstraps - what `bootstrapRuns` made of the same runs; differences to dense then come with intervals over test rows
 *
 * @example
 * ```ts
 * process.stdout.write(JSON.stringify({ benchmarks: frontierSummary(runs) }));
 * ```
 */
export function frontierSummary(
  runs: readonly RunResult[],
  bootstraps: readonly GroupBootstrap[] = [],
): FrontierSummary[] {
  return groupRuns(runs, bootstraps).map((group) => ({
    benchmark: group.benchmark,
    name: groupName(group),
    ...(group.standInFor === undefined ? {} : { standInFor: group.standInFor }),
    ...(group.simulated ? { simulated: true as const } : {}),
    split: group.split,
    dimensions: group.dimensions,
    frontier: [...(group.dense === undefined ? [] : [group.dense]), ...group.series.flatMap(({ cells }) => cells)].map(
      (cell) => frontierPoint(group, cell),
    ),
    ...(group.comparators.length === 0
      ? {}
      : { comparators: group.comparators.map((cell) => frontierPoint(group, cell)) }),
    hypervolumes: hypervolumes(group),
    ...(group.bootstrap === undefined
      ? {}
      : { bootstrap: { samples: group.bootstrap.samples, missing: group.bootstrap.missing } }),
    verdict: verdictSentences(group),
  }));
}
