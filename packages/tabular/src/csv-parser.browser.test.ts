import { expect, test, vi } from "vitest";
import { readCsv } from "./csv.ts";
import type { TableSchema } from "./schema.ts";

vi.mock("#csv-parser", () => import("./csv-parser.browser.ts"));
vi.mock("#files", () => import("./files.browser.ts"));

const schema: TableSchema = {
  columns: [
    { name: "age", kind: "numeric" },
    { name: "class", kind: "label" },
  ],
  missing: ["?"],
};

test("the browser's parser reads streams as Node's does", async () => {
  const stream = new Blob(['\uFEFFage,class\n1,"a\nb"\n?,c\n']).stream();
  const table = await readCsv(stream, schema);
  expect([...table.numeric("age")]).toEqual([1, Number.NaN]);
  expect(table.strings("class")).toEqual(["a\nb", "c"]);
  expect([...table.origin.numbers]).toEqual([3, 4]);
});

test("and refuses what it refuses", async () => {
  await expect(readCsv(["age,class\n1,a\n2\n"], schema)).rejects.toThrow(/line 3: expected 2 fields, received 1/);
  await expect(readCsv(['age,class\n1,"a\n'], schema)).rejects.toThrow(/Quote Not Closed/);
});

test("a path is an error that says what to pass instead", async () => {
  await expect(readCsv("rows.csv", schema)).rejects.toThrow(/received the path rows\.csv\n.*file\.stream\(\)/);
});
