import { expect, test } from "vitest";
import { fillSection } from "./page.ts";
import { type Entry, growth, MOST_BYTES, scaleText } from "./scale-report.ts";
import { STEPS, type Step } from "./scale-steps.ts";

const entry = (step: Step, scale: number, more: Partial<Entry> = {}): Entry => ({
  step,
  scale,
  seconds: 200 * scale,
  processorSeconds: 100 * scale,
  edges: 1e9 * scale,
  peakBytes: 2 ** 33 * scale,
  others: 0.25,
  details: step === "write" ? { name: "simulated graph", nodes: 1000 } : {},
  date: "2026-11-26T00:00:00.000Z",
  machine: { processor: "one", cores: 2, memoryBytes: 2 ** 34, system: "Linux", node: "v20" },
  ...more,
});

test("growth is 1 where twice the size takes twice the processor's time, and 2 where it takes four times", () => {
  const times = (scale: number, processorSeconds: number) => ({ scale, processorSeconds });
  expect(growth(times(1 / 4, 10), times(1 / 2, 20))).toBeCloseTo(1, 12);
  expect(growth(times(1 / 16, 10), times(1 / 4, 160))).toBeCloseTo(2, 12);
});

test("the table has a row a step and size, with rates, memory and growth, and says whether the goal is met", () => {
  const entries = [1 / 4, 1].flatMap((scale) => STEPS.map((step) => entry(step, scale)));
  const text = scaleText(entries);
  const rows = text.split("\n").filter((line) => line.startsWith("| 1"));
  expect(rows).toHaveLength(10);
  expect(rows[2]).toBe("| 1/4 | load the cache | 50.0 | 25 % | 25.0 | 5.00 | 2.00 |  |");
  expect(rows[7]).toBe("| 1 | load the cache | 200 | 25 % | 100 | 5.00 | 8.00 | 1.00 |");
  expect(text).toContain("simulated graph");
  expect(text).toContain("Met, with 8.00 GiB");
  expect(scaleText([entry("infer", 1, { peakBytes: MOST_BYTES })])).toContain("Missed, with 14.00 GiB");
  expect(scaleText([entry("infer", 1 / 4)])).not.toContain("Goal");
});

test("a section of a page is written anew between its marks, and a page without them is refused", () => {
  const page = "a\n<!-- scale -->\nold\n<!-- /scale -->\nb\n";
  expect(fillSection(page, "scale", "new\n", "page.md")).toBe("a\n<!-- scale -->\n\nnew\n\n<!-- /scale -->\nb\n");
  expect(() => fillSection("a\n", "scale", "new", "page.md")).toThrow(/page\.md has no lines <!-- scale -->/);
});
