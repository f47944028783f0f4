import { describe, expect, it } from "vitest";
import { groupRuns } from "./aggregate.ts";
import { historyRuns, mergedTrace, openProbabilityChart } from "./gate-figures.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

const runs = syntheticRuns({ methods: ["l0gm", "l0gm-path"], fractions: [0.5, 0.25], seeds: 2, dimensions: 16 });
const [group] = groupRuns(runs);
const [separate, path] = group?.series ?? [];
const cell = path?.cells[1];
const separateCell = separate?.cells[1];
if (separate === undefined || path === undefined || cell === undefined || separateCell === undefined) {
  throw new Error("no series");
}

describe("mergedTrace", () => {
  it("joins the segments of a path in order of epochs", () => {
    const trace = mergedTrace(historyRuns(path, cell, 1));
    expect(trace.map((entry) => entry.epoch)).toEqual(Array.from({ length: 16 }, (_, epoch) => epoch));
    expect(mergedTrace(historyRuns(separate, separateCell, 1))).toHaveLength(30);
  });

  it("takes each epoch once and prefers one under pressure", () => {
    const [first] = runs;
    const entry = first?.trace[0];
    if (first === undefined || entry === undefined) throw new Error("no trace");
    const frozen = { ...first, trace: [{ ...entry, phase: "consolidation" as const }] };
    const learning = { ...first, trace: [{ ...entry, phase: "gates" as const }] };
    expect(mergedTrace([frozen, learning, frozen]).map(({ phase }) => phase)).toEqual(["gates"]);
  });
});

describe("openProbabilityChart", () => {
  it("joins epochs on one level into one rectangle", () => {
    const [entry] = runs[0]?.trace ?? [];
    if (entry === undefined) throw new Error("no trace");
    const trace = [0, 1, 2].map((epoch) => ({ ...entry, epoch, openProbabilities: [1, epoch === 2 ? 0 : 0.5] }));
    const svg = openProbabilityChart("title", trace, "#000");
    expect(svg?.querySelectorAll("g[aria-label=rect] rect")).toHaveLength(2);
    expect(svg?.getAttribute("aria-label")).toBe("title");
  });

  it("is absent where no epoch recorded probabilities", () => {
    expect(openProbabilityChart("title", [], "#000")).toBeUndefined();
  });
});
