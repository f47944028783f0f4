import { DataError } from "@l0gm/core";
import { type ColumnSchema, type InferOptions, parseNumber, SchemaSurvey, type TableSchema } from "./schema.ts";

/** Numbers of a column; NaN where one is missing. */
export interface NumericColumn {
  readonly kind: "numeric";
  readonly values: Float64Array;
}

/** Texts of a column, each distinct one held once. */
export interface TextColumn {
  readonly kind: "text";
  /** Indices into `texts`; -1 where the text is missing. */
  readonly codes: Int32Array;
  /** The distinct texts, in order of their first appearance. */
  readonly texts: readonly string[];
}

export type Column = NumericColumn | TextColumn;

/** A row as an object, for tables that do not come from a file. */
export type TableRow = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Where the rows of a table came from, for messages. */
export interface Origin {
  /** A file or any other name. */
  readonly name: string;
  /** What `numbers` count. */
  readonly unit: "line" | "row";
  /** For each row its line in the file, or its number, from 1. */
  readonly numbers: Int32Array;
  /** SHA-256 of the file, decompressed, in hexadecimal; absent for tables that do not come from a file. */
  readonly checksum?: string;
}

/** A table held by columns, with the columns of its schema that are not ignored. Immutable. */
export class Table {
  readonly origin: Origin;
  readonly columns: ReadonlyMap<string, Column>;

  constructor(columns: ReadonlyMap<string, Column>, origin: Origin) {
    this.columns = columns;
    this.origin = origin;
  }

  get rows(): number {
    return this.origin.numbers.length;
  }

  has(name: string): boolean {
    return this.columns.has(name);
  }

  /** Where a row came from: `adult.data, line 12`. */
  place(row: number): string {
    return `${this.origin.name}, ${this.origin.unit} ${this.origin.numbers[row]}`;
  }

  /** @throws DataError when there is no such column or it holds texts */
  numeric(name: string): Float64Array {
    const column = this.#column(name);
    if (column.kind === "numeric") return column.values;
    throw new DataError({ where: this.origin.name, expected: `column ${name} to be numeric`, received: "texts" });
  }

  /** @throws DataError when there is no such column or it holds numbers */
  text(name: string): TextColumn {
    const column = this.#column(name);
    if (column.kind === "text") return column;
    throw new DataError({ where: this.origin.name, expected: `column ${name} to hold texts`, received: "numbers" });
  }

  /** A column's texts row by row, for example to group rows by them; `undefined` where missing. */
  strings(name: string): (string | undefined)[] {
    const { codes, texts } = this.text(name);
    return Array.from(codes, (code) => texts[code]);
  }

  /** A table of the given rows, in that order. Its checksum stays that of the file. */
  select(rows: ArrayLike<number>): Table {
    const pick = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      for (let i = 0; i < rows.length; i++) to[i] = from[rows[i] ?? -1] ?? Number.NaN;
      return to;
    };
    const columns = new Map<string, Column>();
    for (const [name, column] of this.columns) {
      columns.set(
        name,
        column.kind === "numeric"
          ? { kind: "numeric", values: pick(column.values, new Float64Array(rows.length)) }
          : { ...column, codes: pick(column.codes, new Int32Array(rows.length)) },
      );
    }
    return new Table(columns, { ...this.origin, numbers: pick(this.origin.numbers, new Int32Array(rows.length)) });
  }

  /** The same table without some of its columns. */
  without(...names: readonly string[]): Table {
    return new Table(new Map([...this.columns].filter(([name]) => !names.includes(name))), this.origin);
  }

  #column(name: string): Column {
    const column = this.columns.get(name);
    if (column !== undefined) return column;
    const received = `the columns ${[...this.columns.keys()].join(", ")}`;
    throw new DataError({ where: this.origin.name, expected: `a column ${name}`, received });
  }
}

class Numbers<T extends Float64Array | Int32Array> {
  #array: T;
  #length = 0;
  readonly #make: (length: number) => T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#array = make(1024);
  }

  push(value: number): void {
    if (this.#length === this.#array.length) {
      const larger = this.#make(2 * this.#length);
      larger.set(this.#array);
      this.#array = larger;
    }
    this.#array[this.#length++] = value;
  }

  take(): T {
    return this.#array.slice(0, this.#length) as T;
  }
}

class TextValues {
  readonly #codes = new Numbers((length) => new Int32Array(length));
  readonly #index = new Map<string, number>();

  push(text: string | undefined): void {
    if (text === undefined) {
      this.#codes.push(-1);
      return;
    }
    let code = this.#index.get(text);
    if (code === undefined) {
      code = this.#index.size;
      this.#index.set(text, code);
    }
    this.#codes.push(code);
  }

  take(): TextColumn {
    return { kind: "text", codes: this.#codes.take(), texts: [...this.#index.keys()] };
  }
}

/** Takes rows of trimmed texts and makes a {@link Table} of them as a schema says. */
export class TableBuilder {
  readonly #name: string;
  readonly #unit: Origin["unit"];
  readonly #missing: ReadonlySet<string>;
  readonly #columns: readonly ColumnSchema[];
  readonly #values: readonly (Numbers<Float64Array> | TextValues)[];
  readonly #numbers = new Numbers((length) => new Int32Array(length));

  readonly #labelled: boolean;
  /** Label columns with gaps. */
  readonly #incomplete = new Set<number>();

  /** @param columns - those of the schema to keep, in the order in which {@link add} gets their values */
  constructor(
    name: string,
    unit: Origin["unit"],
    schema: TableSchema,
    columns: readonly ColumnSchema[],
    { labelled = true }: Requirement,
  ) {
    this.#labelled = labelled;
    this.#name = name;
    this.#unit = unit;
    this.#missing = new Set(schema.missing);
    this.#columns = columns;
    this.#values = columns.map(({ kind }) =>
      kind === "numeric" ? new Numbers((length) => new Float64Array(length)) : new TextValues(),
    );
  }

  /**
   * @param texts - `undefined` where a value is missing, as are the schema's missing texts
   * @throws DataError when a numeric column holds something that is no finite number, or a label is missing where rows are labelled
   */
  add(texts: readonly (string | undefined)[], number: number): void {
    this.#values.forEach((values, index) => {
      const given = texts[index];
      const text = given === undefined || this.#missing.has(given) ? undefined : given;
      if (values instanceof TextValues) {
        if (text === undefined && this.#columns[index]?.kind === "label") {
          if (!this.#labelled) this.#incomplete.add(index);
          else
            throw this.#error(
              index,
              number,
              "a label",
              given ?? "nothing",
              "Remove rows without a label before training.",
            );
        }
        values.push(text);
        return;
      }
      const value = text === undefined ? Number.NaN : parseNumber(text);
      if (value === undefined) {
        const hint = 'Declare the column "categorical" or "ignore", or add the text to the schema\'s missing texts.';
        throw this.#error(index, number, "a finite number", `"${text}"`, hint);
      }
      values.push(value);
    });
    this.#numbers.push(number);
  }

  /** @throws DataError when no row was added */
  build(checksum?: string): Table {
    const numbers = this.#numbers.take();
    if (numbers.length === 0)
      throw new DataError({ where: this.#name, expected: "at least one row", received: "none" });
    const columns = new Map<string, Column>();
    this.#columns.forEach(({ name }, index) => {
      if (this.#incomplete.has(index)) return;
      const values = this.#values[index];
      if (values instanceof TextValues) columns.set(name, values.take());
      else if (values !== undefined) columns.set(name, { kind: "numeric", values: values.take() });
    });
    const origin = { name: this.#name, unit: this.#unit, numbers };
    return new Table(columns, checksum === undefined ? origin : { ...origin, checksum });
  }

  #error(index: number, number: number, expected: string, received: string, hint: string): DataError {
    const where = `${this.#name}, ${this.#unit} ${number}, column ${this.#columns[index]?.name}`;
    return new DataError({ where, expected, received, hint });
  }
}

/** The columns of a schema that a table must, or may, have. */
export interface Requirement {
  /** False lets the label column be absent or have gaps, as in rows to predict; with gaps it is left out. True by default. */
  readonly labelled?: boolean;
}

/**
 * Matches a schema with the columns that are there.
 *
 * @throws DataError when one is absent, except ignored ones and, when `labelled` is false, the label
 */
export function presentColumns(
  where: string,
  names: readonly string[],
  schema: TableSchema,
  { labelled = true }: Requirement,
): ColumnSchema[] {
  return schema.columns.filter(({ name, kind }) => {
    if (kind === "ignore") return false;
    if (names.includes(name)) return true;
    if (kind === "label" && !labelled) return false;
    const what = kind === "label" ? "the label column" : "a column";
    throw new DataError({ where, expected: `${what} ${name}`, received: `the columns ${names.join(", ")}` });
  });
}

function textOf(value: TableRow[string]): string | undefined {
  return value === undefined || value === null ? undefined : String(value).trim();
}

function namesOf(rows: readonly TableRow[]): string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

/** How {@link tableFromRows} reads. */
export interface RowsOptions extends Requirement {
  /** What messages call the rows; `rows` by default. */
  readonly name?: string;
}

/**
 * A table of row objects. A value that is absent, null or one of the schema's missing texts is missing.
 *
 * @throws DataError when a column of the schema is in no row, when a numeric column holds text, or a label is missing
 *
 * @example
 * ```ts
 * const schema = inferSchema([{ age: 31, class: "a" }, { age: "?", class: "b" }], { label: "class" });
 * const table = tableFromRows([{ age: 17, class: "b" }], schema);
 * ```
 */
export function tableFromRows(rows: readonly TableRow[], schema: TableSchema, options: RowsOptions = {}): Table {
  const name = options.name ?? "rows";
  if (rows.length === 0) throw new DataError({ where: name, expected: "at least one row", received: "none" });
  const columns = presentColumns(name, namesOf(rows), schema, options);
  const builder = new TableBuilder(name, "row", schema, columns, options);
  rows.forEach((row, index) => {
    builder.add(
      columns.map((column) => textOf(row[column.name])),
      index + 1,
    );
  });
  return builder.build();
}

/**
 * Says from row objects what their columns are: numeric where every value that is there is a finite number, else categorical;
 * ignored where all values are missing.
 *
 * @throws DataError when the label column is absent, or when a text column has a category for (almost) every row
 */
export function inferSchema(rows: readonly TableRow[], options: InferOptions): TableSchema {
  const names = namesOf(rows);
  if (rows.length === 0) throw new DataError({ where: "rows", expected: "at least one row", received: "none" });
  const survey = new SchemaSurvey("rows", names, options);
  for (const row of rows) survey.add(names.map((name) => textOf(row[name])));
  return survey.schema();
}
