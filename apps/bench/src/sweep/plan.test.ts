import { expect, test } from "vitest";
import { planRuns } from "./plan.ts";

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
