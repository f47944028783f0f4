import { ConfigError, DataError } from "@l0gm/core";
import { expect, test } from "vitest";
import { PROFILES } from "../sweep/profiles.ts";
import { parseConfig, readJson, runConfig } from "./config.ts";
import { taskNamed } from "./registry.ts";

test("an empty config has every default", () => {
  const config = parseConfig(runConfig, {}, "config");
  expect(config).toMatchObject({
    width: 128,
    gate: { noise: "batch", rule: "mean" },
    path: { fractions: [1, 0.5, 0.25, 0.125, 0.0625, 0.03125] },
  });
  expect(parseConfig(runConfig, config, "config")).toEqual(config);
});

test.for([
  [{ gate: { temprature: 1 } }, /gate: .*temprature/],
  [{ epochs: 0 }, /epochs: .*>0/],
  [{ path: { fractions: [1, 2] } }, /path\.fractions\.1/],
  [{ encoder: { kind: "mpl" } }, /encoder\.kind/],
  [[], /expected object/],
] as const)("%j is refused with the path of the setting", ([value, message]) => {
  const parse = (): unknown => parseConfig(taskNamed("adult").config, value, "my.json");
  expect(parse).toThrow(ConfigError);
  expect(parse).toThrow(message);
  expect(parse).toThrow(/my\.json/);
});

test("the settings of every profile are valid", () => {
  for (const { parts } of Object.values(PROFILES)) {
    for (const { benchmark, config } of parts) parseConfig(taskNamed(benchmark).config, config, "profile");
  }
});

test("a file that is not there is named", async () => {
  await expect(readJson("no-such.json")).rejects.toThrow(DataError);
  await expect(readJson("no-such.json")).rejects.toThrow("no-such.json");
});
