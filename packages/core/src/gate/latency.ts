import { ConfigError } from "../errors.ts";
import { eventLoopTurn } from "../event-loop.ts";
import type { GatedClassifier } from "../model/gated-classifier.ts";

/** Time of one forward pass over a batch, in milliseconds. */
export interface Latency {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** Options of {@link compareLatency}. */
export interface LatencyOptions {
  /** Timed passes a model. @defaultValue 30 */
  readonly rounds?: number;
  /** Passes a model before the clock counts. @defaultValue 3 */
  readonly warmUp?: number;
  /** Stops after the next round with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Times the forward passes of several models on one batch, from inputs to logits in host memory. The models take turns, so that
 * whatever else the machine does falls on all alike.
 *
 * @throws ConfigError when `rounds` is below 1, `warmUp` below 0, or one of them no integer
 *
 * @example
 * ```ts
 * declare const gated: GatedClassifier<{ x: number }>;
 * declare const batch: { x: number };
 * const { before, after } = await compareLatency({ before: gated, after: compact(gated) }, batch);
 * console.log(before.median / after.median);
 * ```
 */
export async function compareLatency<Batch, Name extends string>(
  models: Readonly<Record<Name, GatedClassifier<Batch>>>,
  batch: Batch,
  { rounds = 30, warmUp = 3, signal }: LatencyOptions = {},
): Promise<Record<Name, Latency>> {
  if (!(Number.isInteger(rounds) && rounds >= 1 && Number.isInteger(warmUp) && warmUp >= 0)) {
    throw new ConfigError({
      where: "compareLatency",
      expected: "rounds >= 1 and warmUp >= 0, both integers",
      received: { rounds, warmUp },
    });
  }
  const names = Object.keys(models) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of names) {
      const start = performance.now();
      const logits = models[name].logits(batch);
      await logits.data();
      const elapsed = performance.now() - start;
      logits.dispose();
      if (round >= 0) times.get(name)?.push(elapsed);
    }
    await eventLoopTurn();
    signal?.throwIfAborted();
  }
  const quantile = (sorted: readonly number[], q: number): number =>
    sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN;
  const summary = names.map((name) => {
    const sorted = (times.get(name) ?? []).sort((a, b) => a - b);
    return [
      name,
      { median: quantile(sorted, 0.5), lowerQuartile: quantile(sorted, 0.25), upperQuartile: quantile(sorted, 0.75) },
    ];
  });
  return Object.fromEntries(summary) as Record<Name, Latency>;
}
