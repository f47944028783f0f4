import { describe, expect, it } from "vitest";
import type { RunResult } from "../result.ts";
import { type BenchmarkGroup, type GroupBootstrap, groupRuns } from "./aggregate.ts";
import { PROTOCOLS, STAGES } from "./measures.ts";
import { syntheticRuns } from "./synthetic-runs.ts";
import { headlineCells, headlineNumbers, pathComparison, verdictSentences } from "./verdict.ts";

function groupOf(runs: readonly RunResult[]): BenchmarkGroup {
  const [group] = groupRuns(runs);
  if (group === undefined) throw new Error("no group");
  return group;
}

/** Sets test accuracy and ECE under best validation. */
function set(run: RunResult, accuracy: number, ece: number): RunResult {
  const { bestValidation } = run.protocols;
  const test = { ...bestValidation.test, accuracy, ece };
  return { ...run, protocols: { ...run.protocols, bestValidation: { ...bestValidation, test } } };
}

/** Bootstrap intervals as if resampling had given these, the same under every condition. */
function resampled(runs: readonly RunResult[], fraction: number, missing: readonly string[] = []): GroupBootstrap {
  const interval = (lower: number, upper: number) => ({ difference: 0, lower, upper });
  const measures = { accuracy: interval(-0.006, 0.0046), nll: interval(0.001, 0.002), ece: interval(-0.003, 0.0008) };
  const differences = PROTOCOLS.flatMap((protocol) =>
    STAGES.map((stage) => ({ method: "l0gm", fraction, protocol, stage, ...measures })),
  );
  return { key: groupOf(runs).key, samples: 1000, differences, missing };
}

const accuracies: Record<string, number[]> = { dense: [0.85, 0.853, 0.852], l0gm: [0.849, 0.851, 0.853] };

describe("verdictSentences", () => {
  it("computes the accuracy and calibration sentences", () => {
    const runs = syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.125], seeds: 3 }).map((run) =>
      set(run, accuracies[run.method]?.[run.seed] ?? 0, run.method === "dense" ? 0.01 : 0.008 + 0.0001 * run.seed),
    );
    const text = verdictSentences(groupOf(runs)).join("\n");
    expect(text).toContain(
      "Under best validation, at 16 of 128 dimensions, the accuracy of L0GM differs from dense by −0.07 points [−0.45, +0.31] " +
        "(paired over 3 seeds, 95 % t interval), which includes zero.",
    );
    expect(text).toContain(
      "Under best validation, at 16 of 128 dimensions, ECE is 0.0081 against 0.0100 for dense, lower than dense " +
        "(−0.0019 [−0.0021, −0.0017])",
    );
    expect(text).toContain("Under equal budget");
    expect(text).toContain("on these 16,281 test rows");
    expect(text).toContain("Every run ended with exactly the number of dimensions that was asked for.");
  });

  it("says after how many epochs a path's fractions are, and dense is", () => {
    const runs = syntheticRuns({ methods: ["dense", "l0gm-path"], fractions: [0.5, 0.125], seeds: 2 });
    expect(verdictSentences(groupOf(runs)).join("\n")).toContain("segment, after 8, 16 epochs in all; dense has 30.");
    expect(headlineNumbers(groupOf(runs))[0]?.note).toMatch(/ · after 16 epochs, dense 30$/);
    const separate = runs.filter(({ method }) => method === "dense");
    expect(verdictSentences(groupOf(separate)).join("\n")).not.toContain("epochs in all");
  });

  it("shows the bootstrap over test rows beside the t interval, and says where the two disagree", () => {
    const runs = syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.125], seeds: 3 }).map((run) =>
      set(run, accuracies[run.method]?.[run.seed] ?? 0, run.method === "dense" ? 0.01 : 0.008 + 0.0001 * run.seed),
    );
    const [group] = groupRuns(runs, [resampled(runs, 0.125)]);
    if (group === undefined) throw new Error("no group");
    const text = verdictSentences(group).join("\n");
    expect(text).toContain(
      "differs from dense by −0.07 points [−0.45, +0.31] (paired over 3 seeds, 95 % t interval; " +
        "bootstrap over test rows [−0.60, +0.46]), which includes zero.",
    );
    expect(text).toContain(
      "ECE is 0.0081 against 0.0100 for dense, lower than dense, though the bootstrap includes zero " +
        "(−0.0019 [−0.0021, −0.0017], bootstrap over test rows [−0.0030, +0.0008]); after temperature scaling",
    );
    expect(headlineNumbers(group)[0]?.note).toBe("seeds [−0.45, +0.31] · test rows [−0.60, +0.46]");
  });

  it("has the bootstrap of one seed, which has no t interval", () => {
    const runs = syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.125], seeds: 1 });
    const [group] = groupRuns(runs, [resampled(runs, 0.125)]);
    if (group === undefined) throw new Error("no group");
    expect(verdictSentences(group).join("\n")).toContain(
      "points (one seed, no t interval; bootstrap over test rows [−0.60, +0.46]).",
    );
    expect(headlineNumbers(group)[0]?.note).toBe("one seed · test rows [−0.60, +0.46]");
  });

  it("names runs whose test rows could not be resampled", () => {
    const runs = syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.125], seeds: 5 });
    const missing = runs.slice(0, 4).map(({ seed }) => `dense, seed ${seed}, has no predictions.safetensors`);
    const [group] = groupRuns(runs, [{ ...resampled(runs, 0.125, missing), differences: [] }]);
    if (group === undefined) throw new Error("no group");
    const sentences = verdictSentences(group);
    expect(sentences.at(-1)).toBe(
      "Where one of these runs takes part, the bootstrap over test rows is missing: " +
        `${missing.slice(0, 3).join("; ")}; and 1 run more.`,
    );
    expect(sentences.slice(0, -1).join(" ")).not.toContain("bootstrap");
  });

  it("says which comparators L0GM is ahead of, behind, and not told apart from", () => {
    const by: Record<string, number[]> = {
      ...accuracies,
      weak: [0.8, 0.802, 0.801],
      alike: [0.85, 0.85, 0.853],
      strong: [0.9, 0.901, 0.902],
    };
    const runs = syntheticRuns({
      methods: ["dense", "l0gm"],
      comparators: ["weak", "alike", "strong"],
      fractions: [0.125],
      seeds: 3,
    }).map((run) => set(run, by[run.method]?.[run.seed] ?? 0, 0.01));
    expect(verdictSentences(groupOf(runs))).toContain(
      "With the same epochs and batches, L0GM at 16 of 128 dimensions is ahead of weak (+5.00 [+4.57, +5.43]); not told apart " +
        "from alike (0.00 [−0.25, +0.25]); behind strong (−5.00 [−5.25, −4.75]): points of accuracy, paired by seed.",
    );
    const one = verdictSentences(groupOf(runs.filter(({ seed }) => seed === 0))).join(" ");
    expect(one).toContain(
      "L0GM at 16 of 128 dimensions is compared, without an interval, with alike (−0.10), strong (−5.10), weak (+4.90)",
    );
  });

  it("says of how many epochs a path is beside comparators, which have others", () => {
    const runs = syntheticRuns({
      methods: ["dense", "l0gm-path"],
      comparators: ["weak"],
      fractions: [0.5, 0.125],
      seeds: 1,
    }).map((run) => set(run, run.method === "weak" ? 0.8 : 0.85, 0.01));
    expect(verdictSentences(groupOf(runs))).toContain(
      "After 16 epochs in all, where comparators have 30, L0GM’s path at 16 of 128 dimensions is compared, without an interval, " +
        "with weak (+5.00): points of accuracy, paired by seed.",
    );
  });

  it("says that one seed has no interval", () => {
    const text = verdictSentences(groupOf(syntheticRuns({ seeds: 1 }))).join("\n");
    expect(text).toContain("(one seed, no interval)");
    expect(text).not.toMatch(/NaN|Infinity|∞/);
  });

  it("says that there is no dense run", () => {
    const text = verdictSentences(groupOf(syntheticRuns({ methods: ["l0gm"], seeds: 2 }))).join("\n");
    expect(text).toContain("There is no dense run here, so no difference to dense can be given.");
    expect(text).not.toContain("differs from dense");
  });

  it("never reports a stand-in under the name it stands in for", () => {
    const [first] = verdictSentences(groupOf(syntheticRuns({ benchmark: "cora", standInFor: "ogbn-products" })));
    expect(first).toBe(
      "These are results on cora (stand-in for ogbn-products); they are not results on ogbn-products.",
    );
  });

  it("says how many runs a later one replaces", () => {
    const [first, ...rest] = syntheticRuns({ methods: ["l0gm"], fractions: [0.125], seeds: 2 });
    if (first === undefined) throw new Error("no run");
    expect(verdictSentences(groupOf([first, ...rest])).join(" ")).not.toContain("left out");
    expect(verdictSentences(groupOf([first, first, ...rest])).at(-1)).toBe(
      "1 run is left out: a later run, with other settings or other code, has its method, fraction and seed.",
    );
  });

  it("says when a requested fraction was missed", () => {
    const runs = syntheticRuns({ methods: ["l0gm"], fractions: [0.125], seeds: 2 });
    const missed = runs.map((run, i) => (i === 0 ? { ...run, active: { ...run.active, count: 17 } } : run));
    expect(verdictSentences(groupOf(missed)).at(-1)).toBe(
      "1 run did not end with the number of dimensions that was asked for.",
    );
  });
});

describe("headlineCells", () => {
  it("picks the fraction nearest to an eighth, and the sparsest", () => {
    const cells = headlineCells(groupOf(syntheticRuns({ seeds: 1, fractions: [1, 0.15, 0.05, 0.02] })));
    expect(cells?.headline.fraction).toBe(0.15);
    expect(cells?.sparsest?.fraction).toBe(0.02);
  });

  it("speaks of the path where separate runs have fewer fractions", () => {
    const path = syntheticRuns({ methods: ["l0gm-path"], fractions: [0.5, 0.125], seeds: 1 });
    const cells = headlineCells(
      groupOf([...path, ...syntheticRuns({ methods: ["l0gm"], fractions: [0.5], seeds: 1 })]),
    );
    expect(cells?.headline).toMatchObject({ method: "l0gm-path", fraction: 0.125 });
  });

  it("speaks of separate runs where they have more seeds than the path", () => {
    const path = syntheticRuns({ methods: ["l0gm-path"], fractions: [0.5, 0.125], seeds: 2 });
    const cells = headlineCells(
      groupOf([...path, ...syntheticRuns({ methods: ["l0gm"], fractions: [0.25], seeds: 3 })]),
    );
    expect(cells?.headline).toMatchObject({ method: "l0gm", fraction: 0.25 });
  });

  it("has nothing to pick where only dense ran", () => {
    const dense = groupOf(syntheticRuns({ methods: ["dense"] }));
    expect(headlineCells(dense)).toBeUndefined();
    expect(headlineNumbers(dense)).toEqual([]);
    expect(verdictSentences(dense)).toHaveLength(1);
  });
});

describe("pathComparison", () => {
  it("compares no times where separate runs lack a fraction of the path", () => {
    const path = syntheticRuns({ methods: ["l0gm-path"], fractions: [0.5, 0.25], seeds: 2 });
    const group = groupOf([...path, ...syntheticRuns({ methods: ["l0gm"], fractions: [0.25], seeds: 2 })]);
    expect(pathComparison(group)).toMatchObject({ fractions: 1 });
    expect(pathComparison(group)?.seconds).toBeUndefined();
    expect(verdictSentences(group).join(" ")).not.toContain("of their time");
  });

  it("compares at shared fractions and adds up the time of each", () => {
    const runs = syntheticRuns({ methods: ["l0gm", "l0gm-path"], fractions: [0.5, 0.25], seeds: 2 }).map((run) => ({
      ...set(run, run.method === "l0gm" ? 0.85 : run.active.requested === 0.25 ? 0.847 : 0.851, 0.01),
      timing: { ...run.timing, seconds: run.method === "l0gm" ? 20 : 5 },
    }));
    const comparison = pathComparison(groupOf(runs));
    expect(comparison?.largest.mean).toBeCloseTo(-0.003, 12);
    expect(comparison?.at.fraction).toBe(0.25);
    expect(comparison).toMatchObject({ fractions: 2, seconds: { path: 10, separate: 40 } });
  });
});
