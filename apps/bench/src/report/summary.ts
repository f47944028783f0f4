import type { RunResult } from "../result.ts";
import {
  allCells,
  type BenchmarkGroup,
  type Cell,
  cellEstimate,
  differenceToDense,
  type Estimate,
  groupRuns,
  hypervolumes,
} from "./aggregate.ts";
import type { Protocol } from "./measures.ts";
import { verdictSentences } from "./verdict.ts";

/** Test measures of one cell under one protocol, over seeds. Fractions of one, not per cent. */
export interface ProtocolSummary {
  readonly accuracy?: Estimate;
  readonly nll?: Estimate;
  readonly ece?: Estimate;
  readonly rmsDebiased?: Estimate;
  readonly smoothEce?: Estimate;
  /** After temperature scaling. */
  readonly temperatureScaled: { readonly nll?: Estimate; readonly ece?: Estimate };
  /** Mean paired difference, cell minus dense; absent without a dense run of the same seed. */
  readonly minusDense: { readonly accuracy?: Estimate; readonly nll?: Estimate; readonly ece?: Estimate };
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
  readonly standInFor?: string;
  /** Present, and true, where rows were generated rather than collected. */
  readonly simulated?: true;
  readonly split: string;
  readonly dimensions: number;
  readonly frontier: readonly FrontierPoint[];
  /** Dominated area a method (realised fraction against error); compares within one benchmark only. */
  readonly hypervolumes: readonly { readonly method: string; readonly volume: Estimate }[];
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
  const difference = (key: "accuracy" | "nll" | "ece"): Estimate | undefined =>
    cell === group.dense ? undefined : differenceToDense(group, cell, key, protocol);
  return {
    ...present({
      accuracy: own("accuracy"),
      nll: own("nll"),
      ece: own("ece"),
      rmsDebiased: own("rmsDebiased"),
      smoothEce: own("smoothEce"),
    }),
    temperatureScaled: present({
      nll: cellEstimate(cell, "nll", protocol, "scaled"),
      ece: cellEstimate(cell, "ece", protocol, "scaled"),
    }),
    minusDense: present({ accuracy: difference("accuracy"), nll: difference("nll"), ece: difference("ece") }),
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
 * @example
 * ```ts
 * process.stdout.write(JSON.stringify({ benchmarks: frontierSummary(runs) }));
 * ```
 */
export function frontierSummary(runs: readonly RunResult[]): FrontierSummary[] {
  return groupRuns(runs).map((group) => ({
    benchmark: group.benchmark,
    ...(group.standInFor === undefined ? {} : { standInFor: group.standInFor }),
    ...(group.simulated ? { simulated: true as const } : {}),
    split: group.split,
    dimensions: group.dimensions,
    frontier: allCells(group).map((cell) => frontierPoint(group, cell)),
    hypervolumes: hypervolumes(group),
    verdict: verdictSentences(group),
  }));
}
