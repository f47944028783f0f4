import { DataError } from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TableSchema } from "./schema.ts";
import { type TableRow, tableFromRows } from "./table.ts";

const schema: TableSchema = {
  columns: [
    { name: "age", kind: "numeric" },
    { name: "town", kind: "categorical" },
    { name: "note", kind: "ignore" },
    { name: "class", kind: "label" },
  ],
  missing: ["", "?"],
};

describe("tableFromRows", () => {
  test("holds any rows by columns", () => {
    const row = fc.record({
      age: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x))),
      town: fc.option(fc.constantFrom("Ghent", "Lyon", "Turin")),
      class: fc.constantFrom("a", "b"),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), (rows) => {
        const table = tableFromRows(rows, schema);
        expect([...table.numeric("age")]).toEqual(rows.map(({ age }) => age ?? Number.NaN));
        expect(table.strings("town")).toEqual(rows.map(({ town }) => town ?? undefined));
        expect(table.strings("class")).toEqual(rows.map((r) => r.class));
        const back = table.select(rows.map((_, i) => rows.length - 1 - i));
        expect(back.strings("class")).toEqual(table.strings("class").reverse());
        expect(back.place(0)).toBe(`rows, row ${rows.length}`);
      }),
    );
  });

  test("leaves ignored columns out and trims texts", () => {
    const table = tableFromRows([{ age: " 3 ", town: " Ghent", note: "x", class: "a" }], schema);
    expect([...table.columns.keys()]).toEqual(["age", "town", "class"]);
    expect(table.numeric("age")[0]).toBe(3);
    expect(table.text("town").texts).toEqual(["Ghent"]);
    expect(table.without("age").has("age")).toBe(false);
  });

  test("does without the label where rows are to be predicted", () => {
    const rows: TableRow[] = [{ age: 1, town: "Ghent" }];
    expect(() => tableFromRows(rows, schema)).toThrow(/the label column class, received the columns age, town/);
    expect(tableFromRows(rows, schema, { labelled: false }).has("class")).toBe(false);
  });

  test("leaves a label column with gaps out where rows are to be predicted, and refuses it where they train", () => {
    const rows: TableRow[] = [
      { age: 1, town: "Ghent", class: "a" },
      { age: 2, town: "Lyon", class: "" },
    ];
    expect(() => tableFromRows(rows, schema)).toThrow(/row 2, column class: expected a label/);
    const table = tableFromRows(rows, schema, { labelled: false });
    expect([table.rows, table.has("class")]).toEqual([2, false]);
  });

  test.each<[string, TableRow[], string]>([
    ["no rows", [], "rows: expected at least one row"],
    ["an absent column", [{ age: 1, class: "a" }], "rows: expected a column town"],
    [
      "text in a numeric column",
      [
        { age: 1, town: "Ghent", class: "a" },
        { age: "old", town: "Ghent", class: "a" },
      ],
      'rows, row 2, column age: expected a finite number, received "old"',
    ],
    ["an infinite number", [{ age: Number.POSITIVE_INFINITY, town: "Ghent", class: "a" }], 'received "Infinity"'],
    [
      "a missing label",
      [{ age: 1, town: "Ghent", class: "?" }],
      "rows, row 1, column class: expected a label, received ?",
    ],
  ])("refuses %s", (_, rows, message) => {
    expect(() => tableFromRows(rows, schema)).toThrow(DataError);
    expect(() => tableFromRows(rows, schema)).toThrow(message);
  });

  test("says which columns it has when asked for another, or for the wrong kind", () => {
    const table = tableFromRows([{ age: 1, town: "Ghent", class: "a" }], schema);
    expect(() => table.numeric("size")).toThrow(/a column size, received the columns age, town, class/);
    expect(() => table.numeric("town")).toThrow(/town to be numeric/);
    expect(() => table.text("age")).toThrow(/age to hold texts/);
  });
});
