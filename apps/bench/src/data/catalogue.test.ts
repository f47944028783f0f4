import { loadOgb } from "@l0gm/graph";
import { expect, test } from "vitest";
import { DATA_SETS } from "./catalogue.ts";
import { digestFile, filePath } from "./folders.ts";

test("what ships has the sizes and checksums that the catalogue states", async () => {
  for (const { files, shipped } of DATA_SETS) {
    for (const file of shipped === undefined ? [] : files) {
      const { sha256, bytes } = await digestFile(filePath(shipped ?? "", file) ?? "");
      expect({ sha256, bytes }, file.name).toEqual({ sha256: file.sha256, bytes: file.bytes });
    }
  }
});

test("Cora that ships is the graph that its page describes", async () => {
  const folder = DATA_SETS.find(({ name }) => name === "cora")?.shipped ?? "";
  const { graph, split, splitName, warnings } = await loadOgb(folder, { shares: { seed: 1 } });
  expect([graph.csr.rows, graph.csr.entries / 2, graph.columns, graph.classes.length]).toEqual([2708, 5278, 1433, 7]);
  expect(new Set(graph.features)).toEqual(new Set([0, 1]));
  expect(split.train.length + split.validation.length + split.test.length).toBe(2708);
  expect([splitName, warnings]).toEqual(["stratified, seed 1", []]);
});
