import { DataError, type Dataset, type LabelledBatch, type Random } from "@l0gm/core";
import { checkInteger } from "@l0gm/core/modules";
import type { WholeGraphBatch } from "./batch.ts";
import type { NodeGraph } from "./graph.ts";
import { makePass } from "./passes.ts";

/**
 * Nodes of a graph that encoders see as a whole. Training with a batch size of at least `nodes.length` is full-batch training. An
 * evaluation computes what its nodes depend on once, for all batches of a pass.
 *
 * @param nodes - ids of the nodes that are rows, in this order
 * @throws DataError when there is no node, one is not of the graph or occurs twice, or its label is no class
 *
 * @example
 * ```ts
 * declare const graph: NodeGraph;
 * declare const split: NodeSplit;
 * const train = wholeGraphDataset(graph, split.train);
 * const validation = wholeGraphDataset(graph, split.validation);
 * ```
 */
export function wholeGraphDataset(graph: NodeGraph, nodes: Int32Array): Dataset<WholeGraphBatch> {
  const rows = nodes.slice();
  check(graph, rows);
  return {
    rows: rows.length,
    classes: graph.classes.length,
    batches: (batchSize, shuffle) => batches(graph, rows, batchSize, shuffle),
  };
}

function* batches(
  graph: NodeGraph,
  rows: Int32Array,
  batchSize: number,
  shuffle: Random | undefined,
): Generator<LabelledBatch<WholeGraphBatch>, void, undefined> {
  checkInteger("wholeGraphDataset", "batchSize", batchSize);
  const pass = makePass({ nodes: rows });
  // All at once need no order; and being the same array again and again, what they depend on is found once.
  const all = batchSize >= rows.length;
  const order = all ? undefined : shuffle?.permutation(rows.length);
  for (let start = 0; start < rows.length; start += batchSize) {
    const places = order?.subarray(start, start + batchSize);
    const nodes = all ? rows : (places?.map((place) => rows[place] ?? 0) ?? rows.slice(start, start + batchSize));
    yield { inputs: { kind: "whole", graph, nodes, pass }, labels: nodes.map((node) => graph.labels[node] ?? 0) };
  }
}

function check({ csr, labels, classes }: NodeGraph, nodes: Int32Array): void {
  const where = "wholeGraphDataset";
  if (nodes.length === 0) throw new DataError({ where, expected: "at least one node", received: "none" });
  const seen = new Uint8Array(csr.rows);
  for (const node of nodes) {
    if (!(node >= 0 && node < csr.rows)) {
      throw new DataError({ where, expected: `nodes from 0 to ${csr.rows - 1}`, received: node });
    }
    if (seen[node] === 1) throw new DataError({ where, expected: "every node once", received: `${node} twice` });
    seen[node] = 1;
    const label = labels[node];
    if (label !== undefined && label >= 0 && label < classes.length) continue;
    const expected = `labels from 0 to ${classes.length - 1}`;
    throw new DataError({ where: `${where}, node ${node}`, expected, received: label });
  }
}
