/** Schedules are functions of progress in [0, 1]: compose them, plot them, test them without a model. */

import { ConfigError } from "../errors.ts";

/** Maps progress in [0, 1] to a value; progress outside is clamped by the schedules of this module. */
export type Schedule = (progress: number) => number;

const clamp = (progress: number): number => Math.min(1, Math.max(0, progress));

/** Always `value`. */
export function constant(value: number): Schedule {
  return () => value;
}

/** From `start` to `end` along a straight line. */
export function linear(start: number, end: number): Schedule {
  return (progress) => start + (end - start) * clamp(progress);
}

/**
 * From `start` to `end` along half a cosine: slow, fast, slow.
 *
 * @example
 * ```ts
 * const lambda = warmUp(0.1, cosine(0, 1));
 * console.log(lambda(0.05), lambda(0.55), lambda(1)); // 0 0.5 1
 * ```
 */
export function cosine(start: number, end: number): Schedule {
  return (progress) => start + ((end - start) * (1 - Math.cos(Math.PI * clamp(progress)))) / 2;
}

/** From `start` to `end`, fast first and slow at the end: `end + (start - end) * (1 - progress)^3` (Zhu and Gupta 2017). */
export function cubic(start: number, end: number): Schedule {
  return (progress) => end + (start - end) * (1 - clamp(progress)) ** 3;
}

/**
 * From `start` to `end` by a constant factor a step: a straight line on a logarithmic axis.
 *
 * @throws ConfigError unless both ends are above 0
 */
export function exponential(start: number, end: number): Schedule {
  if (!(start > 0 && end > 0)) {
    throw new ConfigError({
      where: "exponential",
      expected: "start and end above 0",
      received: `${start} and ${end}`,
      hint: "to begin at 0, hold with warmUp and start at a small value",
    });
  }
  return (progress) => start * (end / start) ** clamp(progress);
}

/**
 * Holds the schedule's first value for `share` of the way, then runs the schedule over the rest.
 *
 * @param share - in [0, 1)
 * @throws ConfigError when `share` is outside [0, 1)
 */
export function warmUp(share: number, schedule: Schedule): Schedule {
  checkShare("warmUp", share);
  return (progress) => schedule(progress <= share ? 0 : (progress - share) / (1 - share));
}

/**
 * Runs the schedule over the first 1 - `share` of the way, then holds its last value.
 *
 * @param share - in [0, 1)
 * @throws ConfigError when `share` is outside [0, 1)
 */
export function holdAtEnd(share: number, schedule: Schedule): Schedule {
  checkShare("holdAtEnd", share);
  return (progress) => schedule(Math.min(1, progress / (1 - share)));
}

/**
 * Rises linearly from 0 to the schedule's first value over `share` of the way, then runs the schedule over the rest: the usual
 * warm-up of a learning rate.
 *
 * @param share - in [0, 1)
 * @throws ConfigError when `share` is outside [0, 1)
 */
export function rampUp(share: number, schedule: Schedule): Schedule {
  checkShare("rampUp", share);
  return (progress) =>
    progress < share ? (schedule(0) * progress) / share : schedule((progress - share) / (1 - share));
}

function checkShare(where: string, share: number): void {
  if (!(share >= 0 && share < 1)) throw new ConfigError({ where, expected: "a share in [0, 1)", received: share });
}
