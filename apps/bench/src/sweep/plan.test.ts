import { expect, test } from "vitest";
import { parseConfig } from "../tasks/config.ts";
import { TASKS } from "../tasks/registry.ts";
import { checkSegments, planRuns } from "./plan.ts";

test("what a request names twice is planned once", async () => {
  const runs = await planRuns(
    [
      {
        benchmark: "adult",
        methods: [{ kind: "dense" }, { kind: "target", fraction: 0.5 }, { kind: "target", fraction: 1 / 2 }],
        seeds: [0, 1],
        config: {},
        configName: "config",
        source: {},
      },
      { benchmark: "adult", methods: [{ kind: "dense" }], seeds: [0], config: {}, configName: "config", source: {} },
    ],
    "out",
  );
  expect(runs.map(({ method, seed }) => [method.kind, seed])).toEqual([
    ["dense", 0],
    ["target", 0],
    ["dense", 1],
    ["target", 1],
  ]);
});

test("too few epochs for the fractions are refused before anything is trained; every task's defaults have enough", () => {
  for (const { config } of TASKS) {
    const settings = parseConfig(config, {}, "defaults");
    for (const method of [{ kind: "path" }, { kind: "target", fraction: 0.5 }, { kind: "dense" }] as const) {
      expect(() => checkSegments(method, settings)).not.toThrow();
    }
    const short = { ...settings, path: { ...settings.path, epochs: 11 } };
    expect(() => checkSegments({ kind: "path" }, short)).toThrow("path.epochs: expected at least 12");
  }
});

test("a path's epochs are not left out unawares where others are given", async () => {
  const plan = (config: unknown, kind: "dense" | "path") =>
    planRuns(
      [{ benchmark: "adult", methods: [{ kind }], seeds: [0], config, configName: "my.json", source: {} }],
      "out",
    );
  await expect(plan({ epochs: 6 }, "path")).rejects.toThrow(
    /my\.json: expected path\.epochs beside epochs.*epochs 6 alone/,
  );
  for (const config of [{ epochs: 6, path: { epochs: 12 } }, { path: { epochs: 12 } }, {}]) {
    expect(await plan(config, "path")).toHaveLength(1);
  }
  expect(await plan({ epochs: 6 }, "dense")).toHaveLength(1);
});
