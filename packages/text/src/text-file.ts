import { ConfigError, DataError } from "@l0gm/core";
import { parse } from "#csv-parser";
import { readBytes } from "#files";
import type { LabelledTexts } from "./dataset.ts";
import { decodeUtf8 } from "./decode.ts";
import { readParquet } from "./parquet.ts";

/** Columns of {@link readTexts}. */
export interface TextColumns {
  readonly text: string;
  /** Of a second text, where two are compared. */
  readonly pair?: string;
  /** Its different values, without white space around them, are the classes; left out, all labels are 0: rows to predict. */
  readonly label?: string;
}

/** A row of a file: what its columns hold, and where it is, for messages. */
interface Row {
  readonly values: Readonly<Record<string, unknown>>;
  readonly where: string;
}

const FORMATS = ["csv", "jsonl", "parquet"] as const;

async function rowsOf(path: string, bytes: Uint8Array, columns: readonly string[]): Promise<Row[]> {
  const format = FORMATS.find((each) => path.toLowerCase().endsWith(`.${each}`));
  switch (format) {
    case "csv":
      return csvRows(path, bytes, columns);
    case "jsonl":
      return jsonRows(path, bytes);
    case "parquet":
      return (await readParquet(bytes, columns, path)).map((values, i) => ({ values, where: `${path}, row ${i}` }));
    default:
      throw new ConfigError({ where: path, expected: `a file of ${FORMATS.join(", ")}`, received: "another name" });
  }
}

function csvRows(path: string, bytes: Uint8Array, wanted: readonly string[]): Row[] {
  try {
    const text = decodeUtf8(bytes, (byte) => `${path}, line ${lineOf(bytes, byte)}`);
    const columns = (header: string[]): string[] =>
      checkHeader(
        header.map((name) => name.trim()),
        wanted,
        path,
      );
    const records = parse(text, { columns, info: true, bom: true, skipEmptyLines: true }) as {
      record: Record<string, string>;
      info: { lines: number };
    }[];
    return records.map(({ record, info }) => ({ values: record, where: `${path}, line ${info.lines}` }));
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new DataError({ where: path, expected: "CSV with a header line", received }, { cause });
  }
}

function lineOf(bytes: Uint8Array, byte: number): number {
  let line = 1;
  for (let i = 0; i < byte; i++) if (bytes[i] === 10) line++;
  return line;
}

function checkHeader(header: string[], wanted: readonly string[], path: string): string[] {
  const doubled = wanted.find((name) => header.indexOf(name) !== header.lastIndexOf(name));
  if (doubled === undefined) return header;
  throw new DataError({ where: path, expected: `one column called ${doubled}`, received: "two" });
}

/** A line break, in any text, is one byte; lines are decoded alone so that one that is no UTF-8 is named. */
function jsonRows(path: string, bytes: Uint8Array): Row[] {
  const rows: Row[] = [];
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start);
    const stop = end < 0 ? bytes.length : end;
    const where = `${path}, line ${++line}`;
    const text = decodeUtf8(bytes.subarray(start, stop), where).trim();
    start = stop + 1;
    if (text === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new DataError({ where, expected: "a JSON object", received: text.slice(0, 80) }, { cause });
    }
    if (typeof value !== "object" || value === null) {
      throw new DataError({ where, expected: "a JSON object", received: value });
    }
    rows.push({ values: value as Record<string, unknown>, where });
  }
  return rows;
}

/**
 * Reads labelled texts from a file: CSV with a header line, JSON Lines, or parquet.
 *
 * @param path - ends in `.csv`, `.jsonl` or `.parquet`
 * @param classes - names of the classes in their order, as training rows had them; left out, the label's values, sorted
 * @throws DataError that names file and line when a column is absent, a text is empty or no UTF-8, a label is absent or no known class, or
 * there is one class alone
 * @throws ConfigError when the file's name ends otherwise
 *
 * @example
 * ```ts
 * declare const path: string; // a file with the columns review and stars
 * const { texts, labels, classes } = await readTexts(path, { text: "review", label: "stars" });
 * ```
 */
export async function readTexts(
  path: string,
  { text, pair, label }: TextColumns,
  classes?: readonly string[],
): Promise<LabelledTexts> {
  const columns = [text, pair, label].filter((column) => column !== undefined);
  const rows = await rowsOf(path, await readBytes(path), columns);
  if (rows.length === 0) throw new DataError({ where: path, expected: "at least one row", received: 0 });
  const read = ({ values, where }: Row, column: string): string => {
    const value = Object.hasOwn(values, column) ? values[column] : undefined;
    const received = value === undefined ? `no such column; there are ${Object.keys(values).join(", ")}` : value;
    if (value === undefined || value === null || (typeof value === "object" && !(value instanceof Date))) {
      throw new DataError({ where, expected: `a value in the column ${column}`, received });
    }
    const found = String(value);
    if (found.trim() !== "") return found;
    throw new DataError({ where, expected: `text in the column ${column}`, received: "none, or white space alone" });
  };
  const texts = {
    texts: rows.map((row) => read(row, text)),
    ...(pair === undefined ? {} : { pairs: rows.map((row) => read(row, pair)) }),
  };
  if (label === undefined) return { ...texts, labels: new Int32Array(rows.length), classes: classes ?? ["0"] };
  const names = rows.map((row) => read(row, label).trim());
  const known = classes ?? [...new Set(names)].sort();
  if (known.length < 2) {
    const received = `${known.join("")} in every row`;
    throw new DataError({ where: path, expected: `two classes at least in the column ${label}`, received });
  }
  const codes = new Map(known.map((name, code) => [name, code]));
  const labels = Int32Array.from(names, (name, i) => {
    const code = codes.get(name);
    if (code !== undefined) return code;
    throw new DataError({ where: rows[i]?.where ?? path, expected: `one of ${known.join(", ")}`, received: name });
  });
  return { ...texts, labels, classes: known };
}
