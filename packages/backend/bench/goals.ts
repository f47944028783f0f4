/** The goals of the project for these figures, and whether a run met them. */

import { FILLED, NATIVE, ours, STOCK, torch } from "./implementations.ts";
import { type CaseResult, ratioKey } from "./result.ts";

export interface Goal {
  readonly goal: string;
  /** What was measured, or why nothing was. */
  readonly measured: string;
  /** Absent where nothing was measured. */
  readonly met?: boolean;
}

/** GFLOP/s of a large product, by threads. */
const PRODUCT_RATE = [
  [1, 32],
  [2, 48],
] as const;

/** A training step's time, over PyTorch's, on one thread. */
const OVER_TORCH: Readonly<Record<string, number>> = {
  mlp: 1.3,
  featureTransformer: 1.3,
  transformer: 1.3,
  trees: 1.5,
  graphs: 1,
};

/** A training step's time on the stock backend, over ours. */
const STOCK_OVER = 15;

/** Medians over rounds are what goals are held to; quartiles stand beside them in the tables. */
export function goalsOf(cases: readonly CaseResult[], threads: readonly number[]): Goal[] {
  return [
    ...cases.flatMap((each) => (each.large === true ? rates(each, threads) : [])),
    ...cases.flatMap((each) => (each.kind === "step" ? [overTorch(each), overStock(each)] : [])),
    ...cases.map((each) => aheadOfNative(each, Math.max(...threads))),
  ];
}

function missing({ refused, failures, milliseconds }: CaseResult, ...ids: string[]): string {
  const absent = ids.filter((id) => milliseconds[id] === undefined);
  const failure = ids.flatMap((id) => (failures[id] === undefined ? [] : [`${id} fails: ${failures[id]}`]));
  return `not measured: ${refused ?? (failure.length === 0 ? `${absent.join(", ")} not in the run` : failure.join("; "))}`;
}

function rates(result: CaseResult, threads: readonly number[]): Goal[] {
  return PRODUCT_RATE.filter(([count]) => threads.includes(count)).map(([count, least]): Goal => {
    const goal = `${result.name}: at least ${least} GFLOP/s on ${count === 1 ? "one thread" : `${count} threads`}`;
    const rate = rateOf(result, ours(count));
    if (rate === undefined) return { goal, measured: missing(result, ours(count)) };
    const other = rateOf(result, torch(count));
    const beside = other === undefined ? "" : ` (PyTorch ${other.toFixed(0)})`;
    return { goal, measured: `${rate.toFixed(1)}${beside}`, met: rate >= least };
  });
}

/** GFLOP/s at the median time. */
export function rateOf({ work, milliseconds }: CaseResult, id: string): number | undefined {
  const time = milliseconds[id]?.median;
  return time === undefined || work === undefined ? undefined : (work * 1000) / time;
}

function overTorch(result: CaseResult): Goal {
  const most = OVER_TORCH[result.name] ?? Number.NaN;
  const goal = `${result.name}: at most ${most.toFixed(1)} times as long as PyTorch on one thread`;
  const value = result.ratios[ratioKey(ours(1), torch(1))]?.median;
  if (value === undefined) return { goal, measured: missing(result, ours(1), torch(1)) };
  return { goal, measured: value.toFixed(2), met: value <= most };
}

function overStock(result: CaseResult): Goal {
  const goal = `${result.name}: at least ${STOCK_OVER} times as fast as stock on one thread`;
  const own = result.ratios[ratioKey(STOCK, ours(1))]?.median;
  const value = own ?? result.ratios[ratioKey(FILLED, ours(1))]?.median;
  if (value === undefined) return { goal, measured: missing(result, ours(1), STOCK, FILLED) };
  const beside = own === undefined ? ` (stock, filled; as it comes it fails: ${result.failures[STOCK]})` : "";
  return { goal, measured: `${value.toFixed(1)}${beside}`, met: value >= STOCK_OVER };
}

function aheadOfNative(result: CaseResult, threads: number): Goal {
  const goal = `${result.name}: ahead of tfjs-node, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  const value = result.ratios[ratioKey(NATIVE, ours(threads))]?.median;
  if (value === undefined) return { goal, measured: missing(result, ours(threads), NATIVE) };
  return { goal, measured: `tfjs-node takes ${value.toFixed(2)} times as long`, met: value > 1 };
}
