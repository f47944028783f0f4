import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { simulateProducts, writeOgb } from "@l0gm/graph";
import { expect, test } from "vitest";
import { describeResult } from "../src/cli/run-summary.ts";
import { groupName, groupRuns } from "../src/report/aggregate.ts";
import { resultSchema } from "../src/result.ts";
import { readResults } from "../src/run/store.ts";
import { l0gm, temporaryFolder, writeInto } from "./command-line.ts";
import { killedAndNot, numbers } from "./killed-run.ts";

/** Settings of a small network; a step a second or less. */
const SMALL = { width: 8, epochs: 12, encoder: { kind: "sage", hidden: 8 } };

/** Two rings of nodes, a class each. */
function graphFolder(folder: string): string {
  const path = join(folder, "rings");
  mkdirSync(path);
  const nodes = Array.from({ length: 60 }, (_, i) => ({ name: `n${i}`, ring: i < 30 ? "left" : "right" }));
  const edges = nodes.map(({ name }, i) => `${name},n${i < 30 ? (i + 1) % 30 : 30 + ((i + 1) % 30)}`);
  const features = nodes.map(({ name, ring }, i) => `${name},${ring === "left" ? 1 : -1},${(i % 7) / 7}`);
  writeInto(path, "edges.csv", `from,to\n${edges.join("\n")}\n`);
  writeInto(path, "features.csv", `node,a,b\n${features.join("\n")}\n`);
  writeInto(path, "labels.csv", `node,class\n${nodes.map(({ name, ring }) => `${name},${ring}`).join("\n")}\n`);
  return path;
}

test("cora, killed during training, resumes and ends with the numbers of a run that was not; it is named a stand-in", {
  timeout: 240_000,
}, async () => {
  const config = writeInto(temporaryFolder(), "config.json", SMALL);
  const { killed, whole, printed } = await killedAndNot("cora", ["--config", config], SMALL.epochs, {
    L0GM_DATA_DIR: "",
  });
  expect(numbers(killed)).toEqual(numbers(whole));
  expect(resultSchema.parse(printed)).toMatchObject({
    benchmark: "cora",
    standInFor: "ogbn-products",
    split: "stratified",
    active: { requested: 0.25, realised: 0.25, count: 2 },
  });
});

test("ogbn-products, killed between sampled batches, resumes alike; simulated data are never named after the real ones", {
  timeout: 240_000,
}, async () => {
  const dataDir = temporaryFolder();
  const { name, graph, split } = await simulateProducts({ scale: 1 / 1024 });
  await writeOgb(join(dataDir, "ogbn_products"), graph, split, "sales_ranking");
  const training = { kind: "sampled", fanOut: [5, 5], workers: 1 };
  const settings = { ...SMALL, batchSize: 32, encoder: { ...SMALL.encoder, layers: 2 }, training };
  const options = ["--config", writeInto(dataDir, "config.json", settings)];
  const environment = { L0GM_DATA_DIR: dataDir };
  const { killed, whole, printed } = await killedAndNot("ogbn-products", options, SMALL.epochs, environment);
  expect(numbers(killed)).toEqual(numbers(whole));
  expect(resultSchema.parse(printed)).toMatchObject({ benchmark: "ogbn-products", data: { name, simulated: true } });
  expect(describeResult(killed)).toMatch(/^ogbn-products \(simulated ogbn-products, scale 0\.00097/);
  expect(killed.warnings).toContain(`The graph is not a real one: ${name}`);
  expect(groupRuns([killed]).map(groupName)).toEqual([`ogbn-products (simulated, ${name})`]);
});

test("a graph of one's own: trained on, compared with comparators, and predicted", { timeout: 240_000 }, async () => {
  const folder = temporaryFolder();
  const data = graphFolder(folder);
  const config = writeInto(folder, "config.json", SMALL);
  const methods = "dense,l0gm,mlp,label-propagation,averaged-features,fan-out-2,drop-edge-0.5,sparsify-0.5";
  const common = ["--data", data, "--config", config, "--out", join(folder, "runs"), "--json"];
  const ended = await l0gm("sweep", "graph", ...common, "--seeds", "1", "--targets", "1/4", "--methods", methods);
  expect(ended.code, ended.stderr).toBe(0);
  const summary = JSON.parse(ended.stdout) as {
    runs: string[];
    benchmarks: Record<"frontier" | "comparators", { method: string }[]>[];
  };
  expect(summary.benchmarks).toHaveLength(1);
  expect(summary.benchmarks[0]?.frontier.map(({ method }) => method)).toEqual(["dense", "l0gm"]);
  expect(summary.benchmarks[0]?.comparators.map(({ method }) => method)).toEqual([
    "averaged-features",
    "drop-edge-0.5",
    "fan-out-2",
    "label-propagation",
    "mlp",
    "sparsify-0.5",
  ]);
  const results = await readResults(join(folder, "runs"));
  const propagated = results.find(({ method }) => method === "label-propagation");
  // Every node of a ring is reached by its ring's labels alone.
  expect(propagated?.metrics.test.accuracy).toBe(1);
  expect(propagated?.cost.parameters.dense).toBe(0);

  const without = summary.runs.find((name) => name.includes("label-propagation"));
  const refused = await l0gm("predict", without ?? "", "--data", data);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/expected a run that kept its model, received label-propagation, without one/);

  const run = summary.runs.find((name) => name.includes("l0gm-0.25"));
  const predicted = await l0gm("predict", run ?? "", "--data", data);
  expect(predicted.code, predicted.stderr).toBe(0);
  const lines = predicted.stdout.trim().split("\n");
  expect(lines[0]).toBe("prediction,P(left),P(right)");
  expect(lines).toHaveLength(61);
});

test.each([
  [["--data", "no-such-folder"], /no-such-folder, which is not there/],
  [[], /--data FOLDER/],
  [["--data", "{graph}", "--split", "other"], /CSV files name none/],
  [
    ["--data", "{graph}", "--label", "class"],
    /--label of graph: expected no --label: its data say what is predicted, received class/,
  ],
  [["--data", "{graph}", "--config", "{config}"], /training\.fanOut: expected 2, one a layer, received \[5,5,5\]/],
] as const)("graph %j is refused with what was expected", { timeout: 60_000 }, async (options, message) => {
  const folder = temporaryFolder();
  const data = graphFolder(folder);
  const config = writeInto(folder, "config.json", { training: { kind: "sampled", fanOut: [5, 5, 5] } });
  const args = options.map((option) => (option === "{graph}" ? data : option === "{config}" ? config : option));
  const ended = await l0gm("run", "graph", ...args, "--out", join(folder, "runs"));
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(message);
});

test("a method that a benchmark does not have is refused with those that it has", { timeout: 60_000 }, async () => {
  const ended = await l0gm("sweep", "cora", "--methods", "dense,drop-edge-2", "--out", temporaryFolder());
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/edges\.drop/);
  const adult = await l0gm("sweep", "adult", "--methods", "mlp", "--out", temporaryFolder());
  expect(adult.code).toBe(2);
  expect(adult.stderr).toMatch(/dense, l0gm, l0gm-path/);
});
