import { expect, it } from "vitest";
import { groupRuns } from "./aggregate.ts";
import { PROTOCOLS, STAGES } from "./measures.ts";
import { frontierSummary } from "./summary.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

it("has a point for every method and fraction under both protocols", () => {
  const [summary] = frontierSummary(syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.5, 0.125], seeds: 3 }));
  expect(summary).toMatchObject({ benchmark: "synthetic", split: "official", dimensions: 128 });
  expect(summary?.frontier.map(({ method, active }) => [method, active.count])).toEqual([
    ["dense", 128],
    ["l0gm", 64],
    ["l0gm", 16],
  ]);
  for (const point of summary?.frontier ?? []) {
    for (const protocol of [point.protocols.equalBudget, point.protocols.bestValidation]) {
      expect(protocol.accuracy?.interval?.lower).toBeLessThan(protocol.accuracy?.mean ?? 0);
      expect(protocol.ece?.n).toBe(3);
    }
  }
  expect(summary?.frontier[0]?.protocols.bestValidation.minusDense).toEqual({});
  expect(summary?.verdict.length).toBeGreaterThan(3);
});

it("carries the bootstrap over test rows beside the t interval, before and after temperature scaling", () => {
  const runs = syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.125], seeds: 3 });
  const interval = (lower: number, upper: number) => ({ difference: 0, lower, upper });
  const differences = PROTOCOLS.flatMap((protocol, i) =>
    STAGES.map((stage, j) => ({
      ...{ method: "l0gm", fraction: 0.125, protocol, stage },
      ...{ accuracy: interval(-1, 1), nll: interval(-2, 2), ece: interval(-3 - i, 3 + j) },
    })),
  );
  const missing = ["l0gm at 1/4, seed 2, has no predictions.safetensors"];
  const bootstraps = groupRuns(runs).map(({ key }) => ({ key, samples: 500, differences, missing }));
  const [summary] = frontierSummary(runs, bootstraps);
  expect(summary?.bootstrap).toEqual({ samples: 500, missing });
  const { equalBudget, bestValidation } = summary?.frontier[1]?.protocols ?? {};
  expect(equalBudget?.minusDense.accuracy?.bootstrap).toEqual({ lower: -1, upper: 1 });
  expect(equalBudget?.minusDense.accuracy?.interval?.halfWidth).toBeGreaterThan(0);
  expect(equalBudget?.minusDense.ece?.bootstrap).toEqual({ lower: -3, upper: 3 });
  expect(bestValidation?.temperatureScaled.minusDense.ece?.bootstrap).toEqual({ lower: -4, upper: 4 });
  expect(bestValidation?.temperatureScaled.minusDense.nll?.bootstrap).toEqual({ lower: -2, upper: 2 });
  expect(bestValidation?.ece).not.toHaveProperty("bootstrap");
  expect(frontierSummary(runs)[0]).not.toHaveProperty("bootstrap");
});

it("tells comparators apart from the frontier", () => {
  const options = { methods: ["dense", "l0gm"], fractions: [0.5], seeds: 2 };
  const [summary] = frontierSummary(syntheticRuns({ ...options, comparators: ["mlp"] }));
  expect(summary?.frontier.map(({ method }) => method)).toEqual(["dense", "l0gm"]);
  expect(summary?.comparators?.map(({ method }) => method)).toEqual(["mlp"]);
  expect(summary?.comparators?.[0]?.protocols.bestValidation.minusDense.accuracy?.n).toBe(2);
  expect(frontierSummary(syntheticRuns(options))[0]).not.toHaveProperty("comparators");
});

it("survives JSON unchanged, also with one seed", () => {
  const summary = frontierSummary(
    syntheticRuns({ benchmark: "cora", standInFor: "ogbn-products", simulated: true, seeds: 1 }),
  );
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  expect(summary[0]).toMatchObject({ standInFor: "ogbn-products", simulated: true });
});
