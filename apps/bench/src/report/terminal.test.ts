import { expect, it } from "vitest";
import { frontierSummary } from "./summary.ts";
import { syntheticRuns } from "./synthetic-runs.ts";
import { renderTable } from "./terminal.ts";

const summaries = [
  ...frontierSummary(syntheticRuns({ methods: ["dense", "l0gm", "a-comparator-with-a-very-long-name"] })),
  ...frontierSummary(
    syntheticRuns({
      benchmark: "cora",
      standInFor: "ogbn-products",
      seeds: 1,
      dimensions: 1024,
      fractions: [1, 1 / 256],
    }),
  ),
];

it("fits into 100 columns", () => {
  const widths = renderTable(summaries)
    .split("\n")
    .map((line) => line.length);
  expect(Math.max(...widths)).toBeLessThanOrEqual(100);
});

it("shows means, paired differences and the verdict, and names a stand-in", () => {
  const text = renderTable(summaries);
  expect(text).toMatch(/dense +1 \(128\) +85\.\d\d ± 0\.\d\d/);
  expect(text).toMatch(/1\/8 \(16\) +8\d\.\d\d ± 0\.\d\d +[+−]?\d\.\d\d \[/);
  expect(text).toContain("cora (stand-in for ogbn-products): 1024 dimensions, split official");
  expect(text.replace(/\s+/g, " ")).toContain(summaries[0]?.verdict[1] ?? "no verdict");
});

it("gives a comparator no fraction", () => {
  const text = renderTable(frontierSummary(syntheticRuns({ methods: ["dense"], comparators: ["mlp"], seeds: 2 })));
  expect(text).toMatch(/mlp +– +8\d\.\d\d ± \d\.\d\d +[+−]?\d\.\d\d \[/);
});

it("has colour codes only when asked", () => {
  const code = "\u001b";
  expect(renderTable(summaries)).not.toContain(code);
  expect(renderTable(summaries, { color: true })).toContain(code);
});
