import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError } from "@l0gm/core";
import { afterAll, expect, test } from "vitest";
import { type CsvGraphFiles, loadGraphCsv } from "./graph-csv.ts";

const root = mkdtempSync(join(tmpdir(), "l0gm-csv-"));
afterAll(() => rmSync(root, { recursive: true }));

const TEXTS = {
  edges: "from,to\na,b\nb,c\nc,d\n",
  features: "node,x,y\nd,7,8\na,1,2\nb,3,4\nc,5,6\n",
  labels: "node,class\na,10\nb,9\nc,10\nd,9\n",
};

function filesOf(changes: Partial<typeof TEXTS> = {}): CsvGraphFiles {
  const path = (name: keyof typeof TEXTS): string => {
    const file = join(root, `${name}.csv`);
    writeFileSync(file, changes[name] ?? TEXTS[name]);
    return file;
  };
  return { edges: path("edges"), features: path("features"), labels: path("labels") };
}

test("nodes have any names, and features any order", async () => {
  const { graph, featureNames, split, warnings } = await loadGraphCsv(filesOf(), { validation: 0.3, test: 0.3 });
  expect(graph.classes).toEqual(["9", "10"]);
  expect(featureNames).toEqual(["x", "y"]);
  expect([...graph.labels]).toEqual([1, 0, 1, 0]);
  expect([...graph.features]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...graph.csr.neighbors]).toEqual([1, 0, 2, 1, 3, 2]);
  expect([...split.train, ...split.validation, ...split.test].sort()).toEqual([0, 1, 2, 3]);
  expect(warnings).toEqual([]);
});

test("a direction stays when asked to, and no edges are allowed with a warning", async () => {
  expect((await loadGraphCsv(filesOf(), { undirected: false })).graph.csr.entries).toBe(3);
  const { warnings } = await loadGraphCsv(filesOf({ edges: "from,to\n" }));
  expect(warnings[0]).toContain("the graph has no edges");
});

test("one class is enough, as predictions read no labels", async () => {
  const { graph } = await loadGraphCsv(filesOf({ labels: "node,class\na,?\nb,?\nc,?\nd,?\n" }));
  expect(graph.classes).toEqual(["?"]);
});

test.each([
  [
    "an edge to no node",
    { edges: "from,to\na,b\nb,z\n" },
    /edges\.csv, line 3: expected a node of .*labels\.csv, received z/,
  ],
  ["a split", { labels: "node,class,split\na,1,train\n" }, /labels\.csv, line 1: expected two columns/],
  ["weights", { edges: "from,to,w\na,b,1\n" }, /edges\.csv, line 1: expected two columns/],
  [
    "edges without a header line",
    { edges: "a,b\nb,c\n" },
    /edges\.csv, line 1: expected a header line, received an edge, a, b/,
  ],
  ["ragged features", { features: "node,x,y\na,1,2\nb,3\n" }, /features\.csv, line 3: expected 3 fields, received 2/],
  [
    "features that are missing",
    { features: "node,x\na,1\nb,\n" },
    /features\.csv, line 3, column 2: expected a finite number, received nothing/,
  ],
  [
    "features that are not finite",
    { features: "node,x\na,NaN\n" },
    /line 2, column 2: expected a finite number, received NaN/,
  ],
  [
    "a node without features",
    { features: "node,x\na,1\nb,1\nd,1\n" },
    /features of all 4 nodes of .*, received none of the node on its line 4/,
  ],
  [
    "a node that is labelled twice",
    { labels: "node,class\na,1\na,2\n" },
    /labels\.csv, line 3: expected each node once, received a again/,
  ],
  ["a node without label", { labels: "node,class\na,\n" }, /labels\.csv, line 2: expected a label/],
  ["an empty file", { labels: "" }, /labels\.csv: expected a header line/],
  ["a quote that stays open", { labels: 'node,class\n"a,1\n' }, /labels\.csv, line \d: expected well-formed CSV/],
])("refuses %s", async (_, changes, message) => {
  await expect(loadGraphCsv(filesOf(changes))).rejects.toThrow(DataError);
  await expect(loadGraphCsv(filesOf(changes))).rejects.toThrow(message);
});
