import { ConfigError, DataError, type EncodeContext, ShapeError } from "@l0gm/core";
import {
  checkInteger,
  checkRate,
  dropout,
  layerNorm,
  type ModuleEncoderOptions,
  type ModuleWeights,
  type Trunk,
} from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBatch, SampledBatch, WholeGraphBatch } from "./batch.ts";
import { transpose } from "./csr.ts";
import { gatherRows } from "./gather-rows.ts";
import type { NodeGraph } from "./graph.ts";
import { applyLayerWise } from "./layer-wise.ts";
import type { Messages } from "./layers/messages.ts";
import { neighborhoodOf } from "./neighborhood.ts";
import { type Evaluate, Passes } from "./passes.ts";
import { type Adjacency, firstRows } from "./spmm.ts";

/** What all encoders of this package take. */
export interface GraphEncoderOptions extends ModuleEncoderOptions {
  /** Features of a node. */
  readonly features: number;
  /** Numbers of a node between layers. @defaultValue 256 */
  readonly hidden?: number;
  /** Message-passing layers; a sampled batch has a block for each. @defaultValue 2 */
  readonly layers?: number;
  /** Rate after every layer. @defaultValue 0.5 */
  readonly dropout?: number;
  /** Rate of the features themselves. @defaultValue 0 */
  readonly featureDropout?: number;
  /** Adds each layer's input to its output, where both are as wide. @defaultValue false */
  readonly residual?: boolean;
  /** Of a layer's output, before its nonlinearity. @defaultValue "layer" */
  readonly normalisation?: "layer" | "none";
}

/** A message-passing layer of an encoder, with all that belongs to it. */
export interface GraphStage {
  readonly width: number;
  /** What every node goes through by itself before messages are passed. */
  readonly transform?: ((x: tf.Tensor2D) => tf.Tensor2D) | undefined;
  /** @param x - what `messages.own` was before it was transformed */
  readonly apply: (messages: Messages, x: tf.Tensor2D) => tf.Tensor2D;
}

/** Widths of a layer's input and output. */
export interface Widths {
  readonly inputs: number;
  readonly outputs: number;
}

/** What tells one kind of graph encoder from another. */
export interface GraphKind {
  readonly kind: string;
  /** Makes a layer's variables, named after `name`. */
  readonly convolution: (
    weights: ModuleWeights,
    name: string,
    widths: Widths,
  ) => Pick<GraphStage, "transform"> & { readonly apply: (messages: Messages) => tf.Tensor };
  readonly activation: (x: tf.Tensor) => tf.Tensor;
  /** What messages pass over in the place of the graph. @defaultValue the graph itself */
  readonly prepare?: (graph: Adjacency) => Adjacency;
}

/** What training needs of a graph to see nodes as if it saw the whole. */
interface Plan {
  readonly graph: NodeGraph;
  readonly blocks: readonly Adjacency[];
  /** `[columns of the first block, features]` */
  readonly features: Float32Array;
}

/**
 * Message-passing layers over batches of both kinds. With a whole graph, training computes what the batch's nodes depend on, and
 * evaluation goes layer by layer over all that the pass is about.
 *
 * @throws ConfigError when an option is out of range
 */
export function graphTrunk(kind: GraphKind, weights: ModuleWeights, options: GraphEncoderOptions): Trunk<GraphBatch> {
  const { features, hidden = 256, layers = 2, featureDropout = 0 } = options;
  checkRate(kind.kind, "featureDropout", featureDropout);
  for (const [name, value] of Object.entries({ features, hidden, layers })) checkInteger(kind.kind, name, value);
  const stages = Array.from({ length: layers }, (_, i) =>
    stageOf(kind, weights, `layer${i}`, { inputs: i === 0 ? features : hidden, outputs: hidden }, options),
  );
  const prepare = kind.prepare ?? ((graph: Adjacency): Adjacency => graph);

  const evaluate: Evaluate = ({ csr, features: all, columns }, { nodes, ...how }) => {
    const graph = prepare(csr);
    // What half of the nodes depend on is most of the graph: to cut it out would copy edges and features for little less work.
    if (nodes === undefined || 2 * nodes.length > csr.rows) {
      const blocks = stages.map(() => graph);
      const values = applyLayerWise(stages, blocks, { values: all, width: columns }, how);
      return nodes === undefined ? values : gatherRows(values, hidden, nodes);
    }
    const { blocks, inputs } = neighborhoodOf(graph, nodes, layers);
    return applyLayerWise(stages, blocks, { values: gatherRows(all, columns, inputs), width: columns }, how);
  };
  const passes = new Passes(evaluate);

  const plans = new WeakMap<Int32Array, Plan>();
  const planOf = ({ graph, nodes }: WholeGraphBatch): Plan => {
    const known = plans.get(nodes);
    if (known?.graph === graph) return known;
    const { blocks, inputs } = neighborhoodOf(prepare(graph.csr), nodes, layers);
    // Features have no gradient, so few ask for the first block's transpose: kernels make it for those.
    for (const block of blocks.slice(1)) block.transposed = transpose(block);
    const plan = { graph, blocks, features: gatherRows(graph.features, features, inputs) };
    plans.set(nodes, plan);
    return plan;
  };

  return {
    width: hidden,
    apply(batch, context) {
      if (batch.kind === "sampled") {
        checkSampled(kind.kind, batch, features, layers);
        const x = dropout(batch.features, featureDropout, context) as tf.Tensor2D;
        return passMessages(stages, batch.blocks.map(prepare), x, context);
      }
      checkWhole(kind.kind, batch, features);
      if (!context.training) return matrix(passes.read(batch, hidden), hidden);
      const { blocks, features: values } = planOf(batch);
      const x = dropout(matrix(values, features), featureDropout, context) as tf.Tensor2D;
      return passMessages(stages, blocks, x, context);
    },
  };
}

function matrix(values: Float32Array, width: number): tf.Tensor2D {
  return tf.tensor2d(values, [values.length / width, width], "float32");
}

function stageOf(
  kind: GraphKind,
  weights: ModuleWeights,
  name: string,
  widths: Widths,
  { dropout: rate = 0.5, residual = false, normalisation = "layer" }: GraphEncoderOptions,
): GraphStage {
  checkRate(kind.kind, "dropout", rate);
  if (normalisation !== "layer" && normalisation !== "none") {
    const expected = 'normalisation to be "layer" or "none"';
    throw new ConfigError({ where: kind.kind, expected, received: normalisation });
  }
  const { inputs, outputs } = widths;
  const { transform, apply } = kind.convolution(weights, name, widths);
  const norm = normalisation === "none" ? (x: tf.Tensor) => x : weights.bind(`${name}/norm`, layerNorm(outputs));
  const adds = residual && inputs === outputs;
  return {
    width: outputs,
    transform,
    apply(messages, x) {
      const y = dropout(kind.activation(norm(apply(messages))), rate, messages.context);
      return (adds ? tf.add(y, x) : y) as tf.Tensor2D;
    },
  };
}

function passMessages(
  stages: readonly GraphStage[],
  blocks: readonly Adjacency[],
  features: tf.Tensor2D,
  context: EncodeContext,
): tf.Tensor2D {
  let x = features;
  for (const [layer, stage] of stages.entries()) {
    const graph = blocks[layer] as Adjacency;
    const sources = stage.transform?.(x) ?? x;
    const messages = { graph, sources, own: firstRows(sources, graph.rows), context };
    x = stage.apply(messages, firstRows(x, graph.rows));
  }
  return x;
}

/** @throws ShapeError when blocks and features do not fit each other or the encoder */
function checkSampled(where: string, { blocks, features }: SampledBatch, columns: number, layers: number): void {
  if (blocks.length !== layers) {
    throw new ShapeError({ where, expected: `${layers} blocks, one a layer`, received: blocks.length });
  }
  let rows = features.shape[0];
  for (const [layer, block] of blocks.entries()) {
    if (block.columns !== rows || block.rows > block.columns) {
      const expected = `block ${layer} with ${rows} columns and at most as many rows`;
      throw new ShapeError({ where, expected, received: `[${block.rows}, ${block.columns}]` });
    }
    rows = block.rows;
  }
  if (features.shape[1] !== columns) {
    throw new ShapeError({ where, expected: `features [nodes, ${columns}]`, received: features.shape });
  }
}

/**
 * @throws ShapeError when the graph does not fit the encoder
 * @throws DataError when a node is not of the graph
 */
function checkWhole(where: string, { graph, nodes }: WholeGraphBatch, columns: number): void {
  const { csr, features } = graph;
  if (csr.rows !== csr.columns || graph.columns !== columns || features.length !== csr.rows * columns) {
    const expected = `a square graph with ${columns} features a node`;
    const received = `[${csr.rows}, ${csr.columns}] with ${graph.columns} features, ${features.length} numbers`;
    throw new ShapeError({ where, expected, received });
  }
  const wrong = nodes.find((node) => !(node >= 0 && node < csr.rows));
  if (wrong === undefined) return;
  throw new DataError({ where, expected: `nodes from 0 to ${csr.rows - 1}`, received: wrong });
}
