import { DataError } from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ColumnSchema, checkSchema, MISSING_TEXTS, parseNumber } from "./schema.ts";
import { inferSchema, type TableRow } from "./table.ts";

describe("checkSchema", () => {
  test("gives back every valid schema after a JSON round trip", () => {
    const column = fc.oneof(
      fc.record({
        name: fc.string({ minLength: 1 }),
        kind: fc.constantFrom<"categorical" | "ignore">("categorical", "ignore"),
      }),
      fc.record({ name: fc.string({ minLength: 1 }), kind: fc.constant("numeric" as const), complete: fc.boolean() }),
    );
    const schemas = fc.record({
      columns: fc
        .uniqueArray(column as fc.Arbitrary<ColumnSchema>, { minLength: 1, selector: ({ name }) => name })
        .filter((columns) => columns.some(({ kind }) => kind !== "ignore")),
      missing: fc.array(fc.string()),
    });
    fc.assert(
      fc.property(schemas, (schema) => {
        expect(checkSchema(JSON.parse(JSON.stringify(schema)))).toEqual(schema);
      }),
    );
  });

  test("takes the usual texts for missing when none are given", () => {
    expect(checkSchema({ columns: [{ name: "a", kind: "numeric" }] }).missing).toEqual(MISSING_TEXTS);
  });

  test.each<[string, unknown, RegExp]>([
    ["no object", null, /object with a list of columns/],
    ["no name", { columns: [{ kind: "numeric" }] }, /column 0: expected a name/],
    ["an unknown kind", { columns: [{ name: "a", kind: "date" }] }, /kind out of numeric, categorical, label, ignore/],
    ["complete on a text", { columns: [{ name: "a", kind: "categorical", complete: true }] }, /numeric columns only/],
    [
      "a name twice",
      {
        columns: [
          { name: "a", kind: "numeric" },
          { name: "a", kind: "ignore" },
        ],
      },
      /a twice/,
    ],
    [
      "two labels",
      {
        columns: [
          { name: "a", kind: "label" },
          { name: "b", kind: "label" },
        ],
      },
      /at most one label/,
    ],
    ["no feature", { columns: [{ name: "a", kind: "label" }] }, /numeric or categorical/],
    ["missing that is no list", { columns: [{ name: "a", kind: "numeric" }], missing: "?" }, /list of texts/],
  ])("refuses %s", (_, schema, message) => {
    expect(() => checkSchema(schema)).toThrow(DataError);
    expect(() => checkSchema(schema)).toThrow(message);
  });
});

test("parseNumber takes decimal numbers and nothing else", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      expect(parseNumber(String(x))).toBe(Number(String(x)));
    }),
  );
  for (const text of ["", " ", "0x1f", "1,000", "Infinity", "1e999", "NaN", "12 a", "--1", "."]) {
    expect(parseNumber(text)).toBeUndefined();
  }
});

describe("inferSchema", () => {
  const rows: TableRow[] = Array.from({ length: 40 }, (_, i) => ({
    age: i % 7 === 0 ? "?" : 20 + i,
    town: ["Ghent", "Lyon", "Turin"][i % 3],
    empty: null,
    person: `person ${i}`,
    class: i % 2,
  }));

  test("tells numbers, texts, the label and empty columns apart", () => {
    const schema = inferSchema(rows, { label: "class", overrides: { person: "ignore" } });
    expect(schema.columns).toEqual([
      { name: "age", kind: "numeric" },
      { name: "town", kind: "categorical" },
      { name: "empty", kind: "ignore" },
      { name: "person", kind: "ignore" },
      { name: "class", kind: "label" },
    ]);
  });

  test("refuses a column with a category for every row, naming it and the way out", () => {
    expect(() => inferSchema(rows, { label: "class" })).toThrow(
      /column person to have categories that repeat, received 40 categories in 40 rows\n.*declare person as "ignore"/,
    );
  });

  test("lets overrides say more than a kind", () => {
    const overrides = { age: { kind: "numeric", complete: true }, person: "ignore" } as const;
    expect(inferSchema(rows, { label: "class", overrides }).columns[0]).toEqual({
      name: "age",
      kind: "numeric",
      complete: true,
    });
  });

  test("looks at no more rows than it is told to", () => {
    const late: TableRow[] = [
      { a: 1, class: 0 },
      { a: 2, class: 1 },
      { a: "text", class: 1 },
    ];
    expect(inferSchema(late, { label: "class", sampleRows: 2 }).columns[0]?.kind).toBe("numeric");
    expect(inferSchema(late, { label: "class" }).columns[0]?.kind).toBe("categorical");
  });

  test("names the columns that are there when the label or an override is not", () => {
    expect(() => inferSchema(rows, { label: "Class" })).toThrow(/label column Class, received the columns age, town/);
    expect(() => inferSchema(rows, { label: "class", overrides: { Age: "ignore" } })).toThrow(/overridden column Age/);
    expect(() => inferSchema([], { label: "class" })).toThrow(DataError);
  });
});
