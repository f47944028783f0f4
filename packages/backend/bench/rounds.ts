/** Measures several implementations of one workload in rounds, one at a time, so that a drift of the machine hits all alike. */

import type { z } from "zod";
import { disagreement } from "./agreement.ts";
import { PeerFailure } from "./peer.ts";
import { MEASURED, PREPARED, RELEASED, type Request, type Workload } from "./protocol.ts";
import { median, type Rounds } from "./statistics.ts";

/** What is asked of a peer here. */
export interface Measurable {
  ask<T>(request: Request, answer: z.ZodType<T>): Promise<T>;
}

export interface RoundOptions {
  /** Who takes part only where another has failed. */
  readonly substitutes?: ReadonlyMap<string, string>;
  readonly rounds: number;
  /** How long an implementation measures in a round; a step that takes longer is made once. */
  readonly seconds: number;
  /** Of the order in each round. */
  readonly seed: number;
}

export interface CaseTimes {
  /** What stands in `checks` of those that could prepare the workload. */
  readonly checks: ReadonlyMap<string, readonly number[]>;
  readonly times: ReadonlyMap<string, Rounds>;
  readonly failures: ReadonlyMap<string, string>;
  /** Why nothing was measured. */
  readonly refused?: string;
}

/** Steps of over two seconds take part in fewer rounds: these are of implementations that are far behind. */
const LONG_STEP = 2000;

/** A measurement ends at this many times the time that was planned, when steps take longer than they did before. */
const LONGEST = 2;

/** Threads that wait busily for more work have given up by then. */
const PAUSE = 25;

/** The names in a random order for each round, the same for the same seed. */
export function orders(names: readonly string[], rounds: number, seed: number): string[][] {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  const next = (bound: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
  return Array.from({ length: rounds }, () => {
    const order = [...names];
    for (let i = order.length - 1; i > 0; i--) {
      const j = next(i + 1);
      [order[i], order[j]] = [order[j] ?? "", order[i] ?? ""];
    }
    return order;
  });
}

/** Whether a step of that length is measured in a round. */
export function takesPart(stepMs: number, round: number): boolean {
  return round % Math.max(1, Math.ceil(stepMs / LONG_STEP)) === 0;
}

/** How many steps fill the time; short ones are preceded by one that is not timed, which finds caches and threads asleep. */
export function plan(stepMs: number, seconds: number): Omit<Extract<Request, { command: "measure" }>, "command"> {
  const repetitions = Math.min(10_000, Math.max(1, Math.round((seconds * 1000) / stepMs)));
  return { untimed: repetitions >= 3 ? Math.ceil(repetitions / 20) : 0, repetitions, limit: seconds * LONGEST * 1000 };
}

function reasonOf(error: unknown): string {
  if (error instanceof PeerFailure) return error.message;
  throw error;
}

/**
 * Prepares the workload everywhere, refuses it when the results differ, and measures it in rounds. An implementation that fails is left out
 * from there on.
 */
export async function measureInRounds(
  peers: ReadonlyMap<string, Measurable>,
  workload: Workload,
  { rounds, seconds, seed, substitutes }: RoundOptions,
): Promise<CaseTimes> {
  const checks = new Map<string, readonly number[]>();
  const steps = new Map<string, number>();
  const failures = new Map<string, string>();
  for (const [name, peer] of peers) {
    const standsFor = substitutes?.get(name);
    if (standsFor !== undefined && !failures.has(standsFor)) continue;
    try {
      const prepared = await peer.ask({ command: "prepare", workload }, PREPARED);
      checks.set(name, prepared.checks);
      steps.set(name, prepared.ms);
    } catch (error) {
      failures.set(name, reasonOf(error));
    }
  }
  const times = new Map<string, (readonly number[] | undefined)[]>();
  const refused = disagreement(checks);
  if (refused === undefined) {
    for (const name of steps.keys()) times.set(name, []);
    for (const [round, order] of orders([...steps.keys()], rounds, seed).entries()) {
      for (const name of order) {
        const step = steps.get(name) ?? 0;
        const own = times.get(name);
        if (own === undefined) continue;
        own[round] = undefined;
        if (!takesPart(step, round)) continue;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        try {
          const answer = await peers.get(name)?.ask({ command: "measure", ...plan(step, seconds) }, MEASURED);
          own[round] = answer?.times;
          // The first steps, on a cold engine, were longer; a machine that slows down shall not change who takes part.
          if (answer !== undefined) steps.set(name, Math.min(step, median(answer.times)));
        } catch (error) {
          failures.set(name, reasonOf(error));
          times.delete(name);
        }
      }
    }
  }
  for (const [name, peer] of peers) {
    if (!steps.has(name) || failures.has(name)) continue;
    try {
      await peer.ask({ command: "release" }, RELEASED);
    } catch (error) {
      failures.set(name, reasonOf(error));
    }
  }
  return { checks, times, failures, ...(refused === undefined ? {} : { refused }) };
}
