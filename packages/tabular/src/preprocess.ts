import { ConfigError, DataError, FormatError } from "@l0gm/core";
import { fitQuantileScaling, fitStandardScaling, quantileOf, type Scaling, scale } from "./numeric-scaling.ts";
import { checkSchema, columnNames, identifierError, isIdentifier, type TableSchema } from "./schema.ts";
import { Table, type TableRow, tableFromRows } from "./table.ts";

/** Options of {@link TablePreprocessor.fit}. */
export interface PreprocessOptions {
  /**
   * Numbers become standard normal quantiles of their ranks, or are shifted and divided to mean 0 and deviation 1.
   * @defaultValue "quantile"
   */
  readonly numeric?: "quantile" | "standard";
  /** Ranks at which a column's quantiles are kept, at most its number of rows. @defaultValue 1000 */
  readonly quantiles?: number;
  /** Categories with fewer rows share the index of unknown ones. @defaultValue 1, which folds none */
  readonly minimumCount?: number;
  /** Most bins a column for the piecewise-linear embedding. @defaultValue 16 */
  readonly bins?: number;
}

/** Rows as arrays of numbers, ready for tensors. */
export interface TableData {
  readonly rows: number;
  /** Row-major `[rows, numericColumns]`. */
  readonly numeric: Float32Array;
  readonly numericColumns: number;
  /** Row-major `[rows, categoricalColumns]`; 0 is unknown or rare, 1 is missing, known categories follow. */
  readonly categorical: Int32Array;
  readonly categoricalColumns: number;
  /** `[rows]`, indices into the preprocessor's `classes`; absent when the table has no label column. */
  readonly labels?: Int32Array;
  readonly classes: number;
}

/** What is fitted of a numeric column. */
export interface NumericState {
  readonly name: string;
  readonly median: number;
  readonly scaling: Scaling;
  /** Whether the training rows lacked some values, so that a column says where. */
  readonly indicator: boolean;
  /** Ascending borders of bins in scaled units, at least two. */
  readonly edges: readonly number[];
}

/** What is fitted of a categorical column. */
export interface CategoricalState {
  readonly name: string;
  /** Sorted; the first has index 2. */
  readonly categories: readonly string[];
}

/** A fitted {@link TablePreprocessor} as plain JSON. */
export interface TablePreprocessorJson {
  readonly format: "l0gm/table-preprocessor";
  readonly version: 1;
  readonly schema: TableSchema;
  readonly numeric: readonly NumericState[];
  readonly categorical: readonly CategoricalState[];
  readonly classes: readonly string[];
}

const FORMAT = "l0gm/table-preprocessor";
const VERSION = 1;

/** Index of categories that were not in the training rows, or were too rare there. */
const UNKNOWN = 0;
const MISSING = 1;
const FIRST_KNOWN = 2;

/** Borders of the one bin of an indicator, and of a column that never varies. */
const INDICATOR_EDGES: readonly number[] = [0, 1];
const CONSTANT_EDGES: readonly number[] = [-1, 1];

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkComplete(table: Table, schema: TableSchema): void {
  for (const { name, complete } of schema.columns) {
    if (complete !== true) continue;
    const row = table.numeric(name).findIndex(Number.isNaN);
    if (row < 0) continue;
    throw new DataError({
      where: `${table.place(row)}, column ${name}`,
      expected: "a number, as the column is declared complete",
      received: "a missing value",
      hint: 'Drop "complete" from the schema to have missing values imputed.',
    });
  }
}

/**
 * Borders of bins with the same number of rows each. A value that fills more than one bin counts as one bin's rows, so that a column
 * of mostly zeros has bins for the rest of it.
 */
function binEdges(sorted: Float64Array, scaling: Scaling, bins: number): readonly number[] {
  const most = Math.ceil(sorted.length / bins);
  const capped = sorted.filter((value, i) => value !== sorted[i - most]);
  const edges = Array.from({ length: bins + 1 }, (_, k) => scale(scaling, quantileOf(capped, k / bins)));
  const distinct = edges.filter((edge, k) => k === 0 || edge > (edges[k - 1] ?? edge));
  return distinct.length > 1 ? distinct : CONSTANT_EDGES;
}

function fitNumeric(table: Table, name: string, options: Required<PreprocessOptions>): NumericState {
  const values = table.numeric(name);
  const present = values.filter((value) => !Number.isNaN(value)).sort();
  if (present.length === 0) {
    const hint = `Declare ${name} as "ignore".`;
    throw new DataError({
      where: table.origin.name,
      expected: `a number in column ${name}`,
      received: "missing values only",
      hint,
    });
  }
  const scaling =
    options.numeric === "quantile" ? fitQuantileScaling(present, options.quantiles) : fitStandardScaling(present);
  return {
    name,
    median: quantileOf(present, 0.5),
    scaling,
    indicator: present.length < values.length,
    edges: binEdges(present, scaling, options.bins),
  };
}

function fitCategorical(table: Table, name: string, minimumCount: number): CategoricalState {
  const { codes, texts } = table.text(name);
  const counts = new Int32Array(texts.length);
  let present = 0;
  for (const code of codes) {
    if (code < 0) continue;
    counts[code] = (counts[code] ?? 0) + 1;
    present++;
  }
  const seen = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  if (isIdentifier(seen, present)) throw identifierError(table.origin.name, name, seen, present);
  const known = texts.filter((_, code) => (counts[code] ?? 0) >= Math.max(1, minimumCount));
  return { name, categories: known.sort(compareTexts) };
}

function fitClasses(table: Table, name: string): string[] {
  const { codes, texts } = table.text(name);
  const used = new Set(codes);
  const classes = texts.filter((_, code) => used.has(code)).sort(compareTexts);
  const where = `${table.origin.name}, label column ${name}`;
  if (classes.length < 2) {
    throw new DataError({
      where,
      expected: "at least two classes",
      received: `only "${classes[0]}"`,
      hint: "A classifier needs rows of at least two classes to learn from.",
    });
  }
  if (isIdentifier(classes.length, table.rows)) {
    throw new DataError({
      where,
      expected: "classes that repeat",
      received: `${classes.length} classes in ${table.rows} rows`,
      hint: "Choose another label column; numbers to be predicted have to be grouped into classes first.",
    });
  }
  return classes;
}

function checkOptions(options: PreprocessOptions): Required<PreprocessOptions> {
  const { numeric = "quantile", quantiles = 1000, minimumCount = 1, bins = 16 } = options;
  const where = "TablePreprocessor.fit";
  if (numeric !== "quantile" && numeric !== "standard") {
    throw new ConfigError({ where, expected: 'numeric to be "quantile" or "standard"', received: numeric });
  }
  for (const [name, value, least] of [
    ["quantiles", quantiles, 2],
    ["minimumCount", minimumCount, 1],
    ["bins", bins, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least) {
      throw new ConfigError({ where, expected: `${name} to be an integer of at least ${least}`, received: value });
    }
  }
  return { numeric, quantiles, minimumCount, bins };
}

/**
 * Turns tables into numbers, with everything it knows taken from the training rows.
 *
 * Numeric columns are imputed with the median and scaled; those that lack values in the training rows are followed, after all numeric
 * columns, by one column each that is 1 where the value is missing. Quantile scaling is scikit-learn's `QuantileTransformer` with
 * normal output, but for a value that is tied at the edge: it gets the middle of its ranks there too, where scikit-learn gives it the
 * outermost one.
 */
export class TablePreprocessor {
  readonly schema: TableSchema;
  /** The label's texts, sorted; a label's index is its place here. */
  readonly classes: readonly string[];
  readonly #numeric: readonly NumericState[];
  readonly #categorical: readonly CategoricalState[];

  private constructor(json: Pick<TablePreprocessorJson, "schema" | "numeric" | "categorical" | "classes">) {
    this.schema = json.schema;
    this.classes = json.classes;
    this.#numeric = json.numeric;
    this.#categorical = json.categorical;
  }

  /**
   * @param training - the training rows, and no others
   * @throws DataError when the schema has no label column or it holds one class only, a column is absent or holds the wrong kind of
   * values, a complete column lacks one, a categorical column has a category for (almost) every row
   * @throws ConfigError when an option is out of range
   *
   * @example
   * ```ts
   * const rows = [{ age: 31, town: "Ghent", class: "a" }, { age: null, town: "Lyon", class: "b" }];
   * const preprocessor = TablePreprocessor.fit(rows, inferSchema(rows, { label: "class" }));
   * const { numeric, labels } = preprocessor.transform(rows);
   * console.log(numeric.length, labels?.[1]); // 4 1
   * ```
   */
  static fit(
    training: Table | readonly TableRow[],
    schema: TableSchema,
    options: PreprocessOptions = {},
  ): TablePreprocessor {
    const checked = checkOptions(options);
    const plain = checkSchema(schema);
    const table = training instanceof Table ? training : tableFromRows(training, plain);
    const [label] = columnNames(plain, "label");
    if (label === undefined) {
      throw new DataError({
        where: "TablePreprocessor.fit",
        expected: "a label column in the schema",
        received: "none",
      });
    }
    checkComplete(table, plain);
    return new TablePreprocessor({
      schema: plain,
      classes: fitClasses(table, label),
      numeric: columnNames(plain, "numeric").map((name) => fitNumeric(table, name, checked)),
      categorical: columnNames(plain, "categorical").map((name) => fitCategorical(table, name, checked.minimumCount)),
    });
  }

  /** Names of the numeric columns of {@link TableData}, indicators of missing values included. */
  get numericNames(): string[] {
    return [...this.#numeric.map(({ name }) => name), ...this.#indicators.map(({ name }) => `${name} is missing`)];
  }

  /** Borders of the bins of each numeric column of {@link TableData}, ascending, for the piecewise-linear embedding. */
  get binEdges(): (readonly number[])[] {
    return [...this.#numeric.map(({ edges }) => edges), ...this.#indicators.map(() => INDICATOR_EDGES)];
  }

  get categoricalNames(): string[] {
    return this.#categorical.map(({ name }) => name);
  }

  /** Number of indices of each categorical column: its known categories, and two more for unknown and missing. */
  get cardinalities(): number[] {
    return this.#categorical.map(({ categories }) => categories.length + FIRST_KNOWN);
  }

  /**
   * Rows as numbers. Labels come along when the table has the label column.
   *
   * @throws DataError when a column is absent or holds the wrong kind of values, a complete column lacks one, or a label is not
   * among the classes
   */
  transform(rows: Table | readonly TableRow[]): TableData {
    const table = rows instanceof Table ? rows : tableFromRows(rows, this.schema, { labelled: false });
    checkComplete(table, this.schema);
    const labels = this.#labels(table);
    return {
      rows: table.rows,
      numeric: this.#numbers(table),
      numericColumns: this.#numeric.length + this.#indicators.length,
      categorical: this.#indices(table),
      categoricalColumns: this.#categorical.length,
      classes: this.classes.length,
      ...(labels === undefined ? {} : { labels }),
    };
  }

  toJSON(): TablePreprocessorJson {
    const { schema, classes } = this;
    return {
      format: FORMAT,
      version: VERSION,
      schema,
      classes,
      numeric: this.#numeric,
      categorical: this.#categorical,
    };
  }

  /** @throws FormatError when `json` is not what {@link TablePreprocessor.toJSON} makes */
  static fromJSON(json: unknown): TablePreprocessor {
    const fail = (expected: string, received: unknown): FormatError =>
      new FormatError({ where: "TablePreprocessor.fromJSON", expected, received });
    if (typeof json !== "object" || json === null) throw fail("an object", json);
    const { format, version, schema, numeric, categorical, classes } = json as Partial<TablePreprocessorJson>;
    if (format !== FORMAT) throw fail(`format ${FORMAT}`, format);
    if (version !== VERSION) throw fail(`version ${VERSION}`, version);
    const checked = checkSchema(schema);
    if (!Array.isArray(numeric) || !numeric.every(isNumericState))
      throw fail("the state of numeric columns", "another");
    if (!Array.isArray(categorical) || !categorical.every(isCategoricalState)) {
      throw fail("the categories of categorical columns", "another");
    }
    if (!isTexts(classes) || classes.length < 2) throw fail("at least two classes", classes);
    return new TablePreprocessor({ schema: checked, numeric, categorical, classes });
  }

  get #indicators(): NumericState[] {
    return this.#numeric.filter(({ indicator }) => indicator);
  }

  #numbers(table: Table): Float32Array {
    const indicators = this.#indicators;
    const width = this.#numeric.length + indicators.length;
    const out = new Float32Array(table.rows * width);
    this.#numeric.forEach(({ name, median, scaling }, j) => {
      const imputed = scale(scaling, median);
      table.numeric(name).forEach((value, i) => {
        out[i * width + j] = Number.isNaN(value) ? imputed : scale(scaling, value);
      });
    });
    indicators.forEach(({ name }, k) => {
      table.numeric(name).forEach((value, i) => {
        out[i * width + this.#numeric.length + k] = Number.isNaN(value) ? 1 : 0;
      });
    });
    return out;
  }

  #indices(table: Table): Int32Array {
    const width = this.#categorical.length;
    const out = new Int32Array(table.rows * width);
    this.#categorical.forEach(({ name, categories }, j) => {
      const known = new Map(categories.map((text, index) => [text, index + FIRST_KNOWN]));
      const { codes, texts } = table.text(name);
      const indices = texts.map((text) => known.get(text) ?? UNKNOWN);
      codes.forEach((code, i) => {
        out[i * width + j] = indices[code] ?? MISSING;
      });
    });
    return out;
  }

  #labels(table: Table): Int32Array | undefined {
    const [name] = columnNames(this.schema, "label");
    if (name === undefined || !table.has(name)) return undefined;
    const { codes, texts } = table.text(name);
    const indices = texts.map((text) => this.classes.indexOf(text));
    return codes.map((code, row) => {
      const index = indices[code] ?? -1;
      if (index >= 0) return index;
      throw new DataError({
        where: `${table.place(row)}, column ${name}`,
        expected: `one of the classes ${this.classes.join(", ")}`,
        received: code < 0 ? "no label" : `"${texts[code]}"`,
      });
    });
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => Number.isFinite(item));
}

function isScaling(value: unknown): value is Scaling {
  const scaling = value as Scaling | null | undefined;
  if (scaling?.kind === "standard") return isNumbers([scaling.mean, scaling.deviation]) && scaling.deviation > 0;
  if (scaling?.kind !== "quantile") return false;
  const { values, low, high } = scaling;
  return (
    isNumbers(values) &&
    isNumbers(low) &&
    isNumbers(high) &&
    low.length === values.length &&
    high.length === values.length
  );
}

function isNumericState(value: unknown): value is NumericState {
  const state = value as NumericState | null | undefined;
  return (
    typeof state?.name === "string" &&
    Number.isFinite(state.median) &&
    typeof state.indicator === "boolean" &&
    isNumbers(state.edges) &&
    state.edges.length > 1 &&
    isScaling(state.scaling)
  );
}

function isCategoricalState(value: unknown): value is CategoricalState {
  const state = value as CategoricalState | null | undefined;
  return typeof state?.name === "string" && isTexts(state.categories);
}
