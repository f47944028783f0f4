import { Csr } from "@l0gm/graph";
import { expect, test } from "vitest";
import { applyScale, averagedFeatures, normaliseRows, scaleOf } from "./graph-features.ts";

test("columns are scaled by the means and deviations of the named nodes alone", () => {
  const features = Float32Array.of(1, 7, 3, 7, 100, 8);
  const scale = scaleOf(features, 2, Int32Array.of(0, 1));
  expect(scale).toEqual({ mean: [2, 7], scale: [1, 1] });
  applyScale(features, 2, scale);
  expect([...features]).toEqual([-1, 0, 1, 0, 98, 1]);
});

test("standardised training nodes have mean 0 and deviation 1", () => {
  const features = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i * i) * (i % 4 === 0 ? 50 : 0.1) + (i % 4));
  const nodes = Int32Array.from({ length: 10 }, (_, i) => i);
  applyScale(features, 4, scaleOf(features, 4, nodes));
  for (let j = 0; j < 4; j++) {
    const column = [...nodes].map((node) => features[node * 4 + j] ?? Number.NaN);
    const mean = column.reduce((sum, x) => sum + x, 0) / 10;
    expect(mean).toBeCloseTo(0, 5);
    expect(Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 10)).toBeCloseTo(1, 5);
  }
});

test("rows are divided by the sum of their sizes; one without features stays", () => {
  const features = Float32Array.of(1, 3, -2, 2, 0, 0);
  normaliseRows(features, 2);
  expect([...features]).toEqual([0.25, 0.75, -0.5, 0.5, 0, 0]);
});

test("averaging takes the mean over a node and its neighbours, as often as asked, and leaves the features alone", () => {
  // 0 - 1 - 2, and 3 alone.
  const csr = Csr.fromEdges([0, 1], [1, 2], { nodes: 4, undirected: true });
  const features = Float32Array.of(6, 0, 3, 5);
  const graph = { csr, features, columns: 1, labels: new Int32Array(4), classes: ["a"] };
  expect([...averagedFeatures(graph, 0)]).toEqual([6, 0, 3, 5]);
  expect([...averagedFeatures(graph, 1)]).toEqual([3, 3, 1.5, 5]);
  expect([...averagedFeatures(graph, 2)]).toEqual([3, 2.5, 2.25, 5]);
  expect([...features]).toEqual([6, 0, 3, 5]);
});
