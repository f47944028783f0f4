import { expect, it } from "vitest";
import type { RunResult } from "../result.ts";
import { groupRuns } from "./aggregate.ts";
import { pooledReliability } from "./reliability-figure.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

it("adds up counts over seeds and weights confidence and accuracy by them", () => {
  const bins = [
    [{ lower: 0.8, upper: 1, count: 30, confidence: 0.9, accuracy: 0.8 }],
    [
      { lower: 0.6, upper: 0.8, count: 0, confidence: 0, accuracy: 0 },
      { lower: 0.8, upper: 1, count: 10, confidence: 0.86, accuracy: 1 },
    ],
  ];
  const runs = syntheticRuns({ methods: ["dense"], seeds: 2 }).map((run): RunResult => {
    const { bestValidation } = run.protocols;
    const test = { ...bestValidation.test, reliability: bins[run.seed] ?? [] };
    return { ...run, protocols: { ...run.protocols, bestValidation: { ...bestValidation, test } } };
  });
  const dense = groupRuns(runs)[0]?.dense;
  if (dense === undefined) throw new Error("no dense cell");
  const pooled = pooledReliability(dense, "raw");
  expect(pooled).toHaveLength(1);
  expect(pooled[0]).toMatchObject({
    count: 40,
    confidence: expect.closeTo(0.89, 12),
    accuracy: expect.closeTo(0.85, 12),
  });
});
