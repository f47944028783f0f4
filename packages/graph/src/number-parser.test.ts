import { DataError } from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NumberLayout, NumberParser } from "./number-parser.ts";

const LAYOUT: NumberLayout = { name: "numbers.csv", kind: "float", what: "features" };

function parse(text: string, layout: Partial<NumberLayout> = {}, piece = text.length + 1): number[] {
  const parser = new NumberParser({ ...LAYOUT, ...layout });
  const bytes = new TextEncoder().encode(text);
  for (let i = 0; i < bytes.length; i += piece) parser.write(bytes.subarray(i, i + piece));
  return [...parser.end()];
}

describe("NumberParser", () => {
  test("reads what JavaScript writes, wherever the file is cut into pieces", () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    const table = fc.array(fc.tuple(float, float, float), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 400 }), fc.boolean(), (rows, piece, newline) => {
        const text = rows.map((row) => row.map(String).join(",")).join("\n") + (newline ? "\n" : "");
        const expected = rows
          .flat()
          .map(Number)
          .map((value) => (value === 0 ? 0 : value));
        expect(parse(text, {}, piece).map((value) => value + 0)).toEqual(expected);
      }),
    );
  });

  test("rounds long numbers as float32 does", () => {
    const text = "0.0319656655192375183,-0.195025339722633362,12345678901234567890123,1e-50,.5,5.,+2.5E+2\n".repeat(9);
    const line = [0.03196566551923752, -0.19502533972263336, 1.2345678901234568e22, 1e-50, 0.5, 5, 250];
    expect(parse(text)).toEqual(Array.from({ length: 9 }, () => line.map(Math.fround)).flat());
  });

  test("puts columns one after the other when asked to", () => {
    const layout = { kind: "integer", columns: 2, lines: 40, planar: true } as const;
    const text = Array.from({ length: 40 }, (_, i) => `${i},${1000 + i}\r\n`).join("");
    const ids = Array.from({ length: 40 }, (_, i) => i);
    expect(parse(text, layout, 7)).toEqual([...ids, ...ids.map((i) => 1000 + i)]);
    expect(parse(text.replaceAll("\r", ""), layout)).toEqual([...ids, ...ids.map((i) => 1000 + i)]);
  });

  test.each([
    ["1,2\n3\n", {}, "numbers.csv, line 2: expected 2 features, received 1"],
    ["1,2\n3,4,5\n", {}, "numbers.csv, line 2: expected 2 features, received 3 or more"],
    ["1,nan\n", {}, "numbers.csv, line 1, column 2: expected features that are finite numbers, received nan"],
    ["1,2\n1,-inf\n", {}, "line 2, column 2: expected features that are finite numbers, received -inf"],
    ["1,1e39\n", {}, "received 1e39"],
    ["1,\n", {}, "line 1, column 2: expected features that are finite numbers, received nothing"],
    ["1 2\n", {}, "received 1 2"],
    ["1\n\n2\n", {}, "numbers.csv, line 2: expected features, received an empty line"],
    ["a,b\n1,2\n", {}, "line 1, column 1: expected features that are finite numbers, received a"],
    ["1\n2\n", { lines: 3, linesFrom: "count.csv" }, "line 3: expected 3 lines, as count.csv states, received the end"],
    ["1\n2\n3\n", { lines: 2, linesFrom: "count.csv" }, "line 3: expected 2 lines, as count.csv states, received more"],
    [
      "0\n5\n",
      { kind: "integer", bound: 5 },
      "line 2, column 1: expected features that are integers from 0 to 4, received 5",
    ],
    [
      "0\n-1\n",
      { kind: "integer" },
      "line 2, column 1: expected features that are integers of at least 0, received -1",
    ],
    ["0\n1.5\n", { kind: "integer" }, "received 1.5"],
  ] as const)("refuses %j", (text, layout, message) => {
    expect(() => parse(text, layout)).toThrow(message);
    // With more behind it, the reader of usual numbers meets it first.
    expect(() => parse(text + "9".repeat(64), layout)).toThrow(DataError);
    expect(() => parse(text, layout, 1)).toThrow(DataError);
  });
});
