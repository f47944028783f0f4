import { DataError } from "@l0gm/core";

/** What a column is to the model. */
export type ColumnKind = "numeric" | "categorical" | "label" | "ignore";

/** One column of a table. */
export interface ColumnSchema {
  readonly name: string;
  readonly kind: ColumnKind;
  /** A numeric column that promises a number in every row; a missing one is then an error instead of being imputed. */
  readonly complete?: boolean;
}

/** The columns of a table, in the order in which features are made of them, and the texts that stand for a missing value. Plain JSON. */
export interface TableSchema {
  readonly columns: readonly ColumnSchema[];
  /** Compared after trimming, letter case included. */
  readonly missing: readonly string[];
}

/** The texts that stand for a missing value unless a schema says otherwise. */
export const MISSING_TEXTS: readonly string[] = ["", "?", "NA", "NaN", "null"];

const KINDS: readonly string[] = ["numeric", "categorical", "label", "ignore"] satisfies readonly ColumnKind[];
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Below this many rows, a category a row is no sign of an identifier. */
const FEW_ROWS = 10;
const IDENTIFIER_SHARE = 0.9;

/** A category for (almost) every row: a name or a number of the row, from which nothing can be learnt about others. */
export function isIdentifier(categories: number, rows: number): boolean {
  return rows >= FEW_ROWS && categories > IDENTIFIER_SHARE * rows;
}

/** The error for a column that {@link isIdentifier}. */
export function identifierError(where: string, column: string, categories: number, rows: number): DataError {
  return new DataError({
    where,
    expected: `column ${column} to have categories that repeat`,
    received: `${categories} categories in ${rows} rows`,
    hint: `A column with a category for (almost) every row identifies rows; declare ${column} as "ignore".`,
  });
}

/**
 * A decimal number as a finite double, or `undefined` where the text is none (hexadecimal, infinite and thousands-separated
 * numbers are none).
 */
export function parseNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkColumn(value: unknown, index: number): ColumnSchema {
  const fail = (expected: string, received: unknown): DataError =>
    new DataError({ where: `TableSchema, column ${index}`, expected, received });
  if (!isRecord(value)) throw fail("an object with name and kind", value);
  const { name, kind, complete } = value;
  if (typeof name !== "string" || name === "") throw fail("a name that is a text", name);
  if (typeof kind !== "string" || !KINDS.includes(kind)) throw fail(`a kind out of ${KINDS.join(", ")}`, kind);
  if (complete !== undefined && typeof complete !== "boolean") throw fail("complete to be true or false", complete);
  if (complete === true && kind !== "numeric") throw fail("complete on numeric columns only", kind);
  return { name, kind: kind as ColumnKind, ...(complete === undefined ? {} : { complete }) };
}

/**
 * Checks a schema, for example one read from a JSON file, and returns it with nothing else in it.
 *
 * @throws DataError when a column is malformed or named twice, when two columns are labels, or when no feature is left
 *
 * @example
 * ```ts
 * const schema = checkSchema(JSON.parse('{ "columns": [{ "name": "age", "kind": "numeric" }], "missing": ["?"] }'));
 * ```
 */
export function checkSchema(value: unknown): TableSchema {
  const where = "TableSchema";
  if (!isRecord(value) || !Array.isArray(value["columns"])) {
    throw new DataError({ where, expected: "an object with a list of columns", received: value });
  }
  const missing: unknown = value["missing"] ?? MISSING_TEXTS;
  if (!Array.isArray(missing) || !missing.every((token) => typeof token === "string")) {
    throw new DataError({ where, expected: "missing to be a list of texts", received: missing });
  }
  const columns = value["columns"].map(checkColumn);
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name))
      throw new DataError({ where, expected: "column names that differ", received: `${name} twice` });
    names.add(name);
  }
  const labels = columns.filter((column) => column.kind === "label").map((column) => column.name);
  if (labels.length > 1)
    throw new DataError({ where, expected: "at most one label column", received: labels.join(", ") });
  if (!columns.some((column) => column.kind === "numeric" || column.kind === "categorical")) {
    throw new DataError({ where, expected: "at least one numeric or categorical column", received: "none" });
  }
  return { columns, missing };
}

/** The names of a schema's columns of one kind, in the schema's order. */
export function columnNames(schema: TableSchema, kind: ColumnKind): string[] {
  return schema.columns.filter((column) => column.kind === kind).map((column) => column.name);
}

/** How {@link inferSchema} and {@link inferCsvSchema} decide. */
export interface InferOptions {
  /** The column to predict. */
  readonly label: string;
  /** Kinds that are known better than the values tell, by column name. */
  readonly overrides?: Readonly<Record<string, ColumnKind | Omit<ColumnSchema, "name">>>;
  /** Texts that stand for a missing value; {@link MISSING_TEXTS} by default. */
  readonly missing?: readonly string[];
  /** Rows that are looked at; all of them by default. */
  readonly sampleRows?: number;
}

/** Beyond this many categories a text column counts as an identifier; it bounds what a survey holds. */
const MOST_CATEGORIES = 100_000;

interface Survey {
  readonly name: string;
  values: number;
  numbers: number;
  readonly texts: Set<string>;
}

/** Looks at the values of a table, row by row, and says what its columns are. */
export class SchemaSurvey {
  readonly #where: string;
  readonly #options: InferOptions;
  readonly #missing: ReadonlySet<string>;
  readonly #columns: readonly Survey[];
  #rows = 0;

  /** @throws DataError when the label or an overridden column is not among `names` */
  constructor(where: string, names: readonly string[], options: InferOptions) {
    this.#where = where;
    this.#options = options;
    this.#missing = new Set(options.missing ?? MISSING_TEXTS);
    this.#columns = names.map((name) => ({ name, values: 0, numbers: 0, texts: new Set<string>() }));
    const present = `the columns ${names.join(", ")}`;
    if (!names.includes(options.label)) {
      const hint =
        names.length === 1
          ? "The file has one column: state its delimiter if that is no comma."
          : "Name the column that holds the classes; letter case counts.";
      throw new DataError({ where, expected: `a label column ${options.label}`, received: present, hint });
    }
    for (const name of Object.keys(options.overrides ?? {})) {
      if (!names.includes(name))
        throw new DataError({ where, expected: `the overridden column ${name}`, received: present });
    }
  }

  /** False once enough rows have been looked at. */
  get open(): boolean {
    return this.#rows < (this.#options.sampleRows ?? Number.POSITIVE_INFINITY);
  }

  /** Looks at one row of trimmed texts, in the order of the names; `undefined` is missing. */
  add(row: readonly (string | undefined)[]): void {
    if (!this.open) return;
    this.#rows++;
    this.#columns.forEach((column, index) => {
      const text = row[index];
      if (text === undefined || this.#missing.has(text)) return;
      column.values++;
      if (parseNumber(text) !== undefined) column.numbers++;
      // A column can turn out to be text at its last row, but a category a row shows in its texts alone.
      else if (column.texts.size <= MOST_CATEGORIES) column.texts.add(text);
    });
  }

  /**
   * @throws DataError when there was no row, or when a text column has a category for (almost) every row and no override
   */
  schema(): TableSchema {
    if (this.#rows === 0) throw new DataError({ where: this.#where, expected: "at least one row", received: "none" });
    const { label, overrides = {}, missing = MISSING_TEXTS } = this.#options;
    const columns = this.#columns.map((column): ColumnSchema => {
      const { name, values, numbers, texts } = column;
      const override = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
      if (name === label) return { name, kind: "label" };
      if (override !== undefined) return { name, ...(typeof override === "string" ? { kind: override } : override) };
      if (values === 0) return { name, kind: "ignore" };
      if (numbers === values) return { name, kind: "numeric" };
      if (isIdentifier(texts.size, values) || texts.size > MOST_CATEGORIES) {
        throw identifierError(this.#where, name, texts.size, values);
      }
      return { name, kind: "categorical" };
    });
    return checkSchema({ columns, missing });
  }
}
