import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, EVALUATION, type LabelledBatch, useBackend } from "@l0gm/core";
import { expect, onTestFinished, test } from "vitest";
import { adult } from "./adult.ts";
import { parseConfig } from "./config.ts";

test("the shipped copy has the official rows, the subset without repeated rows, and groups by sex and race", async () => {
  await useBackend("cpu");
  const config = parseConfig(adult.config, {}, "config");
  const data = await adult.load({ config, source: {}, split: "official", seed: 0 });
  expect([data.train.rows, data.validation.rows, data.test.rows]).toEqual([27_677, 4884, 16_281]);
  expect(data.classes).toEqual(["<=50K", ">50K"]);
  expect(Object.values(data.subsets).map((rows) => rows.length)).toEqual([16_281 - 23]);
  const rowsBy = (column: string): number =>
    data.subgroups.filter((group) => group.column === column).reduce((sum, { rows }) => sum + rows.length, 0);
  expect(data.subgroups).toHaveLength(2 + 5);
  expect([rowsBy("sex"), rowsBy("race")]).toEqual([16_281, 16_281]);
  const encoder = await data.encoder(1);
  const first = data.train.batches(4) as Iterable<LabelledBatch<never>>;
  for (const { inputs } of first) {
    expect(encoder.encode(inputs, EVALUATION).shape).toEqual([4, 128]);
    break;
  }
  encoder.dispose();
});

test("without fnlwgt the results have another name; other bytes have another checksum", async () => {
  const parse = (value: unknown) => parseConfig(adult.config, value, "config");
  const own = await adult.identify({}, parse({}));
  const withoutWeight = await adult.identify({}, parse({ data: { withoutWeight: true } }));
  expect(own).toMatchObject({ name: "adult", checksum: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(withoutWeight).toEqual({ name: "adult without fnlwgt", checksum: own.checksum });

  const folder = mkdtempSync(join(tmpdir(), "l0gm-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "adult"));
  for (const name of ["adult.data", "adult.test"]) writeFileSync(join(folder, "adult", name), "39, State-gov\n");
  const other = await adult.identify({ dataDir: folder }, parse({}));
  expect(other.checksum).not.toBe(own.checksum);
});

test("a file of one's own is refused", async () => {
  const config = parseConfig(adult.config, {}, "config");
  await expect(adult.identify({ file: "my.csv" }, config)).rejects.toThrow(ConfigError);
  await expect(adult.identify({ testFile: "my.csv" }, config)).rejects.toThrow(ConfigError);
});
