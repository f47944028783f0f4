import { expect, test } from "vitest";
import { parseConfig } from "../tasks/config.ts";
import { taskNamed } from "../tasks/registry.ts";
import { type Method, planRun, type RunSpec, runLabel } from "./spec.ts";

const spec: RunSpec = {
  benchmark: "adult",
  method: { kind: "target", fraction: 0.125 },
  seed: 3,
  split: "official",
  config: parseConfig(taskNamed("adult").config, {}, "config"),
  source: { dataDir: "/somewhere" },
};
const data = { name: "adult", checksum: "c0ffee" };

test("a run's folder says what it is", () => {
  expect(planRun(spec, data, "code", "out").folder).toMatch(/^out\/adult\/l0gm-0\.125-seed3-[0-9a-f]{8}$/);
  const label = (method: Method): string => runLabel({ method, seed: 0 });
  expect(label({ kind: "dense" })).toBe("dense-seed0");
  expect(label({ kind: "path" })).toBe("l0gm-path-seed0");
  expect(label({ kind: "penalty", lambda: 0.5 })).toBe("l0gm-penalty-0.5-seed0");
});

test("whatever decides the numbers changes the key; where the data lie does not", () => {
  const key = (changes: Partial<RunSpec>, checksum = data.checksum, code = "code"): string =>
    planRun({ ...spec, ...changes }, { ...data, checksum }, code, "out").key;
  const keys = [
    key({}),
    key({ seed: 4 }),
    key({ method: { kind: "dense" } }),
    key({ split: "other" }),
    key({ config: { ...spec.config, epochs: 7 } }),
    key({}, "other data"),
    key({}, data.checksum, "other code"),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(key({ source: {} })).toBe(keys[0]);
});

test("a sweep over more fractions keeps the runs that it shares with a smaller one", () => {
  const key = (kind: "dense" | "path", fractions: number[]): string => {
    const config = { ...spec.config, path: { ...spec.config.path, fractions } };
    return planRun({ ...spec, method: { kind }, config }, data, "code", "out").key;
  };
  expect(key("dense", [1, 0.5, 0.25])).toBe(key("dense", [1, 0.5]));
  expect(key("path", [1, 0.5, 0.25])).not.toBe(key("path", [1, 0.5]));
});
