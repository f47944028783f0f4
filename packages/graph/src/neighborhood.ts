import type { CsrArrays } from "./csr.ts";
import { inheritFactors } from "./normalisation.ts";

/** A part of a graph. */
export interface Block extends CsrArrays {
  /** For gradients, where somebody makes it. */
  transposed?: CsrArrays;
}

/** Everything that nodes depend on: what the sampler gives, with all neighbours instead of a few. */
export interface Neighborhood {
  /** From the features to the nodes, as in a sampled batch. */
  readonly blocks: readonly Block[];
  /** Ids of the first block's columns. */
  readonly inputs: Int32Array;
}

/** Of a column that is met and has no number yet. */
const UNNUMBERED = -2;

/** The nodes' neighbourhood of as many hops as there are layers. */
export function neighborhoodOf(graph: CsrArrays, nodes: Int32Array, layers: number): Neighborhood {
  const places = new Int32Array(graph.columns).fill(-1);
  const blocks: Block[] = [];
  let inputs = nodes;
  for (let layer = 0; layer < layers; layer++) {
    const { part, columns } = partOf(graph, inputs, inputs, places);
    blocks.unshift(part);
    inputs = columns;
  }
  return { blocks, inputs };
}

/**
 * Rows of a graph with all their entries. Columns are numbered anew: the ids in `first`, then the others in ascending order, so that whoever
 * gathers numbers of them walks through memory instead of jumping in it.
 *
 * @param places - `[columns of the graph]`, all -1; so again afterwards
 */
export function partOf(
  graph: CsrArrays,
  rows: Int32Array,
  first: Int32Array,
  places: Int32Array,
): { readonly part: Block; readonly columns: Int32Array } {
  const offsets = new Int32Array(rows.length + 1);
  for (let i = 0; i < rows.length; i++) offsets[i + 1] = (offsets[i] as number) + entriesOf(graph, rows[i] as number);
  const entries = offsets[rows.length] as number;
  const neighbors = new Int32Array(entries);
  const weights = graph.weights && new Float32Array(entries);
  for (let i = 0; i < first.length; i++) places[first[i] as number] = i;
  let count = first.length;
  let to = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const start = graph.offsets[row] as number;
    const end = graph.offsets[row + 1] as number;
    weights?.set((graph.weights as Float32Array).subarray(start, end), to);
    for (let e = start; e < end; e++) {
      const id = graph.neighbors[e] as number;
      neighbors[to++] = id;
      if (places[id] === -1) {
        places[id] = UNNUMBERED;
        count++;
      }
    }
  }
  const columns = new Int32Array(count);
  columns.set(first);
  for (let id = 0, i = first.length; i < count; id++) {
    if (places[id] !== UNNUMBERED) continue;
    places[id] = i;
    columns[i++] = id;
  }
  for (let e = 0; e < entries; e++) neighbors[e] = places[neighbors[e] as number] as number;
  for (let i = 0; i < count; i++) places[columns[i] as number] = -1;
  const part = { rows: rows.length, columns: count, offsets, neighbors, ...(weights && { weights }) };
  inheritFactors(part, graph, rows, columns);
  return { part, columns };
}

function entriesOf({ offsets }: CsrArrays, row: number): number {
  return (offsets[row + 1] as number) - (offsets[row] as number);
}
