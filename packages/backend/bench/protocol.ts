/** What the bench says to a peer, a process that measures one implementation, and what it hears: a line of JSON each. */

import { z } from "zod";
import { MODEL_NAMES, type ModelName } from "./model-names.ts";

export interface Product {
  readonly a: number[];
  readonly b: number[];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** A product of two matrices, or the training of a model. */
export type Workload = Product | { readonly model: ModelName };

/**
 * `prepare` makes a workload, `measure` runs its step some times, `release` lets it go. One workload is there at a time. After `limit`
 * milliseconds `measure` stops early, though not before the first repetition.
 */
export type Request =
  | { readonly command: "prepare"; readonly workload: Workload }
  | { readonly command: "measure"; readonly untimed: number; readonly repetitions: number; readonly limit: number }
  | { readonly command: "release" };

const SHAPE = z.array(z.int().min(1));

const WORKLOAD: z.ZodType<Workload> = z.union([
  z.object({ model: z.enum(MODEL_NAMES) }),
  z.object({ a: SHAPE, b: SHAPE, transposeA: z.boolean(), transposeB: z.boolean() }),
]);

export const REQUEST: z.ZodType<Request> = z.discriminatedUnion("command", [
  z.object({ command: z.literal("prepare"), workload: WORKLOAD }),
  z.object({
    command: z.literal("measure"),
    untimed: z.int().min(0),
    repetitions: z.int().min(1),
    limit: z.number().positive(),
  }),
  z.object({ command: z.literal("release") }),
]);

/** The first line of a peer, before any request. */
export interface Ready {
  readonly runs: string;
  readonly versions: Readonly<Record<string, string>>;
}

export const READY: z.ZodType<Ready> = z.object({ runs: z.string(), versions: z.record(z.string(), z.string()) });

/** After `prepare`. */
export interface Prepared {
  /** What all have to agree on: a model's losses before its first steps, or a product's mean square over the inner size. */
  readonly checks: number[];
  /** How long the last step so far took. */
  readonly ms: number;
}

export const PREPARED: z.ZodType<Prepared> = z.object({
  checks: z.array(z.number()).min(1),
  ms: z.number().positive(),
});

/** After `measure`: milliseconds of each repetition. */
export const MEASURED: z.ZodType<{ readonly times: number[] }> = z.object({
  times: z.array(z.number().positive()).min(1),
});

export const RELEASED: z.ZodType<{ readonly released: true }> = z.object({ released: z.literal(true) });

/** In the place of any answer. The process goes on. */
export const FAILS: z.ZodType<{ readonly fails: string }> = z.object({ fails: z.string() });

/** Steps whose losses are compared: the first, and the one after an update. */
export const CHECKS = 2;
