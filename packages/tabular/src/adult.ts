import { ConfigError, DataError, Random } from "@l0gm/core";
import { firstExisting } from "#files";
import { readCsv } from "./csv.ts";
import { type ColumnKind, MISSING_TEXTS, type TableSchema } from "./schema.ts";
import { Table } from "./table.ts";

const COLUMNS: readonly (readonly [name: string, kind: ColumnKind])[] = [
  ["age", "numeric"],
  ["workclass", "categorical"],
  ["fnlwgt", "numeric"],
  ["education", "categorical"],
  ["education-num", "numeric"],
  ["marital-status", "categorical"],
  ["occupation", "categorical"],
  ["relationship", "categorical"],
  ["race", "categorical"],
  ["sex", "categorical"],
  ["capital-gain", "numeric"],
  ["capital-loss", "numeric"],
  ["hours-per-week", "numeric"],
  ["native-country", "categorical"],
  ["income", "label"],
];
const WEIGHT = "fnlwgt";
const LABEL = "income";

/** Rows of the two files, from the data set's own description. */
const ROWS = { "adult.data": 32_561, "adult.test": 16_281 } as const;

const ADDRESS = "https://archive.ics.uci.edu/dataset/2/adult";

/** Options of {@link loadAdult}. */
export interface AdultOptions {
  /** Share of `adult.data` that becomes the validation split. @defaultValue 0.15 */
  readonly validation?: number;
  /** Seed of that split. @defaultValue 0 */
  readonly seed?: number;
  /** Leaves out `fnlwgt`, which weighs a row in the survey and says nothing of the person. @defaultValue false */
  readonly withoutWeight?: boolean;
}

/** The Adult data. */
export interface Adult {
  readonly schema: TableSchema;
  readonly train: Table;
  readonly validation: Table;
  readonly test: Table;
  /** Rows of `test`, ascending, that are also, word for word, rows of `adult.data`. */
  readonly testRowsAlsoInTrain: readonly number[];
  /** SHA-256, in hexadecimal, of the two files as they are published (decompressed). */
  readonly checksums: Readonly<Record<"adult.data" | "adult.test", string>>;
}

function schemaOf(ignored: readonly string[]): TableSchema {
  const columns = COLUMNS.map(([name, kind]) => ({ name, kind: ignored.includes(name) ? ("ignore" as const) : kind }));
  return { columns, missing: MISSING_TEXTS };
}

async function readSplit(directory: string, file: keyof typeof ROWS): Promise<Table> {
  const path = `${directory.replace(/\/+$/, "")}/${file}`;
  const found = await firstExisting([path, `${path}.gz`]);
  if (found === undefined) {
    throw new DataError({
      where: "loadAdult",
      expected: `${file} or ${file}.gz`,
      received: `neither in ${directory}`,
      hint: `The data set's page is ${ADDRESS}.`,
    });
  }
  // The test file starts with the line "|1x3 Cross validator" and ends its labels with a full stop.
  const raw = await readCsv(found, schemaOf([]), { columns: COLUMNS.map(([name]) => name), comment: "|" });
  const label = raw.text(LABEL);
  const texts = label.texts.map((text) => text.replace(/\.$/, ""));
  if (raw.rows !== ROWS[file] || [...texts].sort().join() !== "<=50K,>50K") {
    throw new DataError({
      where: found,
      expected: `${ROWS[file]} rows of the classes <=50K and >50K`,
      received: `${raw.rows} rows of ${texts.join(" and ")}`,
      hint: `The file is cut off or another; the original is at ${ADDRESS}.`,
    });
  }
  return new Table(new Map([...raw.columns, [LABEL, { ...label, texts }]]), raw.origin);
}

/** The rows of each label in random order, a share of each cut off; both halves in the order of the file. */
function stratifiedSplit(table: Table, share: number, random: Random): [rest: Int32Array, cut: Int32Array] {
  const { codes, texts } = table.text(LABEL);
  const cut: number[] = [];
  const rest: number[] = [];
  for (const text of [...texts].sort()) {
    const code = texts.indexOf(text);
    const rows = random.shuffle(Array.from(codes.keys()).filter((row) => codes[row] === code));
    const count = Math.round(share * rows.length);
    cut.push(...rows.slice(0, count));
    rest.push(...rows.slice(count));
  }
  return [Int32Array.from(rest).sort(), Int32Array.from(cut).sort()];
}

function repeated(test: Table, train: Table): number[] {
  const keys = (table: Table): string[] => {
    const columns = [...table.columns.keys()].map((name) => {
      const column = table.columns.get(name);
      return column?.kind === "numeric" ? Array.from(column.values, String) : table.strings(name);
    });
    return Array.from({ length: table.rows }, (_, row) => JSON.stringify(columns.map((values) => values[row] ?? null)));
  };
  const known = new Set(keys(train));
  return keys(test).flatMap((key, row) => (known.has(key) ? [row] : []));
}

/**
 * Loads the Adult (Census Income) data of B. Becker and R. Kohavi (1996), https://doi.org/10.24432/C5XW20, CC BY 4.0: whether a
 * person earns more than 50,000 dollars a year. The split into `adult.data` and `adult.test` is the official one; validation rows are
 * cut from `adult.data`, with the label's shares kept. `test.strings("sex")` and `test.strings("race")` group rows.
 *
 * @param directory - holds `adult.data` and `adult.test`, or both with `.gz`
 * @throws DataError when a file is absent, malformed, cut off or another
 * @throws ConfigError when `validation` is not between 0 and 1
 *
 * @example
 * ```ts
 * const { train, schema } = await loadAdult("apps/bench/data/adult", { withoutWeight: true });
 * const preprocessor = TablePreprocessor.fit(train, schema, { minimumCount: 5 });
 * console.log(train.rows, preprocessor.classes.length); // 27677 2
 * ```
 */
export async function loadAdult(directory: string, options: AdultOptions = {}): Promise<Adult> {
  const { validation: share = 0.15, seed = 0, withoutWeight = false } = options;
  if (!(share > 0 && share < 1)) {
    throw new ConfigError({ where: "loadAdult", expected: "validation between 0 and 1", received: share });
  }
  const data = await readSplit(directory, "adult.data");
  const test = await readSplit(directory, "adult.test");
  const ignored = withoutWeight ? [WEIGHT] : [];
  const [train, validation] = stratifiedSplit(data, share, Random.from(seed, "split", "adult"));
  const used = data.without(...ignored);
  return {
    schema: schemaOf(ignored),
    train: used.select(train),
    validation: used.select(validation),
    test: test.without(...ignored),
    testRowsAlsoInTrain: repeated(test, data),
    checksums: { "adult.data": data.origin.checksum ?? "", "adult.test": test.origin.checksum ?? "" },
  };
}
