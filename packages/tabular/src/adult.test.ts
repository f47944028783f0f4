import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { ConfigError, DataError } from "@l0gm/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Adult, loadAdult } from "./adult.ts";
import { TablePreprocessor } from "./preprocess.ts";
import type { Table } from "./table.ts";

const DIRECTORY = resolve(import.meta.dirname, "../../../apps/bench/data/adult");

function share(table: Table): number {
  return table.strings("income").filter((label) => label === ">50K").length / table.rows;
}

describe("loadAdult", () => {
  let adult: Adult;
  beforeAll(async () => {
    adult = await loadAdult(DIRECTORY);
  });

  test("has the official rows and shares, validation cut from train", () => {
    const { train, validation, test: held } = adult;
    expect(train.rows + validation.rows).toBe(32_561);
    expect(validation.rows).toBe(Math.round(0.15 * 7841) + Math.round(0.15 * 24_720));
    expect(held.rows).toBe(16_281);
    expect(Math.round(share(held) * held.rows)).toBe(3846);
    expect(share(train)).toBeCloseTo(7841 / 32_561, 4);
    expect(share(validation)).toBeCloseTo(7841 / 32_561, 4);
    const lines = new Set([...train.origin.numbers, ...validation.origin.numbers]);
    expect(lines.size).toBe(32_561);
  });

  test("knows the missing values and the classes of both files", () => {
    const missing = (name: string) => adult.test.strings(name).filter((text) => text === undefined).length;
    expect([missing("workclass"), missing("occupation"), missing("native-country")]).toEqual([963, 966, 274]);
    expect([...adult.test.text("income").texts].sort()).toEqual(["<=50K", ">50K"]);
    expect(new Set(adult.test.strings("sex"))).toEqual(new Set(["Male", "Female"]));
    expect(new Set(adult.test.strings("race")).size).toBe(5);
  });

  test("finds the 23 test rows that are in adult.data word for word", () => {
    expect(adult.testRowsAlsoInTrain).toHaveLength(23);
    const lines = (name: string) =>
      gunzipSync(readFileSync(join(DIRECTORY, name)))
        .toString()
        .split("\n");
    const known = new Set(lines("adult.data.gz").filter((line) => line !== ""));
    const raw = lines("adult.test.gz")
      .slice(1)
      .map((line) => line.replace(/\.$/, ""));
    expect(adult.testRowsAlsoInTrain).toEqual(raw.flatMap((line, row) => (known.has(line) ? [row] : [])));
  });

  test("has the checksums of the published files", () => {
    expect(adult.checksums).toEqual({
      "adult.data": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
      "adult.test": "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
    });
  });

  test("splits alike for the same seed, and otherwise for another", async () => {
    const again = await loadAdult(DIRECTORY);
    const other = await loadAdult(DIRECTORY, { seed: 1, validation: 0.3 });
    expect(again.validation.origin.numbers).toEqual(adult.validation.origin.numbers);
    expect(other.validation.rows).toBe(Math.round(0.3 * 7841) + Math.round(0.3 * 24_720));
    expect(other.validation.origin.numbers.slice(0, 50)).not.toEqual(adult.validation.origin.numbers.slice(0, 50));
  });

  test("goes through the preprocessor, with and without the weight", async () => {
    const fitted = TablePreprocessor.fit(adult.train, adult.schema, { minimumCount: 5 });
    expect(fitted.numericNames).toHaveLength(6);
    expect(fitted.categoricalNames).toHaveLength(8);
    const data = fitted.transform(adult.test);
    expect(data.numeric.every(Number.isFinite)).toBe(true);
    expect(data.labels?.reduce((sum, label) => sum + label, 0)).toBe(3846);

    const without = await loadAdult(DIRECTORY, { withoutWeight: true });
    expect(without.train.has("fnlwgt")).toBe(false);
    expect(without.testRowsAlsoInTrain).toEqual(adult.testRowsAlsoInTrain);
    expect(TablePreprocessor.fit(without.train, without.schema).numericNames).not.toContain("fnlwgt");
  });

  test("refuses a share that is none", async () => {
    await expect(loadAdult(DIRECTORY, { validation: 1 })).rejects.toThrow(ConfigError);
  });
});

describe("loadAdult on files that are not whole", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "l0gm-adult-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("names the file that is absent, and refuses one that is cut off", async () => {
    await expect(loadAdult(folder)).rejects.toThrow(/adult\.data or adult\.data\.gz, received neither in/);
    const text = gunzipSync(readFileSync(join(DIRECTORY, "adult.data.gz"))).toString();
    writeFileSync(join(folder, "adult.data"), text.split("\n").slice(0, 30_000).join("\n"));
    await expect(loadAdult(folder)).rejects.toThrow(DataError);
    await expect(loadAdult(folder)).rejects.toThrow(/32561 rows .* received 30000 rows/);
  });
});
