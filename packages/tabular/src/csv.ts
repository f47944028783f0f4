import { DataError } from "@l0gm/core";
import { CsvError, Parser } from "#csv-parser";
import { openFile } from "#files";
import { type InferOptions, SchemaSurvey, type TableSchema } from "./schema.ts";
import { presentColumns, type Requirement, type Table, TableBuilder } from "./table.ts";

/** The path of a file (decompressed when it ends in `.gz`), or its content in pieces of text or UTF-8 bytes. */
export type CsvSource = string | AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** How a file is written. */
export interface CsvFormat {
  /** Between the fields of a row; a comma by default. */
  readonly delimiter?: string;
  /** The names of the columns of a file that has no header line. */
  readonly columns?: readonly string[];
  /** What starts a line that is no row. None by default. */
  readonly comment?: string;
  /** What messages call the source; its path by default. */
  readonly name?: string;
}

/** How {@link readCsv} reads. */
export interface CsvOptions extends CsvFormat, Requirement {}

interface Handlers {
  header(names: readonly string[]): void;
  /** @returns false to read no further */
  row(fields: readonly string[], line: number): boolean;
}

/** Longer rows are taken for an unclosed quote, which would otherwise swallow the rest of the file. */
const LONGEST_ROW = 1 << 20;

/** The source as text; the browser's parser takes nothing else. */
async function* textOf(name: string, chunks: Exclude<CsvSource, string>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      const hint = "Save the file as UTF-8, or pass its content as text.";
      throw new DataError({ where: name, expected: "text in UTF-8", received: "another encoding", hint }, { cause });
    }
  };
  for await (const chunk of chunks) yield typeof chunk === "string" ? chunk : decode(chunk);
  yield decode();
}

class Rows {
  #names: readonly string[] | undefined;
  #open = true;
  readonly #name: string;
  readonly #handlers: Handlers;

  constructor(name: string, columns: readonly string[] | undefined, handlers: Handlers) {
    this.#name = name;
    this.#handlers = handlers;
    if (columns !== undefined) this.#header(columns);
  }

  get open(): boolean {
    return this.#open;
  }

  get hasHeader(): boolean {
    return this.#names !== undefined;
  }

  add(fields: readonly string[], line: number): void {
    if (!this.#open) return;
    if (this.#names === undefined) {
      this.#header(fields);
      return;
    }
    if (fields.length !== this.#names.length) {
      throw new DataError({
        where: `${this.#name}, line ${line}`,
        expected: `${this.#names.length} fields`,
        received: `${fields.length}`,
        hint: "Quote fields that hold the delimiter, or state the delimiter of the file.",
      });
    }
    this.#open = this.#handlers.row(fields, line);
  }

  #header(names: readonly string[]): void {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new DataError({
        where: `${this.#name}, header`,
        expected: "column names that differ",
        received: `${twice} twice`,
      });
    }
    this.#names = names;
    this.#handlers.header(names);
  }
}

async function parse(source: CsvSource, format: CsvFormat, handlers: Handlers): Promise<{ checksum?: string }> {
  const file = typeof source === "string" ? openFile(source) : undefined;
  const name = format.name ?? (typeof source === "string" ? source : "CSV");
  const rows = new Rows(name, format.columns, handlers);
  const parser = new Parser({
    bom: true,
    delimiter: format.delimiter ?? ",",
    comment: format.comment ?? null,
    comment_no_infix: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: LONGEST_ROW,
    on_record: (fields: string[], { lines }) => {
      rows.add(fields, lines);
      return null;
    },
  });
  const failed = new Promise<never>((_, reject) => parser.once("error", reject));
  // A failure can come while nobody waits for it; the next step's race reports it.
  failed.catch(() => {});
  const step = (start: (done: (error?: Error | null) => void) => void): Promise<void> =>
    Promise.race([
      failed,
      new Promise<void>((resolve, reject) => start((error) => (error ? reject(error) : resolve()))),
    ]);
  try {
    for await (const text of textOf(name, file?.bytes ?? (source as Exclude<CsvSource, string>))) {
      if (text !== "") await step((done) => parser.write(text, done));
      if (!rows.open) break;
    }
    if (rows.open) await step((done) => parser.end(done));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const where = `${name}, line ${error["lines"] ?? parser.info.lines}`;
    throw new DataError({ where, expected: "well-formed CSV", received: error.message }, { cause: error });
  }
  if (!rows.hasHeader) throw new DataError({ where: name, expected: "a header line", received: "an empty file" });
  return file === undefined ? {} : { checksum: file.checksum() };
}

/**
 * Reads a table from CSV as a stream: the text is never held as a whole, numbers become doubles and each distinct text is held
 * once. Fields are trimmed, quoted fields and a byte order mark understood, empty lines skipped, columns outside the schema
 * ignored.
 *
 * @throws DataError when the file is missing, empty or malformed, a row has too few or too many fields, a column of the schema
 * is absent, a numeric column holds text, or a label is missing; with file, line and column
 *
 * @example
 * ```ts
 * const text = ["age,town,class\n31,Ghent,a\n", "?,Lyon,b\n"];
 * const schema = await inferCsvSchema(text, { label: "class" });
 * const table = await readCsv(text, schema);
 * table.numeric("age"); // Float64Array [31, NaN]
 * ```
 */
export async function readCsv(source: CsvSource, schema: TableSchema, options: CsvOptions = {}): Promise<Table> {
  const name = options.name ?? (typeof source === "string" ? source : "CSV");
  let builder: TableBuilder | undefined;
  let indices: number[] = [];
  const { checksum } = await parse(source, options, {
    header(names) {
      const columns = presentColumns(name, names, schema, options);
      indices = columns.map((column) => names.indexOf(column.name));
      builder = new TableBuilder(name, "line", schema, columns, options);
    },
    row(fields, line) {
      builder?.add(
        indices.map((index) => fields[index]),
        line,
      );
      return true;
    },
  });
  if (builder === undefined) throw new DataError({ where: name, expected: "a header line", received: "an empty file" });
  return builder.build(checksum);
}

/** How {@link inferCsvSchema} reads and decides. */
export interface InferCsvOptions extends CsvFormat, InferOptions {}

/**
 * Says from a CSV file what its columns are: numeric where every value that is there is a finite number, else categorical;
 * ignored where all values are missing.
 *
 * @throws DataError when the file is missing, empty or malformed, the label column is absent, or a text column has a category
 * for (almost) every row
 */
export async function inferCsvSchema(source: CsvSource, options: InferCsvOptions): Promise<TableSchema> {
  const name = options.name ?? (typeof source === "string" ? source : "CSV");
  let survey: SchemaSurvey | undefined;
  await parse(source, options, {
    header(names) {
      survey = new SchemaSurvey(name, names, options);
    },
    row(fields) {
      survey?.add(fields);
      return survey?.open ?? false;
    },
  });
  if (survey === undefined) throw new DataError({ where: name, expected: "a header line", received: "an empty file" });
  return survey.schema();
}
