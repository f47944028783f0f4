import { ConfigError, DataError, FormatError } from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalQuantile } from "./normal-quantile.ts";
import { TablePreprocessor } from "./preprocess.ts";
import { MISSING_TEXTS, type TableSchema } from "./schema.ts";
import { type TableRow, tableFromRows } from "./table.ts";

const schema: TableSchema = {
  columns: [
    { name: "age", kind: "numeric" },
    { name: "hours", kind: "numeric", complete: true },
    { name: "town", kind: "categorical" },
    { name: "class", kind: "label" },
  ],
  missing: MISSING_TEXTS,
};
const training: TableRow[] = [
  { age: 10, hours: 1, town: "Lyon", class: "yes" },
  { age: 20, hours: 2, town: "Ghent", class: "no" },
  { age: "?", hours: 3, town: "Lyon", class: "no" },
  { age: 30, hours: 4, town: null, class: "yes" },
];
const fitted = TablePreprocessor.fit(training, schema);

describe("TablePreprocessor", () => {
  test("names what it makes", () => {
    expect(fitted.numericNames).toEqual(["age", "hours", "age is missing"]);
    expect(fitted.categoricalNames).toEqual(["town"]);
    expect(fitted.cardinalities).toEqual([4]);
    expect(fitted.classes).toEqual(["no", "yes"]);
    expect(fitted.binEdges).toHaveLength(3);
    expect(fitted.binEdges[2]).toEqual([0, 1]);
  });

  test("imputes the median, says where, and numbers categories", () => {
    const data = fitted.transform([
      { age: null, hours: 2.5, town: "Lyon", class: "yes" },
      { age: 25, hours: 2.5, town: "Oslo", class: "no" },
      { age: 20, hours: 2.5, town: "NA", class: "no" },
    ]);
    const q = Math.fround(normalQuantile(0.75));
    expect([...data.numeric]).toEqual([0, 0, 1, q, 0, 0, 0, 0, 0]);
    expect([...data.categorical]).toEqual([3, 0, 1]);
    expect([...(data.labels ?? [])]).toEqual([1, 0, 0]);
    expect(data).toMatchObject({ rows: 3, numericColumns: 3, categoricalColumns: 1, classes: 2 });
  });

  test("knows nothing but the training rows", () => {
    const one = fitted.transform([training[0] ?? {}]);
    const all = fitted.transform([...training, { age: 1e6, hours: -1e6, town: "Oslo", class: "no" }]);
    expect([...all.numeric.subarray(0, 3)]).toEqual([...one.numeric]);
  });

  test("scales to mean 0 and deviation 1 on request", () => {
    const { numeric } = TablePreprocessor.fit(training, schema, { numeric: "standard" }).transform(training);
    expect(numeric[1]).toBeCloseTo(-1.5 / Math.sqrt(1.25), 6);
    expect(numeric[6]).toBeCloseTo(0, 6);
  });

  test("folds rare categories into the unknown one", () => {
    const folded = TablePreprocessor.fit(training, schema, { minimumCount: 2 });
    expect(folded.cardinalities).toEqual([3]);
    expect([...folded.transform(training).categorical]).toEqual([2, 0, 2, 1]);
  });

  test("leaves labels out of rows that have none", () => {
    const data = fitted.transform([{ age: 1, hours: 1, town: "Lyon" }]);
    expect(data.labels).toBeUndefined();
    expect(data.classes).toBe(2);
  });

  test("keeps bins ascending, also of constant and tied columns", () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ age: 5, hours: i < 40 ? 0 : i, town: "Lyon", class: i % 2 }));
    for (const numeric of ["quantile", "standard"] as const) {
      for (const edges of TablePreprocessor.fit(rows, schema, { numeric, bins: 8 }).binEdges) {
        expect(edges.length).toBeGreaterThan(1);
        expect(edges.length).toBeLessThan(10);
        edges.forEach((edge, k) => {
          expect(edge).toBeGreaterThan(edges[k - 1] ?? Number.NEGATIVE_INFINITY);
        });
      }
    }
  });

  test("has bins for the rest of a column that is mostly one value", () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      age: i,
      hours: i < 180 ? 0 : i,
      town: "Lyon",
      class: i % 2,
    }));
    const [even, skewed] = TablePreprocessor.fit(rows, schema, { bins: 8 }).binEdges;
    expect(even).toHaveLength(9);
    expect(skewed?.length).toBeGreaterThan(4);
  });

  test("does the same after a JSON round trip, for any rows", () => {
    const row = fc.record({
      age: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      hours: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
      town: fc.option(fc.constantFrom("Ghent", "Lyon", "Turin")),
    });
    const rowsOf = fc.array(row, { minLength: 2, maxLength: 30 });
    const numeric = fc.constantFrom<"quantile" | "standard">("quantile", "standard");
    fc.assert(
      fc.property(rowsOf, rowsOf, numeric, fc.integer({ min: 1, max: 3 }), (some, others, scaling, minimumCount) => {
        fc.pre(some.some(({ age }) => age !== null));
        const labelled = some.map((r, i) => ({ ...r, age: r.age === null ? null : r.age % 1e9, class: i % 2 }));
        const before = TablePreprocessor.fit(labelled, schema, { numeric: scaling, minimumCount });
        const after = TablePreprocessor.fromJSON(JSON.parse(JSON.stringify(before)));
        expect(after.transform(others)).toEqual(before.transform(others));
        expect(JSON.stringify(after)).toBe(JSON.stringify(before));
        expect(before.transform(others).numeric.every(Number.isFinite)).toBe(true);
      }),
    );
  });

  test.each<[string, TableRow[], RegExp]>([
    ["one class only", training.map((row) => ({ ...row, class: "yes" })), /at least two classes, received only "yes"/],
    [
      "a complete column that is not",
      [...training, { age: 1, hours: "", town: "Lyon", class: "no" }],
      /row 5, column hours/,
    ],
    ["text in a numeric column", [{ age: "ten", hours: 1, town: "Lyon", class: "no" }], /row 1, column age.* "ten"/],
    ["a column of missing values", training.map((row) => ({ ...row, age: null })), /a number in column age/],
    [
      "a category for every row",
      Array.from({ length: 20 }, (_, i) => ({ age: i, hours: 1, town: `town ${i}`, class: i % 2 })),
      /column town to have categories that repeat/,
    ],
    [
      "a class for every row",
      Array.from({ length: 20 }, (_, i) => ({ age: i, hours: 1, town: "Lyon", class: i / 7 })),
      /classes that repeat, received 20 classes in 20 rows/,
    ],
  ])("refuses to fit %s", (_, rows, message) => {
    expect(() => TablePreprocessor.fit(rows, schema)).toThrow(DataError);
    expect(() => TablePreprocessor.fit(rows, schema)).toThrow(message);
  });

  test("refuses a schema without label, and options out of range", () => {
    const unlabelled = { ...schema, columns: schema.columns.slice(0, 3) };
    expect(() => TablePreprocessor.fit(training, unlabelled)).toThrow(/a label column in the schema/);
    for (const options of [{ quantiles: 1 }, { minimumCount: 0 }, { bins: 0.5 }]) {
      expect(() => TablePreprocessor.fit(training, schema, options)).toThrow(ConfigError);
    }
  });

  test("refuses to transform an unknown label, a gap in a complete column, or an absent column", () => {
    const row = { age: 1, hours: 1, town: "Lyon" };
    expect(() => fitted.transform([{ ...row, class: "maybe" }])).toThrow(
      /row 1, column class: expected one of the classes no, yes, received "maybe"/,
    );
    expect(() => fitted.transform([{ ...row, hours: null }])).toThrow(/declared complete, received a missing value/);
    expect(() => fitted.transform([{ hours: 1, town: "Lyon" }])).toThrow(/a column age/);
    const table = tableFromRows([{ ...row, class: "no" }], schema).without("town");
    expect(() => fitted.transform(table)).toThrow(/a column town/);
  });

  test.each<[string, (json: Record<string, unknown>) => unknown, RegExp]>([
    ["no object", () => "text", /an object/],
    ["a foreign format", (json) => ({ ...json, format: "other" }), /format l0gm\/table-preprocessor/],
    ["a later version", (json) => ({ ...json, version: 2 }), /version 1/],
    ["a broken column", (json) => ({ ...json, numeric: [{ name: "age" }] }), /state of numeric columns/],
    ["broken categories", (json) => ({ ...json, categorical: [{ name: "town", categories: [1] }] }), /the categories/],
    ["no classes", (json) => ({ ...json, classes: [] }), /two classes/],
  ])("refuses to load %s", (_, change, message) => {
    const json = change(JSON.parse(JSON.stringify(fitted)));
    expect(() => TablePreprocessor.fromJSON(json)).toThrow(FormatError);
    expect(() => TablePreprocessor.fromJSON(json)).toThrow(message);
  });
});
