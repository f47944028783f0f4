/** What every error of L0GM says: where it was noticed, what was expected, what came, and what to do. */
export interface ErrorDetails {
  /** The function, class or file (with row and column where there is one) that noticed the problem. */
  readonly where: string;
  readonly expected: string;
  /** What came instead. Anything that is not a string is shown as JSON. */
  readonly received: unknown;
  /** What the caller can do about it. */
  readonly hint?: string;
}

/** A longer text would push what was expected off the screen. */
const LONGEST = 1000;

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || value === undefined) return String(value);
  // JSON has neither NaN and infinity, which it would show as null, nor big integers.
  const plain = (_key: string, part: unknown): unknown =>
    typeof part === "bigint" || (typeof part === "number" && !Number.isFinite(part)) ? String(part) : part;
  return JSON.stringify(value, plain) ?? String(value);
}

function show(value: unknown): string {
  const text = textOf(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`;
}

/**
 * Base of every error that L0GM throws on purpose. Catch this to tell a mistake in the input from a bug.
 *
 * @example
 * ```ts
 * import { L0gmError, useBackend } from "@l0gm/backend";
 *
 * try {
 *   await useBackend("tensorflow");
 * } catch (error) {
 *   if (error instanceof L0gmError) console.log(error.hint); // how to get it
 * }
 * ```
 */
export class L0gmError extends Error {
  override readonly name: string = "L0gmError";
  readonly where: string;
  readonly expected: string;
  readonly received: unknown;
  readonly hint: string | undefined;

  constructor(details: ErrorDetails, options?: ErrorOptions) {
    const hint = details.hint === undefined ? "" : `\n  ${details.hint}`;
    super(`${details.where}: expected ${details.expected}, received ${show(details.received)}${hint}`, options);
    this.where = details.where;
    this.expected = details.expected;
    this.received = details.received;
    this.hint = details.hint;
  }
}

/** A backend cannot be had, or one of its kernels was given what it cannot compute. */
export class BackendError extends L0gmError {
  override readonly name = "BackendError";
}
