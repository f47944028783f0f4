import type { CsrArrays } from "./csr.ts";
import type { Adjacency } from "./spmm.ts";

const made = new WeakMap<CsrArrays, Adjacency>();

/** The graph without weights in which every row that does not receive from itself does, last of all. Made once for a graph. */
export function withSelfLoops(graph: CsrArrays): Adjacency {
  const known = made.get(graph);
  if (known !== undefined) return known;
  const { rows, columns, offsets, neighbors } = graph;
  const starts = new Int32Array(rows + 1);
  const all = new Int32Array(neighbors.length + rows);
  let to = 0;
  for (let i = 0; i < rows; i++) {
    const own = neighbors.subarray(offsets[i], offsets[i + 1]);
    all.set(own, to);
    to += own.length;
    if (!own.includes(i)) all[to++] = i;
    starts[i + 1] = to;
  }
  const loops = { rows, columns, offsets: starts, neighbors: all.subarray(0, to) };
  made.set(graph, loops);
  return loops;
}
