import { expect, it } from "vitest";
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

it("survives JSON unchanged, also with one seed", () => {
  const summary = frontierSummary(
    syntheticRuns({ benchmark: "cora", standInFor: "ogbn-products", simulated: true, seeds: 1 }),
  );
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  expect(summary[0]).toMatchObject({ standInFor: "ogbn-products", simulated: true });
});
