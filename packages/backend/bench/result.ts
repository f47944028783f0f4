/** What a run of the bench gives, as its JSON file holds it. */

import type { Case } from "./cases.ts";
import { FILLED, NATIVE, ours, STOCK, torch } from "./implementations.ts";
import type { CaseTimes } from "./rounds.ts";
import { ratio, roundMedians, type Spread, spread } from "./statistics.ts";

export interface CaseResult {
  readonly name: string;
  readonly kind: Case["kind"];
  readonly work?: number;
  readonly large?: boolean;
  /** Why nothing was compared. */
  readonly refused?: string;
  readonly failures: Readonly<Record<string, string>>;
  /** What had to agree: see protocol.ts. */
  readonly checks: Readonly<Record<string, readonly number[]>>;
  /** Milliseconds of every step in every round; null where an implementation sat a round out. */
  readonly times: Readonly<Record<string, readonly (readonly number[] | null)[]>>;
  /** Of the rounds' medians, in milliseconds. */
  readonly milliseconds: Readonly<Record<string, Spread>>;
  /** Of "over / under", how many times as long the one takes as the other. */
  readonly ratios: Readonly<Record<string, Spread>>;
}

export interface Entry {
  readonly id: string;
  readonly title: string;
  readonly runs?: string;
  readonly versions?: Readonly<Record<string, string>>;
  /** Why it is not there. */
  readonly absent?: string;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Share of the machine that others used in the second before the run and in the one after it. */
  readonly busy: readonly [before: number, after: number];
}

/** The pairs whose ratios are reported. */
export function comparisons(threads: readonly number[]): (readonly [over: string, under: string])[] {
  return threads.flatMap((count) => [
    [ours(count), torch(count)] as const,
    [STOCK, ours(count)] as const,
    [FILLED, ours(count)] as const,
    [NATIVE, ours(count)] as const,
  ]);
}

export function ratioKey(over: string, under: string): string {
  return `${over} / ${under}`;
}

/** Puts the figures of one case together. */
export function caseResult(measured: Case, times: CaseTimes, threads: readonly number[]): CaseResult {
  const { name, kind, work, large } = measured;
  const ratios = comparisons(threads).flatMap(([over, under]) => {
    const [a, b] = [times.times.get(over), times.times.get(under)];
    const value = a === undefined || b === undefined ? undefined : ratio(a, b);
    return value === undefined ? [] : [[ratioKey(over, under), value] as const];
  });
  const all = [...times.times];
  return {
    name,
    kind,
    ...(work === undefined ? {} : { work }),
    ...(large === undefined ? {} : { large }),
    ...(times.refused === undefined ? {} : { refused: times.refused }),
    failures: Object.fromEntries(times.failures),
    checks: Object.fromEntries(times.checks),
    times: Object.fromEntries(all.map(([id, rounds]) => [id, rounds.map((round) => round ?? null)])),
    milliseconds: Object.fromEntries(all.map(([id, rounds]) => [id, spread(roundMedians(rounds))])),
    ratios: Object.fromEntries(ratios),
  };
}
