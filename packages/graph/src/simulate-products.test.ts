import { ConfigError } from "@l0gm/core";
import { expect, test } from "vitest";
import { simulateProducts } from "./simulate-products.ts";

const SCALE = 1 / 512;

test("has the published size, degrees and homophily in proportion, and says that it is simulated", async () => {
  const { name, graph, split } = await simulateProducts({ scale: SCALE, seed: 3 });
  expect(name).toContain("simulated");
  const { csr, labels, features, columns } = graph;
  expect(csr.rows).toBe(Math.round(2_449_029 * SCALE));
  expect(csr.entries).toBe(2 * Math.round(61_859_140 * SCALE));
  expect([split.train.length, split.validation.length]).toEqual([384, 77]);
  expect(split.train.length + split.validation.length + split.test.length).toBe(csr.rows);
  let same = 0;
  for (let node = 0; node < csr.rows; node++) {
    for (const other of csr.neighborsOf(node)) if (labels[node] === labels[other]) same++;
  }
  expect(same / csr.entries).toBeGreaterThan(0.7);
  expect(same / csr.entries).toBeLessThan(0.85);
  const degrees = csr.degrees().sort();
  expect(degrees[degrees.length >> 1]).toBeLessThan(40);
  expect(degrees.at(-1)).toBeGreaterThan(500);
  // Within a class, features deviate by 1 from the mean.
  const books = [...labels.keys()].filter((node) => labels[node] === 4);
  const first = books.map((node) => features[node * columns] ?? 0);
  const mean = first.reduce((sum, x) => sum + x, 0) / first.length;
  expect(first.reduce((sum, x) => sum + (x - mean) ** 2, 0) / first.length).toBeCloseTo(1, 0.5);
  expect([...split.train].some((node) => (labels[node] ?? 0) >= 42)).toBe(false);
});

test("depends on the seed alone", async () => {
  const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => simulateProducts({ scale: 1 / 4096, seed })));
  expect(a).toEqual(b);
  expect(a?.graph.features[0]).not.toBe(c?.graph.features[0]);
  expect(a?.graph.csr.neighbors).not.toEqual(c?.graph.csr.neighbors);
});

test.each([{ scale: 0 }, { scale: 2 }, { scale: 0.01, homophily: 1 }, { scale: 0.01, separation: -1 }])(
  "refuses %j",
  async (options) => {
    await expect(simulateProducts(options)).rejects.toThrow(ConfigError);
  },
);
