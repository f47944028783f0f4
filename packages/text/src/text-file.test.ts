import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, DataError } from "@l0gm/core";
import { afterAll, describe, expect, test } from "vitest";
import { readTexts } from "./text-file.ts";

const folder = mkdtempSync(join(tmpdir(), "l0gm-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const columns = { text: "t", label: "y" };

describe("readTexts", () => {
  test("reads CSV, with quotes, line breaks and a byte order mark", async () => {
    const path = file("a.csv", '\ufeffid,t,y\n1,"good, ""very""\nindeed",pos\n2,bad,neg\n3,meh,mid\n');
    expect(await readTexts(path, columns)).toEqual({
      texts: ['good, "very"\nindeed', "bad", "meh"],
      labels: Int32Array.of(2, 1, 0),
      classes: ["mid", "neg", "pos"],
    });
  });

  test("reads labels and column names without the white space around them, and texts as they are", async () => {
    const { texts, classes } = await readTexts(file("b.csv", "t, y\n a, pos\nb,pos \nc,neg\n"), columns);
    expect([texts, classes]).toEqual([
      [" a", "b", "c"],
      ["neg", "pos"],
    ]);
  });

  test("reads JSON Lines, labels of any plain kind", async () => {
    const path = file("a.jsonl", '{"t":"good","y":1}\n\n{"t":"bad","y":0}\r\n{"t":"so","y":10}');
    const { texts, labels, classes } = await readTexts(path, columns);
    expect([texts, [...labels], classes]).toEqual([
      ["good", "bad", "so"],
      [1, 0, 2],
      ["0", "1", "10"],
    ]);
  });

  test("names the line of a CSV file that is no UTF-8, a doubled column and one that is not there", async () => {
    const bad = Buffer.concat([Buffer.from("t,y\ngood,1\nbad,0\n"), Buffer.of(0xff), Buffer.from(",1\n")]);
    await expect(readTexts(file("bad.csv", bad), columns)).rejects.toThrow(/bad\.csv, line 4: .*at byte 17/);
    const doubled = file("doubled.csv", "t,t,y\na,b,1\n");
    await expect(readTexts(doubled, columns)).rejects.toThrow(/one column called t, received two/);
    const unnamed = file("unnamed.csv", "t,y,,\na,1,,\nb,0,,\n");
    expect((await readTexts(unnamed, columns)).texts).toEqual(["a", "b"]);
    const path = file("own.csv", "t,y\na,1\nb,0\n");
    await expect(readTexts(path, { ...columns, text: "toString" })).rejects.toThrow(/no such column/);
    await expect(readTexts(join(folder, "none.csv"), columns)).rejects.toThrow(/no such file/);
  });

  test("reads a second text for each", async () => {
    const path = file("pairs.csv", "t,u,y\nIt rains.,It is wet.,yes\nIt rains.,It is dry.,no\n");
    const { texts, pairs } = await readTexts(path, { ...columns, pair: "u" });
    expect([texts, pairs]).toEqual([
      ["It rains.", "It rains."],
      ["It is wet.", "It is dry."],
    ]);
    await expect(readTexts(path, { ...columns, pair: "v" })).rejects.toThrow("a value in the column v");
  });

  test("takes the classes of the training rows, and rows without labels", async () => {
    const path = file("b.jsonl", '{"t":"good","y":"pos"}\n{"t":"bad","y":"pos"}');
    expect([...(await readTexts(path, columns, ["neg", "pos"])).labels]).toEqual([1, 1]);
    expect(await readTexts(path, { text: "t" }, ["neg", "pos"])).toMatchObject({ classes: ["neg", "pos"] });
    await expect(readTexts(path, columns, ["neg", "other"])).rejects.toThrow(/b\.jsonl, line 1.*neg, other.*pos/s);
  });

  test.each([
    ["one class", "c.jsonl", '{"t":"a","y":1}\n{"t":"b","y":1}', /two classes at least.*1 in every row/s],
    ["an empty text", "c.csv", "t,y\na,1\n ,0\n", /c\.csv, line 3.*white space/s],
    ["no label", "d.jsonl", '{"t":"a","y":1}\n{"t":"b"}', /d\.jsonl, line 2.*no such column; there are t/s],
    ["no rows", "e.csv", "t,y\n", /at least one row/],
    ["no JSON", "f.jsonl", '{"t":"a","y":1}\n{"t":', /f\.jsonl, line 2/],
    ["a value that is none", "g.jsonl", '{"t":null,"y":1}', /g\.jsonl, line 1.*column t/s],
    ["bytes that are no UTF-8", "h.jsonl", Uint8Array.of(123, 125, 10, 0xe9, 10), /h\.jsonl, line 2.*UTF-8.*byte/s],
    ["ragged CSV", "i.csv", "t,y\na\n", /CSV with a header line/],
  ])("refuses %s, and says where", async (_, name, content, message) => {
    const path = file(name, content);
    await expect(readTexts(path, columns)).rejects.toThrow(DataError);
    await expect(readTexts(path, columns)).rejects.toThrow(message);
  });

  test("refuses files of other kinds, and those that are not there", async () => {
    await expect(readTexts(file("a.txt", "x"), columns)).rejects.toThrow(ConfigError);
    await expect(readTexts(join(folder, "none.csv"), columns)).rejects.toThrow(/none\.csv/);
  });
});
