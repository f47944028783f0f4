import { ConfigError, DataError, ShapeError } from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Csr } from "./csr.ts";

/** Row by row: its columns, with the weights that reach it. */
function listed(csr: Csr): [column: number, weight: number][][] {
  return Array.from({ length: csr.rows }, (_, row) =>
    Array.from(csr.neighborsOf(row), (column, i) => [column, csr.weights?.[(csr.offsets[row] ?? 0) + i] ?? 1]),
  );
}

const graphs = fc.integer({ min: 1, max: 12 }).chain((nodes) => {
  const node = fc.nat(nodes - 1);
  const edge = fc.tuple(node, node, fc.integer({ min: -8, max: 8 }));
  return fc.record({ nodes: fc.constant(nodes), edges: fc.array(edge, { maxLength: 40 }), undirected: fc.boolean() });
});

describe("Csr.fromEdges", () => {
  test("equals a dense matrix, whatever the edges", () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges, undirected }) => {
        const dense = Array.from({ length: nodes }, () => new Float64Array(nodes));
        for (const [from, to, weight] of edges) {
          (dense[to] as Float64Array)[from] = (dense[to]?.[from] ?? 0) + weight;
          if (undirected && from !== to) (dense[from] as Float64Array)[to] = (dense[from]?.[to] ?? 0) + weight;
        }
        const [sources, targets, weights] = [0, 1, 2].map((k) => edges.map((edge) => edge[k] as number));
        const csr = Csr.fromEdges(sources ?? [], targets ?? [], { nodes, undirected, weights: weights ?? [] });
        const found = Array.from({ length: nodes }, () => new Float64Array(nodes));
        listed(csr).forEach((row, i) => {
          const columns = row.map(([column]) => column);
          expect(columns).toEqual([...new Set(columns)].sort((a, b) => a - b));
          for (const [column, weight] of row) (found[i] as Float64Array)[column] = weight;
        });
        expect(found).toEqual(dense);
      }),
    );
  });

  test("merges repeated edges to one, or keeps them", () => {
    const options = { nodes: 3 };
    expect(listed(Csr.fromEdges([0, 0, 1], [2, 2, 2], options))).toEqual([
      [],
      [],
      [
        [0, 1],
        [1, 1],
      ],
    ]);
    const kept = Csr.fromEdges([0, 0, 1], [2, 2, 2], { ...options, duplicates: "keep" });
    expect([...kept.neighborsOf(2)]).toEqual([0, 0, 1]);
    expect(listed(Csr.fromEdges([0, 0], [2, 2], { ...options, weights: [2, 3] }))[2]).toEqual([[0, 5]]);
  });

  test("adds the reverse of every edge but of loops", () => {
    expect(listed(Csr.fromEdges([0, 1], [1, 1], { nodes: 2, undirected: true }))).toEqual([
      [[1, 1]],
      [
        [0, 1],
        [1, 1],
      ],
    ]);
  });

  test("tells degrees, entries and bytes, and takes no edges at all", () => {
    const csr = Csr.fromEdges([0, 1, 0], [1, 2, 2], { nodes: 4 });
    expect([...csr.degrees()]).toEqual([0, 1, 2, 0]);
    expect([csr.entries, csr.bytes]).toEqual([3, 4 * (5 + 3)]);
    expect(Csr.fromEdges([], [], { nodes: 2 }).entries).toBe(0);
  });

  test("refuses what is no list of edges, and says which edge", () => {
    const make =
      (sources: number[], targets: number[], nodes = 3, weights?: number[]) =>
      () =>
        Csr.fromEdges(sources, targets, { nodes, ...(weights && { weights }) });
    expect(make([0, 3], [1, 1])).toThrow(DataError);
    expect(make([0, 3], [1, 1])).toThrow(/edge 1.*0 to 2.*3 and 1/s);
    expect(make([0], [-1])).toThrow(DataError);
    expect(make([0.5], [1])).toThrow(DataError);
    expect(make([0], [1], 3, [Number.NaN])).toThrow(/finite weight/);
    expect(make([0], [1, 2])).toThrow(ShapeError);
    expect(make([0], [1], 3, [])).toThrow(ShapeError);
    expect(make([], [], 0)).toThrow(ConfigError);
  });
});

describe("transpose", () => {
  test("swaps sources and targets, and twice gives the same graph", () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges, undirected }) => {
        const [sources, targets, weights] = [0, 1, 2].map((k) => edges.map((edge) => edge[k] as number));
        const options = { nodes, undirected, weights: weights ?? [] };
        const csr = Csr.fromEdges(sources ?? [], targets ?? [], options);
        expect(listed(csr.transpose())).toEqual(listed(Csr.fromEdges(targets ?? [], sources ?? [], options)));
        expect(csr.transpose().transpose()).toBe(csr);
      }),
    );
  });

  test("of a bipartite graph swaps its sides", () => {
    const csr = new Csr({ rows: 2, columns: 3, offsets: Int32Array.of(0, 2, 3), neighbors: Int32Array.of(0, 2, 2) });
    const { rows, columns } = csr.transpose();
    expect([rows, columns]).toEqual([3, 2]);
    expect(listed(csr.transpose())).toEqual([
      [[0, 1]],
      [],
      [
        [0, 1],
        [1, 1],
      ],
    ]);
  });
});

test.each([
  ["offsets too few", [0, 1], [0], ShapeError],
  ["offsets that fall", [0, 2, 1], [0], DataError],
  ["offsets that end elsewhere", [0, 1, 3], [0, 1], DataError],
  ["a column out of range", [0, 1, 2], [0, 2], DataError],
  ["columns out of order", [0, 2, 2], [1, 0], DataError],
] as const)("%s are refused", (_, offsets, neighbors, error) => {
  const arrays = { rows: 2, columns: 2, offsets: Int32Array.from(offsets), neighbors: Int32Array.from(neighbors) };
  expect(() => new Csr(arrays)).toThrow(error);
});

test("weights that are not finite are refused, in float32 as well", () => {
  const arrays = { rows: 1, columns: 1, offsets: Int32Array.of(0, 1), neighbors: Int32Array.of(0) };
  expect(() => new Csr({ ...arrays, weights: Float32Array.of(Number.NaN) })).toThrow(/row 0.*finite weights/);
  expect(() => Csr.fromEdges([0], [0], { nodes: 1, weights: [1e300] })).toThrow(DataError);
});
