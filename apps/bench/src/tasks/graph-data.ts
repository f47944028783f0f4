import { DataError, type Dataset, type Encoder, type Predictions, Random } from "@l0gm/core";
import {
  Csr,
  dropEdges,
  type GraphBatch,
  gatEncoder,
  gcnEncoder,
  type NodeGraph,
  type NodeSplit,
  sageEncoder,
  sampledDataset,
  sparsifyByDegree,
  wholeGraphDataset,
} from "@l0gm/graph";
import { z } from "zod";
import { parseConfig } from "./config.ts";
import type { GraphConfig } from "./graph-config.ts";
import { applyScale, averagedFeatures, type FeatureScale, normaliseRows, scaleOf } from "./graph-features.ts";
import { propagateLabels, propagationMacs } from "./label-propagation.ts";
import { linearEncoder } from "./linear-encoder.ts";
import type { NewRows, TaskData, UntrainedPredictions } from "./task.ts";

/** Name of the artefact from which `l0gm predict` restores how a graph is prepared. */
const GRAPH_FILE = "graph.json";

const preparation = z.object({
  columns: z.int().positive(),
  featureNames: z.array(z.string()).optional(),
  classes: z.array(z.string()),
  scale: z.object({ mean: z.array(z.number()), scale: z.array(z.number()) }).optional(),
});

type Preparation = z.infer<typeof preparation>;

/** Name of the comparator that is no model. */
export const LABEL_PROPAGATION = "label-propagation";

/** A graph as a loader gives it. */
interface LoadedNodes {
  readonly graph: NodeGraph;
  /** Of its columns, where the data name them. */
  readonly featureNames?: readonly string[];
  readonly split: NodeSplit;
  readonly warnings: readonly string[];
}

/**
 * A graph and a split of its nodes as a run's data; all three parts share the one graph.
 *
 * @param loaded - the graph becomes this function's, which changes its features
 * @param seed - of what is drawn once, before training
 */
export function graphData(loaded: LoadedNodes, config: GraphConfig, seed: number): TaskData<GraphBatch> {
  const { graph: original, featureNames, split } = loaded;
  const { graph, scale } = prepare(original, config, seed, (features) =>
    scaleOf(features, original.columns, split.train),
  );
  const { classes, columns } = graph;
  const artefact: Preparation = {
    columns,
    ...(featureNames === undefined ? {} : { featureNames: [...featureNames] }),
    classes: [...classes],
    ...(scale === undefined ? {} : { scale: mutable(scale) }),
  };
  return {
    train: trainingNodes(graph, split.train, config),
    validation: evaluationNodes(graph, split.validation, config),
    test: evaluationNodes(graph, split.test, config),
    timed: timedNodes(graph, split.validation, config),
    // A step sees the whole graph, however few of its nodes are in the batch.
    ...(config.training.kind === "whole" ? { batchSize: split.train.length } : {}),
    classes,
    subsets: {},
    subgroups: [],
    encoder: (initial) => makeEncoder(columns, config, initial),
    artefacts: { [GRAPH_FILE]: artefact },
    warnings: [...loaded.warnings, ...untrainableClasses(graph, split)],
    untrained: { [LABEL_PROPAGATION]: () => labelPropagation(original, split) },
  };
}

function mutable({ mean, scale }: FeatureScale): NonNullable<Preparation["scale"]> {
  return { mean: [...mean], scale: [...scale] };
}

/** Macro-F1 counts a class with test nodes, whether or not anything could have learned it. */
function untrainableClasses({ labels, classes }: NodeGraph, { train, test }: NodeSplit): string[] {
  const trained = new Uint8Array(classes.length);
  for (const node of train) trained[labels[node] as number] = 1;
  const nodes = new Int32Array(classes.length);
  for (const node of test) {
    const label = labels[node] as number;
    nodes[label] = (nodes[label] as number) + 1;
  }
  const absent = classes.flatMap((name, k) => (trained[k] === 0 ? [`${name || k} (${nodes[k]} test nodes)`] : []));
  return absent.length === 0
    ? []
    : [
        `no training node has the class ${absent.join(", ")}: each that has test nodes counts in macro-F1, with 0 where it is never predicted right`,
      ];
}

/** The graph as encoders see it, and what its features were scaled by. */
function prepare(
  graph: NodeGraph,
  { edges, features: treatment }: GraphConfig,
  seed: number,
  fitScale: (features: Float32Array) => FeatureScale | undefined,
): { graph: NodeGraph; scale?: FeatureScale } {
  const { columns } = graph;
  if (treatment === "rows") normaliseRows(graph.features, columns);
  const features = averagedFeatures(graph, edges.averagings);
  const scale = treatment === "standardise" ? fitScale(features) : undefined;
  if (scale !== undefined) applyScale(features, columns, scale);
  return { graph: { ...graph, features, csr: keptEdges(graph.csr, edges.keep, seed) }, ...(scale && { scale }) };
}

function keptEdges(csr: Csr, keep: GraphConfig["edges"]["keep"], seed: number): Csr {
  if (keep === "none") return Csr.fromEdges(new Int32Array(0), new Int32Array(0), { nodes: csr.rows });
  return keep === 1 ? csr : sparsifyByDegree(csr, { fraction: keep }, Random.from(seed, "sparsify"));
}

function trainingNodes(graph: NodeGraph, nodes: Int32Array, { training, edges }: GraphConfig): Dataset<GraphBatch> {
  if (training.kind === "sampled") {
    const { fanOut, workers } = training;
    return sampledDataset(graph, nodes, { fanOut, workers, dropEdge: edges.drop });
  }
  const whole = wholeGraphDataset(graph, nodes);
  if (edges.drop === 0) return whole;
  return {
    ...whole,
    batches(batchSize, shuffle) {
      if (shuffle === undefined) return whole.batches(batchSize);
      const csr = dropEdges(graph.csr, edges.drop, shuffle);
      return wholeGraphDataset({ ...graph, csr }, nodes).batches(batchSize, shuffle);
    },
  };
}

function evaluationNodes(graph: NodeGraph, nodes: Int32Array, { evaluation }: GraphConfig): Dataset<GraphBatch> {
  return evaluation === "whole"
    ? wholeGraphDataset(graph, nodes)
    : sampledDataset(graph, nodes, { fanOut: evaluation });
}

/** Fan-out of timed batches where training has none. */
const TIMED_FAN_OUT = [15, 10, 5];

/** Sampled: all that 256 nodes depend on can be the whole graph, and would say nothing about one batch. */
function timedNodes(graph: NodeGraph, nodes: Int32Array, { training, encoder }: GraphConfig): Dataset<GraphBatch> {
  if (encoder.kind === "linear") return wholeGraphDataset(graph, nodes);
  const fanOut =
    training.kind === "sampled"
      ? training.fanOut
      : Array.from({ length: encoder.layers }, (_, i) => TIMED_FAN_OUT[i] ?? 5);
  return sampledDataset(graph, nodes, { fanOut });
}

function makeEncoder(features: number, { encoder, width }: GraphConfig, seed: number): Encoder<GraphBatch> {
  const common = { features, width, seed };
  switch (encoder.kind) {
    case "sage":
      return sageEncoder({ ...withoutKind(encoder), ...common });
    case "gcn":
      return gcnEncoder({ ...withoutKind(encoder), ...common });
    case "gat":
      return gatEncoder({ ...withoutKind(encoder), ...common });
    case "linear":
      return linearEncoder(common);
  }
}

function withoutKind<T extends { kind: string }>({ kind: _, ...settings }: T): Omit<T, "kind"> {
  return settings;
}

function labelPropagation(graph: NodeGraph, split: NodeSplit): UntrainedPredictions {
  const started = performance.now();
  const logits = propagateLabels(graph, split.train);
  const milliseconds = performance.now() - started;
  const classes = graph.classes.length;
  const of = (nodes: Int32Array): Predictions => {
    const chosen = new Float32Array(nodes.length * classes);
    nodes.forEach((node, i) => {
      chosen.set(logits.subarray(node * classes, (node + 1) * classes), i * classes);
    });
    return { logits: chosen, labels: nodes.map((node) => graph.labels[node] as number), classes };
  };
  return {
    validation: of(split.validation),
    test: of(split.test),
    macs: propagationMacs(graph),
    rows: graph.csr.rows,
    milliseconds,
  };
}

/**
 * All nodes of another graph, or of the same one, for a finished run.
 *
 * @throws DataError when its nodes have other features, or in another order, than those that the run was trained on
 */
export async function newNodes(
  { graph, featureNames }: Pick<LoadedNodes, "graph" | "featureNames">,
  where: string,
  config: GraphConfig,
  artefact: (name: string) => Promise<unknown>,
): Promise<NewRows<GraphBatch>> {
  const trained = parseConfig(preparation, await artefact(GRAPH_FILE), GRAPH_FILE);
  const { columns, classes, scale } = trained;
  if (graph.columns !== columns) {
    throw new DataError({ where, expected: `${columns} features a node`, received: graph.columns });
  }
  const wrong = featureNames?.findIndex((name, i) => name !== (trained.featureNames?.[i] ?? name)) ?? -1;
  if (wrong >= 0) {
    throw new DataError({
      where,
      expected: `features in the order of the run: ${trained.featureNames?.[wrong]} as number ${wrong + 1}`,
      received: featureNames?.[wrong],
    });
  }
  const { graph: prepared } = prepare(graph, config, 0, () => scale);
  const labels = new Int32Array(graph.csr.rows);
  const nodes = Int32Array.from(labels.keys());
  return { rows: evaluationNodes({ ...prepared, labels, classes }, nodes, config), classes };
}
