import { InvalidArgumentError, Option } from "commander";

/** `0.125` or `1/8`. Whether it is in range is for the controller to say. */
export function fraction(text: string): number {
  const [numerator, denominator, ...rest] = text
    .split("/")
    .map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const value = denominator === undefined ? numerator : (numerator ?? Number.NaN) / denominator;
  if (value === undefined || !Number.isFinite(value) || rest.length > 0) {
    throw new InvalidArgumentError("It is a number such as 0.125 or 1/8.");
  }
  return value;
}

/** `1,1/2,0.25` */
export function fractions(text: string): number[] {
  return text.split(",").map(fraction);
}

export function weight(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError("It is a number of at least 0.");
  return value;
}

export function integer(text: string): number {
  const value = weight(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("It is an integer from 0 to 2^53 - 1.");
  return value;
}

export function count(text: string): number {
  const value = integer(text);
  if (value < 1) throw new InvalidArgumentError("It is an integer of at least 1.");
  return value;
}

export const JSON_OPTION: Option = new Option("--json", "print one JSON document on standard output");
export const DATA_DIR_OPTION: Option = new Option(
  "--data-dir <folder>",
  "where data sets are looked for, before L0GM_DATA_DIR and the cache",
);
export const MODEL_DIR_OPTION: Option = new Option(
  "--model-dir <folder>",
  "where pretrained models are looked for, before L0GM_MODEL_DIR and the cache",
);

/** Writes the one document of `--json`. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
