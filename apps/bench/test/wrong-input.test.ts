import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { l0gm, SMALL, tableText, temporaryFolder, writeInto } from "./command-line.ts";

interface Case {
  readonly name: string;
  /** The CSV file's content; no file at all without it. */
  readonly table?: string;
  readonly config?: object;
  readonly options?: readonly string[];
  /** What the message must say. */
  readonly says: readonly (string | RegExp)[];
}

const TABLE = tableText(120);
const lines = TABLE.trimEnd().split("\n");

const CASES: readonly Case[] = [
  { name: "a missing file", says: ["own data", "a file", "table.csv, which is not there"] },
  { name: "an empty file", table: "", says: ["a header line", "an empty file"] },
  {
    name: "a missing label column",
    table: TABLE.replace("class", "outcome"),
    says: ["a label column class", "age, town, hours, outcome"],
  },
  { name: "one class only", table: TABLE.replaceAll(",no\n", ",yes\n"), says: ["at least two classes", 'only "yes"'] },
  {
    name: "a column of text that is declared numeric",
    table: TABLE,
    config: { data: { columns: { town: "numeric" } } },
    says: [/table\.csv, line \d+, column town/, "a finite number"],
  },
  {
    name: "a missing number in a column that is declared complete",
    table: TABLE,
    config: { data: { columns: { hours: { kind: "numeric", complete: true } } } },
    says: [/table\.csv, line \d+, column hours/, "declared complete", "a missing value"],
  },
  {
    name: "a column with a category for every row",
    table: `${lines.map((line, i) => `${i === 0 ? "name" : `person ${i}`},${line}`).join("\n")}\n`,
    says: ["column name", "120 categories in 120 rows", '"ignore"'],
  },
  {
    name: "a target that rounds to no dimension",
    table: TABLE,
    options: ["--target", "0.01"],
    says: ["of 8 dimensions", "0.01, which rounds to 0 dimensions", "larger fraction"],
  },
  {
    name: "an unknown setting",
    table: TABLE,
    config: { gate: { temprature: 1 } },
    says: [/config\.json/, "gate", "temprature"],
  },
  { name: "two modes at once", table: TABLE, options: ["--dense", "--path"], says: ["--dense", "--path"] },
  {
    name: "a target that is no number",
    table: TABLE,
    options: ["--target", "half"],
    says: ["--target", "half", "1/8"],
  },
];

describe("wrong input ends with exit code 2 and one screen on standard error", () => {
  test.concurrent.for(CASES)(
    "$name",
    async ({ table, config = {}, options = [], says }, { expect, onTestFinished }) => {
      // Tests run side by side: the global hook would belong to whichever began last.
      const folder = temporaryFolder(onTestFinished);
      const data = table === undefined ? join(folder, "table.csv") : writeInto(folder, "table.csv", table);
      const settings = writeInto(folder, "config.json", { ...SMALL, ...config });
      const out = join(folder, "runs");
      const source = ["--data", data, "--label", "class", "--config", settings, "--out", out];
      const ended = await l0gm("run", "tabular", ...source, ...options);
      for (const part of says) expect(ended.stderr).toMatch(part);
      expect(ended.stderr.split("\n").length).toBeLessThan(24);
      expect(ended.stderr).not.toMatch(/^\s+at /m);
      expect(ended).toMatchObject({ code: 2, stdout: "" });
      expect(existsSync(join(out, "tabular"))).toBe(false);
    },
  );

  test("a sweep whose data are wrong, and a grid with an impossible fraction", async () => {
    const folder = temporaryFolder();
    const data = writeInto(folder, "table.csv", TABLE.replaceAll(",no\n", ",yes\n"));
    const config = writeInto(folder, "config.json", SMALL);
    const sweep = [
      "sweep",
      "tabular",
      "--data",
      data,
      "--label",
      "class",
      "--seeds",
      "1",
      "--out",
      folder,
      "--config",
      config,
    ];
    const oneClass = await l0gm(...sweep, "--methods", "dense");
    expect(oneClass).toMatchObject({ code: 2, stdout: "" });
    expect(oneClass.stderr).toMatch("at least two classes");
    const noDimension = await l0gm(...sweep, "--targets", "1,0.001");
    expect(noDimension).toMatchObject({ code: 2, stdout: "" });
    expect(noDimension.stderr).toMatch("rounds to 0 dimensions");
  });

  test("an unknown command", async () => {
    const ended = await l0gm("trian");
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toMatch("trian");
  });
});
