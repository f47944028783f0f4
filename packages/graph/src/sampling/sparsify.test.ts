import { ConfigError, Random } from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graphs } from "../../test/graphs.ts";
import { Csr } from "../csr.ts";
import { sparsifyByDegree } from "./sparsify.ts";

function heavyTailed(nodes: number, edges: number): Csr {
  const random = Random.from(5, "graph");
  const ends = (): Int32Array => Int32Array.from({ length: edges }, () => Math.floor(nodes * random.next() ** 3));
  return Csr.fromEdges(ends(), ends(), { nodes, undirected: true });
}

const csr = heavyTailed(3000, 40_000);

describe("by a fraction", () => {
  test.each([0.75, 0.5, 0.25, 0.05])("of %d, as many edges stay as were asked for", (fraction) => {
    const left = sparsifyByDegree(csr, { fraction }, Random.from(1, "sparsify"));
    new Csr({ ...left });
    expect(left.transpose().neighbors).toEqual(left.neighbors);
    // Of pairs, each independent: at most sqrt(pairs / 4).
    expect(Math.abs(left.entries - fraction * csr.entries)).toBeLessThan(4 * Math.sqrt(csr.entries));
  });

  test("an edge stays with a probability that goes with 1 / d(u) + 1 / d(v)", () => {
    const degrees = csr.degrees();
    const draws = 200;
    // Edges by that sum, in halves, quarters, ... of the largest: how many there are, and how many stayed.
    const bins = new Map<number, { edges: number; stayed: number; sum: number }>();
    const at = (row: number, column: number): { edges: number; stayed: number; sum: number } => {
      const sum = 1 / (degrees[row] ?? 0) + 1 / (degrees[column] ?? 0);
      const bin = Math.round(8 * Math.log2(sum));
      const entry = bins.get(bin) ?? { edges: 0, stayed: 0, sum: 0 };
      bins.set(bin, entry);
      entry.sum += sum;
      return entry;
    };
    for (let row = 0; row < csr.rows; row++) for (const column of csr.neighborsOf(row)) at(row, column).edges++;
    const means = new Map([...bins].map(([bin, { edges, sum }]) => [bin, sum / edges]));
    for (let draw = 0; draw < draws; draw++) {
      const left = sparsifyByDegree(csr, { fraction: 0.3 }, Random.from(1, "sparsify", draw));
      for (let row = 0; row < left.rows; row++) for (const column of left.neighborsOf(row)) at(row, column).stayed++;
    }
    const rates = [...bins].filter(([, { edges }]) => edges >= 500);
    const factors = rates
      .map(([bin, { edges, stayed }]) => ({ rate: stayed / edges / draws, sum: means.get(bin) ?? 0 }))
      .filter(({ rate }) => rate < 0.9)
      .map(({ rate, sum }) => rate / sum);
    expect(factors.length).toBeGreaterThan(5);
    const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length;
    for (const factor of factors) expect(Math.abs(factor / mean - 1)).toBeLessThan(0.05);
  });

  test("of 1 leaves the graph", () => {
    expect(sparsifyByDegree(csr, { fraction: 1 }, Random.from(1))).toBe(csr);
  });
});

describe("by a maximum degree", () => {
  test("no node has more edges, and both directions of each stay together", () => {
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 12 }), fc.nat(), (graph, maximumDegree, seed) => {
        const symmetric = symmetrized(graph);
        const left = sparsifyByDegree(symmetric, { maximumDegree }, Random.from(seed));
        new Csr({ ...left });
        expect(Math.max(...left.degrees())).toBeLessThanOrEqual(maximumDegree);
        expect(left.transpose().neighbors).toEqual(left.neighbors);
        const degrees = symmetric.degrees();
        for (let row = 0; row < left.rows; row++) {
          // An edge between two nodes that are small enough is nobody's to drop.
          const small = [...symmetric.neighborsOf(row)].filter((column) => (degrees[column] ?? 0) <= maximumDegree);
          if ((degrees[row] ?? 0) <= maximumDegree)
            expect([...left.neighborsOf(row)]).toEqual(expect.arrayContaining(small));
        }
      }),
    );
  });

  test("a hub keeps as many as it may, every one equally likely", () => {
    const leaves = Array.from({ length: 50 }, (_, i) => i + 1);
    const hub = Csr.fromEdges(
      leaves,
      leaves.map(() => 0),
      { nodes: 51, undirected: true },
    );
    const counts = new Array<number>(51).fill(0);
    for (let draw = 0; draw < 2000; draw++) {
      const left = sparsifyByDegree(hub, { maximumDegree: 10 }, Random.from(draw));
      expect(left.neighborsOf(0).length).toBe(10);
      for (const leaf of left.neighborsOf(0)) counts[leaf] = (counts[leaf] ?? 0) + 1;
    }
    // 400 expected, a standard deviation of 18.
    for (const leaf of leaves) expect(Math.abs((counts[leaf] ?? 0) - 400)).toBeLessThan(80);
  });
});

test("is the same for the same numbers, and refuses what is no rule", () => {
  const make =
    (options: object, graph = csr) =>
    () =>
      sparsifyByDegree(graph, options as { fraction: number }, Random.from(2));
  expect(make({ fraction: 0.5 })().neighbors).toEqual(make({ fraction: 0.5 })().neighbors);
  expect(make({ fraction: 0 })).toThrow(ConfigError);
  expect(make({ fraction: 1.1 })).toThrow(ConfigError);
  expect(make({ maximumDegree: 0 })).toThrow(ConfigError);
  expect(make({})).toThrow(/a fraction or a maximumDegree/);
  expect(make({ fraction: 0.5, maximumDegree: 3 })).toThrow(/a fraction or a maximumDegree/);
  const bipartite = new Csr({ rows: 1, columns: 2, offsets: Int32Array.of(0, 1), neighbors: Int32Array.of(1) });
  expect(make({ fraction: 0.5 }, bipartite)).toThrow(/as many rows as columns/);
});

function symmetrized(graph: Csr): Csr {
  const targets = Array.from({ length: graph.rows }, (_, row) => [...graph.neighborsOf(row)].map(() => row)).flat();
  return Csr.fromEdges(graph.neighbors, targets, { nodes: graph.rows, undirected: true });
}
