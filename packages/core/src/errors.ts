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

function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || value === undefined) return String(value);
  return JSON.stringify(value) ?? String(value);
}

/**
 * Base of every error that L0GM throws on purpose. Catch this to tell a mistake in the input from a bug.
 *
 * @example
 * ```ts
 * try {
 *   accuracy({ logits: new Float64Array(0), labels: new Int32Array(0), classes: 2 });
 * } catch (error) {
 *   if (error instanceof L0gmError) console.log(error.expected);
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

/** A tensor or array has the wrong shape or length. */
export class ShapeError extends L0gmError {
  override readonly name = "ShapeError";
}

/** An option is outside its range or contradicts another. */
export class ConfigError extends L0gmError {
  override readonly name = "ConfigError";
}

/** Data (a file, a row, a label) is not what it was declared to be. */
export class DataError extends L0gmError {
  override readonly name = "DataError";
}

/** A saved file is truncated, corrupted, of a later version, or not ours. */
export class FormatError extends L0gmError {
  override readonly name = "FormatError";
}

/** A loss, gradient or weight became NaN or infinite. */
export class NumericalError extends L0gmError {
  override readonly name = "NumericalError";
}
