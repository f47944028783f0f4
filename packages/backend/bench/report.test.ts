import { expect, test } from "vitest";
import { CASES } from "./cases.ts";
import { goalsOf } from "./goals.ts";
import { fillPage, type Run, tablesOf } from "./report.ts";
import { caseResult } from "./result.ts";
import type { CaseTimes } from "./rounds.ts";

const THREADS = [1, 2];

function find(name: string): (typeof CASES)[number] {
  const found = CASES.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no case ${name}`);
  return found;
}

/** Three rounds in which every step takes that long. */
function times(each: Readonly<Record<string, number>>, rest: Partial<CaseTimes> = {}): CaseTimes {
  const all = Object.entries(each).map(([id, ms]) => [id, [[ms], [ms], [ms]]] as const);
  return { checks: new Map(), failures: new Map(), times: new Map(all), ...rest };
}

const product = caseResult(
  find("1024x256x256 NN"),
  // 0.134 GFLOP: 33.6 GFLOP/s, and 44.7 on two threads.
  times({ stock: 8, "ours-1": 4, "ours-2": 3, "torch-1": 1.5, "tfjs-node": 2.9 }),
  THREADS,
);
const mlp = caseResult(find("mlp"), times({ stock: 240, "ours-1": 12, "torch-1": 10, "ours-2": 8 }), THREADS);
const graphs = caseResult(
  find("graphs"),
  times({ filled: 7000, "ours-1": 1000, "torch-1": 900 }, { failures: new Map([["stock", "no kernel"]]) }),
  THREADS,
);
const refused = caseResult(find("trees"), { ...times({}), refused: "the first value differs" }, THREADS);
const cases = [product, mlp, graphs, refused];

const run: Run = {
  format: 1,
  date: "2026-01-02T03:04:05.678Z",
  command: "pnpm bench:backend",
  machine: { processor: "a processor", cores: 2, memoryGiB: 8, system: "Linux", node: "22.0.0", busy: [0.01, 0.2] },
  options: { rounds: 3, seconds: 0.3, seed: 1, threads: THREADS, environment: {} },
  implementations: [
    { id: "stock", title: "stock wasm", runs: "stock kernels", versions: { node: "22.0.0" } },
    { id: "filled", title: "stock wasm, filled", runs: "filled", versions: {} },
    { id: "tfjs-node", title: "tfjs-node", absent: "not installed" },
    { id: "torch-1", title: "PyTorch ×1", runs: "PyTorch", versions: { torch: "2.15.0" } },
    { id: "ours-1", title: "ours ×1", runs: "kernels", versions: {} },
    { id: "ours-2", title: "ours ×2", runs: "kernels", versions: {} },
  ],
  cases,
  goals: goalsOf(cases, THREADS),
};

test("products know their work, and large ones are the four that the goals speak of", () => {
  expect(find("1024x256x256 NN").work).toBeCloseTo(2 * 1.024 * 0.256 * 0.256, 10);
  expect(find("256x1024x256 TN").work).toBeCloseTo(2 * 1.024 * 0.256 * 0.256, 10);
  expect(find("1024x256x256 NT").work).toBeCloseTo(2 * 1.024 * 0.256 * 0.256, 10);
  expect(find("64 of 128x64x128").work).toBeCloseTo(2 * 0.064 * 0.128 * 0.064 * 128, 10);
  expect(CASES.filter(({ large }) => large)).toHaveLength(4);
});

test("every goal is met, missed, or says why it was not measured", () => {
  const lines = run.goals.map(({ goal, measured, met }) => `${goal} | ${measured} | ${met}`);
  expect(lines).toEqual([
    "1024x256x256 NN: at least 32 GFLOP/s on one thread | 33.6 (PyTorch 89) | true",
    "1024x256x256 NN: at least 48 GFLOP/s on 2 threads | 44.7 | false",
    "mlp: at most 1.3 times as long as PyTorch on one thread | 1.20 | true",
    "mlp: at least 15 times as fast as stock on one thread | 20.0 | true",
    "graphs: at most 1.0 times as long as PyTorch on one thread | 1.11 | false",
    "graphs: at least 15 times as fast as stock on one thread | 7.0 (stock, filled; as it comes it fails: no kernel) | false",
    "trees: at most 1.5 times as long as PyTorch on one thread | not measured: the first value differs | undefined",
    "trees: at least 15 times as fast as stock on one thread | not measured: the first value differs | undefined",
    "1024x256x256 NN: ahead of tfjs-node, 2 threads | tfjs-node takes 0.97 times as long | false",
    "mlp: ahead of tfjs-node, 2 threads | not measured: tfjs-node not in the run | undefined",
    "graphs: ahead of tfjs-node, 2 threads | not measured: ours-2, tfjs-node not in the run | undefined",
    "trees: ahead of tfjs-node, 2 threads | not measured: the first value differs | undefined",
  ]);
});

test("tables show failures and refusals in the place of figures", () => {
  const [products, steps, ratios] = tablesOf(run);
  expect(products?.rows).toEqual([
    [
      "1024x256x256 NN",
      "16.8 [16.8, 16.8], best 16.8",
      "",
      "89.5 [89.5, 89.5], best 89.5",
      "33.6 [33.6, 33.6], best 33.6",
      "44.7 [44.7, 44.7], best 44.7",
    ],
  ]);
  expect(steps?.rows.map((row) => row[1])).toEqual(["240 [240, 240], best 240", "fails", "refused"]);
  expect(ratios?.rows.map((row) => row[2])).toEqual([
    "2.00 [2.00, 2.00]",
    "20.0 [20.0, 20.0]",
    "7.00 [7.00, 7.00] (filled)",
    "",
  ]);
});

test("a page keeps its text, and one without marks is an error", () => {
  const page = "# Title\n<!-- backend-benchmark-node-22:start -->\nold\n<!-- backend-benchmark-node-22:end -->\nrest\n";
  const filled = fillPage(page, run, "page.md");
  expect(filled).toMatch(/^# Title\n<!-- backend-benchmark-node-22:start -->\n\*\*Products/);
  expect(filled).toMatch(/Made by `pnpm bench:backend`\.\n<!-- backend-benchmark-node-22:end -->\nrest\n$/);
  expect(filled).not.toContain("old");
  expect(filled).toContain("tfjs-node: not measured; not installed.");
  expect(filled).toContain("graphs: stock wasm fails: no kernel.");
  expect(fillPage(filled, run, "page.md")).toBe(filled);
  expect(() => fillPage(page.replaceAll("22", "20"), run, "page.md")).toThrow(/page\.md has no lines .*node-22/);
});
