import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DataError } from "@l0gm/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inferCsvSchema, readCsv } from "./csv.ts";
import type { TableSchema } from "./schema.ts";

const schema: TableSchema = {
  columns: [
    { name: "age", kind: "numeric" },
    { name: "town", kind: "categorical" },
    { name: "class", kind: "label" },
  ],
  missing: ["", "?"],
};

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "l0gm-csv-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("readCsv", () => {
  test("reads any quoted texts, however the stream is cut", async () => {
    const rows = fc.array(
      fc.record({
        age: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
        town: fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text !== "?"),
      }),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom("\n", "\r\n"),
        async (data, size, end) => {
          const lines = data.map(({ age, town }) => `${age ?? "?"},"${town.replaceAll('"', '""')}",a`);
          const bytes = new TextEncoder().encode(`\uFEFFage,town,class${end}${lines.join(end)}${end}`);
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
            bytes.slice(i * size, (i + 1) * size),
          );
          const table = await readCsv(chunks, schema);
          expect([...table.numeric("age")]).toEqual(
            data.map(({ age }) => (age === null ? Number.NaN : Number(String(age)))),
          );
          expect(table.strings("town")).toEqual(data.map(({ town }) => town));
        },
      ),
    );
  });

  test("refuses text that is not UTF-8", async () => {
    const latin = new Uint8Array([
      ...new TextEncoder().encode("age,town,class\n1,Li"),
      0xe8,
      ...new TextEncoder().encode("ge,a\n"),
    ]);
    await expect(readCsv(file("latin.csv", latin), schema)).rejects.toThrow(/latin\.csv: expected text in UTF-8/);
    await expect(
      readCsv([new TextEncoder().encode("age,town,class\n1,Gent,é").subarray(0, -1)], schema),
    ).rejects.toThrow(/UTF-8/);
  });

  test("keeps characters whole in a text of any length", async () => {
    const table = await readCsv([`age,town,class\n${"1,🏙,a\n".repeat(20_000)}`], schema);
    expect(table.text("town").texts).toEqual(["🏙"]);
  });

  test("knows the line of every row, with empty lines and comments between them", async () => {
    const text = 'age ; town ; class\n\n# a remark\n 1;Ghent;a\n\n2;"Ly\non";b\n3;;b';
    const table = await readCsv([text], schema, { delimiter: ";", comment: "#" });
    expect(table.strings("town")).toEqual(["Ghent", "Ly\non", undefined]);
    expect([...table.origin.numbers]).toEqual([4, 7, 8]);
  });

  test("takes names for a file without a header, in any order and with columns more", async () => {
    const table = await readCsv(["a,x,7,Ghent\n"], schema, { columns: ["class", "more", "age", "town"] });
    expect(table.numeric("age")[0]).toBe(7);
    expect([...table.columns.keys()]).toEqual(["age", "town", "class"]);
  });

  test("reads gzip as it reads plain files, with the same checksum", async () => {
    const text = `age,town,class\n${"1,Ghent,a\n".repeat(30_000)}`;
    const plain = await readCsv(file("plain.csv", text), schema);
    const packed = await readCsv(file("packed.csv.gz", gzipSync(text)), schema);
    expect(plain.rows).toBe(30_000);
    expect(packed.rows).toBe(30_000);
    expect(plain.origin.checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(packed.origin.checksum).toBe(plain.origin.checksum);
  });

  test("holds each distinct text once", async () => {
    const table = await readCsv([`age,town,class\n${"1,Ghent,a\n2,Lyon,b\n".repeat(50)}`], schema);
    expect(table.text("town").texts).toEqual(["Ghent", "Lyon"]);
  });

  test.each<[string, string, RegExp]>([
    ["an empty file", "", /empty\.csv: expected a header line, received an empty file/],
    ["a header alone", "age,town,class\n", /empty\.csv: expected at least one row/],
    ["an absent column", "age,class\n1,a\n", /a column town, received the columns age, class/],
    ["an absent label", "age,town\n1,a\n", /the label column class, received the columns age, town/],
    ["too few fields", "age,town,class\n1,Ghent,a\n1,Ghent\n", /empty\.csv, line 3: expected 3 fields, received 2/],
    ["too many fields", "age,town,class\n1,Ghent,a,b\n", /line 2: expected 3 fields, received 4/],
    [
      "a name twice",
      "age,town,town,class\n1,x,y,a\n",
      /header: expected column names that differ, received town twice/,
    ],
    ["text in a numeric column", "age,town,class\n1,Ghent,a\nold,Ghent,a\n", /line 3, column age: .* received "old"/],
    ["a missing label", "age,town,class\n1,Ghent,?\n", /line 2, column class: expected a label/],
    ["an unclosed quote", 'age,town,class\n1,"Ghent,a\n', /well-formed CSV, received Quote Not Closed/],
    [
      "a stray quote",
      'age,town,class\n1,"Ghent"x,a\n',
      /line 2: expected well-formed CSV, received Invalid Closing Quote/,
    ],
    ["a row without end", `age,town,class\n1,"${"x".repeat(2_000_000)}`, /well-formed CSV, received Max Record Size/],
  ])("refuses %s", async (_, content, message) => {
    const reading = readCsv(file("empty.csv", content), schema);
    await expect(reading).rejects.toThrow(DataError);
    await expect(reading).rejects.toThrow(message);
  });

  test("refuses a missing file, a folder, and gzip that is cut off or none", async () => {
    await expect(readCsv(join(folder, "absent.csv"), schema)).rejects.toThrow(/absent\.csv: expected a readable file/);
    await expect(readCsv(folder, schema)).rejects.toThrow(DataError);
    const cut = gzipSync("age,town,class\n1,Ghent,a\n").subarray(0, 30);
    await expect(readCsv(file("cut.csv.gz", cut), schema)).rejects.toThrow(/expected a readable gzip file/);
    await expect(readCsv(file("text.csv.gz", "age,town"), schema)).rejects.toThrow(/expected a readable gzip file/);
  });

  test("does without the label where rows are to be predicted", async () => {
    const table = await readCsv(["age,town\n1,Ghent\n"], schema, { labelled: false });
    expect(table.has("class")).toBe(false);
  });
});

describe("inferCsvSchema", () => {
  const header = "age,town,class\n";

  test("tells numbers from texts", async () => {
    expect(await inferCsvSchema([`${header}1,Ghent,a\n?,Lyon,b\n`], { label: "class", missing: ["", "?"] })).toEqual(
      schema,
    );
  });

  test("reads no more of the stream than the sample", async () => {
    let pulled = 0;
    async function* endless(): AsyncGenerator<string> {
      yield header;
      for (;;) {
        pulled++;
        yield "1,Ghent,a\n";
      }
    }
    const inferred = await inferCsvSchema(endless(), { label: "class", sampleRows: 100 });
    expect(inferred.columns.map(({ kind }) => kind)).toEqual(["numeric", "categorical", "label"]);
    expect(pulled).toBeLessThan(200);
  });

  test("refuses an absent label, a category for every row and an empty file", async () => {
    await expect(inferCsvSchema([`${header}1,x,a\n`], { label: "income" })).rejects.toThrow(/label column income/);
    await expect(inferCsvSchema(["age;class\n1;a\n"], { label: "class" })).rejects.toThrow(/state its delimiter/);
    const rows = Array.from({ length: 30 }, (_, i) => `1,town ${i},a\n`).join("");
    await expect(inferCsvSchema([header, rows], { label: "class" })).rejects.toThrow(/declare town as "ignore"/);
    await expect(inferCsvSchema([], { label: "class" })).rejects.toThrow(/a header line/);
    await expect(inferCsvSchema([header], { label: "class" })).rejects.toThrow(/at least one row/);
  });
});
