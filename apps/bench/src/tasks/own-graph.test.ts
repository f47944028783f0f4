import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError } from "@l0gm/core";
import { loadGraphCsv, type NodeSplit, readOgbSplits, writeOgb } from "@l0gm/graph";
import { afterAll, expect, test } from "vitest";
import { newGraph, ownGraph } from "./own-graph.ts";

const root = mkdtempSync(join(tmpdir(), "l0gm-own-graph-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Three CSV files of a ring of nodes, with a label each. */
function ring(name: string, labels: readonly string[]): string {
  const folder = join(root, name);
  mkdirSync(folder);
  const write = (file: string, header: string, line: (node: number) => string): void =>
    writeFileSync(join(folder, file), [header, ...labels.map((_, node) => line(node))].join("\n"));
  write("edges.csv", "from,to", (node) => `n${node},n${(node + 1) % labels.length}`);
  write("features.csv", "node,x", (node) => `n${node},${node}`);
  write("labels.csv", "node,class", (node) => `n${node},${labels[node]}`);
  return folder;
}

function load(folder: string): Promise<unknown> {
  return ownGraph.load({ config: ownGraph.config.parse({}), source: { file: folder }, split: "own", seed: 0 });
}

test.each([
  ["one class", Array<string>(20).fill("a"), /one class: expected at least two classes, received a/],
  ["too few nodes", ["a", "b", "a"], /nodes that test, received 3, 0, 0/],
] as const)("training refuses %s", async (name, labels, message) => {
  const folder = ring(name, labels);
  await expect(load(folder)).rejects.toThrow(DataError);
  await expect(load(folder)).rejects.toThrow(message);
});

test("predictions need neither labels that differ nor a split that is named", async () => {
  const artefact = async (): Promise<unknown> => ({ columns: 1, classes: ["a", "b"] });
  const config = ownGraph.config.parse({ features: "none" });
  const unlabelled = ring("unlabelled", ["?", "?", "?"]);
  const { rows, classes } = await newGraph(unlabelled, config, artefact);
  expect([rows.rows, classes]).toEqual([3, ["a", "b"]]);
  const renamed = async (): Promise<unknown> => ({ columns: 1, featureNames: ["y"], classes: ["a", "b"] });
  await expect(newGraph(unlabelled, config, renamed)).rejects.toThrow(/y as number 1, received x/);

  const [edges, features, labels] = ["edges", "features", "labels"].map((file) => join(unlabelled, `${file}.csv`));
  const { graph } = await loadGraphCsv({ edges: edges ?? "", features: features ?? "", labels: labels ?? "" });
  const split: NodeSplit = { train: Int32Array.of(0), validation: Int32Array.of(1), test: Int32Array.of(2) };
  const several = join(root, "several");
  for (const name of ["one", "other"]) await writeOgb(several, graph, split, name);
  writeFileSync(join(several, "split", ".DS_Store"), "");
  expect(await readOgbSplits(several)).toEqual(["one", "other"]);
  expect((await newGraph(several, config, artefact)).rows.rows).toBe(3);
});
