import { describe, expect, it } from "vitest";
import type { RunResult } from "../result.ts";
import {
  allCells,
  cellEstimate,
  cellNoiseFloor,
  differenceToDense,
  estimate,
  groupName,
  groupRuns,
  hypervolumes,
  noiseFloor,
  seriesSeconds,
} from "./aggregate.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

/** A run whose best-validation test accuracy is known. */
function withAccuracy(run: RunResult, accuracy: number): RunResult {
  const { bestValidation, equalBudget } = run.protocols;
  const test = { ...bestValidation.test, accuracy };
  return { ...run, protocols: { equalBudget, bestValidation: { ...bestValidation, test } } };
}

function onlyGroup(runs: readonly RunResult[]): ReturnType<typeof groupRuns>[number] {
  const groups = groupRuns(runs);
  const [group] = groups;
  if (group === undefined || groups.length > 1) throw new Error(`expected one group, got ${groups.length}`);
  return group;
}

const small = { methods: ["dense", "l0gm"], fractions: [0.125], seeds: 3 };
const accuracies: Record<string, number[]> = { dense: [0.85, 0.853, 0.852], l0gm: [0.849, 0.851, 0.853] };
const known = syntheticRuns(small).map((run) => withAccuracy(run, accuracies[run.method]?.[run.seed] ?? Number.NaN));

describe("estimate", () => {
  it("gives Student's t interval over several values", () => {
    // t(0.975, 2) = 4.302653, standard deviation 1, so 4.302653 / sqrt(3).
    const result = estimate([1, 2, 3]);
    expect(result?.mean).toBe(2);
    expect(result?.interval?.halfWidth).toBeCloseTo(2.484138, 5);
  });

  it("has no interval for one value and nothing for none", () => {
    expect(estimate([0.5])).toEqual({ mean: 0.5, n: 1 });
    expect(estimate([undefined, Number.NaN])).toBeUndefined();
  });

  it("leaves out what is missing or not finite and says how many remain", () => {
    expect(estimate([1, undefined, 3, Number.POSITIVE_INFINITY])).toMatchObject({ mean: 2, n: 2 });
  });
});

describe("groupRuns", () => {
  it("puts the seeds of one penalty into one cell, whatever fraction each of them realised", () => {
    const [a, b, c] = syntheticRuns({ methods: ["l0gm"], fractions: [0.5], seeds: 3 }).map(
      ({ active: { requested: _, ...active }, ...run }, i) => ({
        ...run,
        method: "l0gm-penalty",
        lambda: i < 2 ? 0.1 : 0.2,
        active: { ...active, realised: [0.5, 0.25, 0.375][i] ?? 0 },
      }),
    );
    const group = onlyGroup([a, b, c].filter((run) => run !== undefined));
    expect(group.series[0]?.cells.map(({ lambda, fraction, runs }) => [lambda, fraction, runs.length])).toEqual([
      [0.1, 0.375, 2],
      [0.2, 0.375, 1],
    ]);
  });

  it("sorts methods and fractions, densest first", () => {
    const group = onlyGroup(
      syntheticRuns({ methods: ["random-mask", "l0gm-path", "dense", "l0gm"], fractions: [0.25, 1, 0.5], seeds: 2 }),
    );
    expect(group.dense?.runs).toHaveLength(2);
    expect(group.series.map((series) => series.method)).toEqual(["l0gm", "l0gm-path", "random-mask"]);
    expect(group.series[0]?.cells.map((cell) => cell.fraction)).toEqual([1, 0.5, 0.25]);
    expect(group.seeds).toEqual([0, 1]);
  });

  it("keeps what has no fraction out of the frontier", () => {
    const group = onlyGroup(syntheticRuns({ methods: ["dense", "l0gm"], comparators: ["mlp", "fewer"], seeds: 2 }));
    expect(group.series.map((series) => series.method)).toEqual(["l0gm"]);
    expect(group.comparators.map(({ method, runs }) => [method, runs.length])).toEqual([
      ["fewer", 2],
      ["mlp", 2],
    ]);
    expect(hypervolumes(group).map(({ method }) => method)).toEqual(["l0gm"]);
    expect(allCells(group).map(({ method }) => method)).toEqual(["dense", ...Array(6).fill("l0gm"), "fewer", "mlp"]);
  });

  it("never mixes benchmarks, data or widths", () => {
    const [first] = syntheticRuns({ seeds: 1 });
    if (first === undefined) throw new Error("no synthetic run");
    const other = { ...first, data: { ...first.data, checksum: "sha256:other" } };
    expect(groupRuns([first, other, { ...first, dimensions: 64 }, { ...first, split: "other" }])).toHaveLength(4);
  });

  it("lets a repeated run replace its predecessor", () => {
    const group = onlyGroup([...known, ...known.map((run) => withAccuracy(run, 0.9))]);
    expect(allCells(group).map((cell) => cell.runs.length)).toEqual([3, 3]);
    expect(cellEstimate(allCells(group)[0] ?? failing(), "accuracy")?.mean).toBeCloseTo(0.9, 12);
  });

  it("groups runs without a requested fraction by the realised one", () => {
    const runs = syntheticRuns(small).map((run) =>
      run.method === "dense"
        ? run
        : { ...run, active: { expected: 0.2, realised: (10 + run.seed) / 128, count: 10 + run.seed } },
    );
    expect(onlyGroup(runs).series[0]?.cells.map((cell) => cell.count)).toEqual([12, 11, 10]);
  });

  it("names data that are not the benchmark's own", () => {
    const runs = syntheticRuns({ seeds: 1 });
    const variant = runs.map((run) => ({ ...run, data: { ...run.data, name: "synthetic without a column" } }));
    expect(groupRuns([...runs, ...variant]).map(groupName)).toEqual([
      "synthetic",
      "synthetic (synthetic without a column)",
    ]);
  });

  it("names a stand-in and simulated rows as such", () => {
    const group = onlyGroup(
      syntheticRuns({ benchmark: "cora", standInFor: "ogbn-products", simulated: true, seeds: 1 }),
    );
    expect(groupName(group)).toBe("cora (stand-in for ogbn-products, simulated)");
  });
});

function failing(): never {
  throw new Error("no cell");
}

describe("differenceToDense", () => {
  it("pairs by seed and subtracts dense", () => {
    const group = onlyGroup(known);
    const cell = group.series[0]?.cells[0] ?? failing();
    const difference = differenceToDense(group, cell, "accuracy");
    // Differences -0.001, -0.002, +0.001.
    expect(difference?.mean).toBeCloseTo(-0.002 / 3, 12);
    expect(difference?.n).toBe(3);
    expect(difference?.interval?.halfWidth).toBeCloseTo(0.0037946, 6);
  });

  it("uses the seeds that both have", () => {
    const group = onlyGroup(known.filter((run) => run.method === "l0gm" || run.seed === 1));
    const cell = group.series[0]?.cells[0] ?? failing();
    const difference = differenceToDense(group, cell, "accuracy");
    expect(difference).toEqual({ mean: expect.closeTo(-0.002, 12), n: 1 });
  });

  it("is absent without dense", () => {
    const group = onlyGroup(known.filter((run) => run.method === "l0gm"));
    expect(differenceToDense(group, group.series[0]?.cells[0] ?? failing(), "accuracy")).toBeUndefined();
  });
});

describe("noiseFloor", () => {
  it("is the mean gap of right confidences, as simulated", () => {
    // One bin of 400 rows at confidence 0.8: E|gap| = sqrt(2 / pi * 0.16 / 400).
    const floor = noiseFloor([{ count: 400, confidence: 0.8 }]);
    expect(floor?.mean).toBeCloseTo(0.0159577, 6);
    expect(floor?.standardDeviation).toBeCloseTo(0.0120562, 6);
  });

  it("is absent without rows", () => {
    expect(noiseFloor([{ count: 0, confidence: 0 }])).toBeUndefined();
    expect(cellNoiseFloor(onlyGroup(known).dense ?? failing())?.mean).toBeGreaterThan(0.003);
  });
});

describe("hypervolumes", () => {
  it("measures from the lowest accuracy at the whole representation", () => {
    // Reference (1, 0.849): one point a seed at 0.125 with value v covers 0.875 * (v - 0.849).
    const [entry] = hypervolumes(onlyGroup(known));
    expect(entry?.method).toBe("l0gm");
    expect(entry?.volume.mean).toBeCloseTo((0.875 * (0 + 0.002 + 0.004)) / 3, 12);
  });
});

describe("seriesSeconds", () => {
  it("adds up the fractions of each seed and leaves out incomplete seeds", () => {
    const runs = syntheticRuns({ methods: ["l0gm"], fractions: [0.5, 0.25], seeds: 2 }).map((run) => ({
      ...run,
      timing: { ...run.timing, seconds: 10 },
    }));
    const group = onlyGroup(runs.filter((run) => run.seed === 0 || run.active.requested === 0.5));
    expect(seriesSeconds(group.series[0] ?? failing(), group.seeds)).toEqual({ mean: 20, n: 1 });
  });
});
