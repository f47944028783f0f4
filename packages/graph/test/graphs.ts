import fc from "fast-check";
import { Csr } from "../src/index.ts";

/** Small graphs of any shape: directed or not, weighted or not, with loops and nodes without edges. */
export const graphs: fc.Arbitrary<Csr> = fc.integer({ min: 1, max: 40 }).chain((nodes) => {
  const node = fc.nat(nodes - 1);
  return fc
    .record({
      edges: fc.array(fc.tuple(node, node), { maxLength: 300 }),
      undirected: fc.boolean(),
      weighted: fc.boolean(),
    })
    .map(({ edges, undirected, weighted }) => {
      const [sources, targets] = [edges.map(([from]) => from), edges.map(([, to]) => to)];
      const csr = Csr.fromEdges(sources, targets, { nodes, undirected });
      if (!weighted) return csr;
      const { rows, columns, offsets, neighbors } = csr;
      const own = new Float32Array(neighbors.length);
      for (let row = 0; row < rows; row++) {
        for (let e = offsets[row] ?? 0; e < (offsets[row + 1] ?? 0); e++)
          own[e] = edgeWeight(nodes, row, neighbors[e] ?? 0);
      }
      return new Csr({ rows, columns, offsets, neighbors, weights: own });
    });
});

/** The weight of an edge of {@link graphs}. */
export function edgeWeight(nodes: number, row: number, column: number): number {
  return 1 + row * nodes + column;
}
