import { DataError, type Dataset, type LabelledBatch, type Random } from "@l0gm/core";
import { checkInteger, checkRate } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { SampledBatch } from "../batch.ts";
import type { Csr, NodeIds } from "../csr.ts";
import type { NodeGraph } from "../graph.ts";
import { sharedCsr } from "../shared-arrays.ts";
import { dropEdges } from "./drop-edges.ts";
import { checkedNodes, NeighborSampler, type NeighborSamplerOptions } from "./neighbor-sampler.ts";

/** Options of {@link sampledDataset}. */
export interface SampledDatasetOptions extends Omit<NeighborSamplerOptions, "seed"> {
  /** Of what is sampled, with what a pass draws from its `shuffle`. @defaultValue 0 */
  readonly seed?: number;
  /**
   * DropEdge (Rong et al. 2020): the share of the graph's edges that each pass with a `shuffle`, which is an epoch of training, does
   * without; for such a pass the graph is made a second time, smaller. @defaultValue 0
   */
  readonly dropEdge?: number;
  /** Whether the two directions of an edge are dropped together. @defaultValue true */
  readonly undirected?: boolean;
}

/**
 * Nodes as batches, each with a sampled neighbourhood. In a pass with a `shuffle`, order and samples are drawn from it; without one the
 * nodes come in their order, with the samples of the fixed seed, so that two evaluations see the same. The last batch of a pass may be
 * shorter. A batch's tensors are disposed when the next one is asked for, or the loop is left; the worker threads, if there are any, end
 * with the loop.
 *
 * @param nodes - those that the batches are made of, each once
 * @throws DataError when a node is not of the graph or there twice, its label is no class, or the graph's arrays do not fit each other
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * declare const graph: NodeGraph;
 * declare const split: NodeSplit;
 * const train = sampledDataset(graph, split.train, { fanOut: [15, 10, 5], workers: 1 });
 * ```
 */
export function sampledDataset(
  graph: NodeGraph,
  nodes: NodeIds,
  { dropEdge = 0, undirected = true, seed = 0, ...options }: SampledDatasetOptions,
): Dataset<SampledBatch> {
  checkRate("sampledDataset", "dropEdge", dropEdge);
  const ids = checkedNodes("sampledDataset", nodes, graph.csr.rows);
  checkGraph(graph, ids);
  const samplerOf = (csr: Csr): NeighborSampler => new NeighborSampler(csr, { ...options, seed });
  const whole = samplerOf(graph.csr);
  const thinned = (random: Random): NeighborSampler => {
    // Where threads read it, it is made where they can.
    const csr = whole.workers === 0 ? graph.csr : sharedCsr(graph.csr);
    return samplerOf(dropEdges(csr, dropEdge, random, { undirected }));
  };
  return {
    rows: ids.length,
    classes: graph.classes.length,
    batches(batchSize, shuffle) {
      checkInteger("sampledDataset", "batchSize", batchSize);
      if (shuffle === undefined) return batches(graph, whole, ids, batchSize, 0);
      const order = shuffle.permutation(ids.length).map((i) => ids[i] as number);
      // 0 is the address of passes without a shuffle.
      const epoch = 1 + shuffle.nextUint32();
      return batches(graph, dropEdge === 0 ? whole : thinned(shuffle), order, batchSize, epoch);
    },
  };
}

function checkGraph({ csr, features, columns, labels, classes }: NodeGraph, ids: Int32Array): void {
  const where = "sampledDataset";
  const nodes = csr.rows;
  if (features.length !== nodes * columns || labels.length !== nodes) {
    const expected = `${columns} features and a label for each of the ${nodes} nodes`;
    throw new DataError({ where, expected, received: `${features.length} numbers and ${labels.length} labels` });
  }
  for (const node of ids) {
    const label = labels[node] as number;
    if (label >= 0 && label < classes.length) continue;
    const expected = `labels from 0 to ${classes.length - 1}`;
    throw new DataError({ where: `${where}, node ${node}`, expected, received: label });
  }
}

async function* batches(
  { features, columns, labels }: NodeGraph,
  sampler: NeighborSampler,
  order: Int32Array,
  batchSize: number,
  epoch: number,
): AsyncGenerator<LabelledBatch<SampledBatch>, void, undefined> {
  const groups = groupsOf(order, batchSize);
  const table = { values: features, columns };
  let start = 0;
  for await (const { blocks, nodes, features: rows } of sampler.batches(groups, { epoch, features: table })) {
    const tensor = tf.tensor2d(rows as Float32Array, [nodes.length, columns], "float32");
    const end = Math.min(order.length, start + batchSize);
    try {
      yield {
        inputs: { kind: "sampled", blocks, features: tensor },
        labels: order.subarray(start, end).map((node) => labels[node] as number),
      };
    } finally {
      tensor.dispose();
    }
    start = end;
  }
}

function* groupsOf(order: Int32Array, size: number): Generator<Int32Array, void, undefined> {
  for (let start = 0; start < order.length; start += size) yield order.subarray(start, start + size);
}
