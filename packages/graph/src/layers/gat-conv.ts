import { ConfigError } from "@l0gm/core";
import { checkInteger, checkRate, dropout, glorotUniform, type Module, zeros } from "@l0gm/core/modules";
import { csrProduct, csrSoftmax } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";
import { ownersOf } from "../edge-softmax.ts";
import { withSelfLoops } from "../self-loops.ts";
import { matrixOf } from "../spmm.ts";
import { GraphLayer, type GraphLayerArgs } from "./graph-layer.ts";
import type { Messages } from "./messages.ts";

/** Options of {@link GatConv}. */
export interface GatConvOptions {
  /** Numbers a node. */
  readonly inputs: number;
  /** Numbers a head. */
  readonly headWidth: number;
  /** @defaultValue 1 */
  readonly heads?: number;
  /** Whether heads stand side by side, `heads * headWidth` outputs, or their mean is taken. @defaultValue "concat" */
  readonly merge?: "concat" | "mean";
  /** Of attention weights, in training. @defaultValue 0 */
  readonly attentionDropout?: number;
}

/** The slope below 0 of the scores' leaky ReLU (Velickovic et al. 2018). */
const SLOPE = 0.2;

/** Numbers that a layer gives for a node. */
export function gatOutputs({ headWidth, heads = 1, merge = "concat" }: GatConvOptions): number {
  return merge === "concat" ? heads * headWidth : headWidth;
}

/** @throws ConfigError when an option is out of range */
function checkOptions(options: GatConvOptions): void {
  const where = "GatConv";
  const { inputs, headWidth, heads = 1, merge = "concat", attentionDropout = 0 } = options;
  for (const [name, value] of Object.entries({ inputs, headWidth, heads })) checkInteger(where, name, value);
  checkRate(where, "attentionDropout", attentionDropout);
  if (merge !== "concat" && merge !== "mean") {
    throw new ConfigError({ where, expected: 'merge to be "concat" or "mean"', received: merge });
  }
}

/** What comes before attention, of each node by itself: all heads' kernels side by side. */
export function gatTransform(options: GatConvOptions): Module<tf.Tensor, "kernel"> {
  checkOptions(options);
  const { inputs, headWidth, heads = 1 } = options;
  const kernel = { shape: [inputs, heads * headWidth], fill: glorotUniform(inputs, headWidth), decay: true };
  return {
    weights: { kernel },
    macs: inputs * heads * headWidth,
    apply: (weights, x) => tf.matMul(x as tf.Tensor2D, weights.kernel as tf.Tensor2D),
  };
}

/** Attention between transformed nodes: `sources` and `own` are `[nodes, heads * headWidth]`. Every node is its own neighbour as well. */
export function gatAttention(options: GatConvOptions): Module<Messages, "sender" | "receiver" | "bias"> {
  checkOptions(options);
  const { headWidth, heads = 1, merge = "concat", attentionDropout: rate = 0 } = options;
  // One vector of both ends' numbers in the paper, whose dot product is the sum of two.
  const end = { shape: [heads, headWidth], fill: glorotUniform(2 * headWidth, 1), decay: true };
  return {
    weights: { sender: end, receiver: end, bias: { shape: [gatOutputs(options)], fill: zeros, decay: false } },
    macs: 2 * heads * headWidth,
    apply(weights, { graph, sources, own, context }) {
      const matrix = matrixOf({ ...graph, transposed: undefined });
      const sent = tf.gather(scoresOf(sources, weights.sender), matrix.indices);
      const received = tf.gather(scoresOf(own, weights.receiver), ownersOf(graph));
      const attention = csrSoftmax(matrix, tf.leakyRelu(tf.add(sent, received), SLOPE) as tf.Tensor2D);
      const kept = dropout(attention, rate, context);
      // A sparse product a head, with attention as its values, never holds a message an edge.
      const sums = Array.from({ length: heads }, (_, head) => {
        const values = tf.reshape(tf.slice(kept, [0, head], [-1, 1]), [-1]) as tf.Tensor1D;
        return csrProduct({ ...matrix, values }, tf.slice(sources, [0, head * headWidth], [-1, headWidth]));
      });
      // Not addN: WebGPU's fails beyond the device's limit of buffers, without an error.
      const merged = merge === "concat" ? tf.concat(sums, 1) : tf.mean(tf.stack(sums), 0);
      return tf.add(merged, weights.bias);
    },
  };
}

/** Each head's dot product of a node with the head's vector: `[nodes, heads]`. */
function scoresOf(z: tf.Tensor2D, vectors: tf.Tensor): tf.Tensor2D {
  const [heads = 1, width = 1] = vectors.shape;
  // A product with the vectors down a block diagonal, rather than a pass over `[nodes, heads, width]`.
  const own = Float32Array.from({ length: heads * width * heads }, (_, i) =>
    Math.floor(i / (width * heads)) === i % heads ? 1 : 0,
  );
  return tf.matMul(z, tf.mul(tf.reshape(vectors, [-1, 1]), tf.tensor2d(own, [heads * width, heads])));
}

/** As {@link GatConv}. */
export function gatConv(options: GatConvOptions): Module<Messages, "kernel" | "sender" | "receiver" | "bias"> {
  const transform = gatTransform(options);
  const attention = gatAttention(options);
  return {
    weights: { ...transform.weights, ...attention.weights },
    macs: transform.macs + attention.macs,
    apply(weights, { graph, sources, own, context }) {
      const z = transform.apply(weights, sources) as tf.Tensor2D;
      const mine = own === sources ? z : tf.slice(z, [0, 0], [graph.rows, -1]);
      return attention.apply(weights, { graph: withSelfLoops(graph), sources: z, own: mine, context });
    },
  };
}

/**
 * The layer of Velickovic et al., "Graph Attention Networks", ICLR 2018: each head weighs a node's neighbours, itself among them, by a
 * softmax over scores of both ends. Weights of edges are not read. `[columns, inputs]` to `[rows, outputs]`; the graph comes as
 * `apply(x, { graph })`, with `training: true` where attention is to drop out.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { useBackend } from "@l0gm/core";
 *
 * await useBackend("cpu");
 * const graph = Csr.fromEdges([0, 1], [1, 2], { nodes: 3, undirected: true });
 * const layer = new GatConv({ inputs: 4, headWidth: 8, heads: 2 });
 * const y = layer.apply(tf.ones([3, 4]), { graph }) as tf.Tensor;
 * console.log(y.shape); // 3, 16
 * ```
 */
export class GatConv extends GraphLayer<GatConvOptions, "kernel" | "sender" | "receiver" | "bias"> {
  static readonly className = "GatConv";

  constructor(options: GatConvOptions & GraphLayerArgs) {
    super(options, gatConv(options), gatOutputs(options));
  }
}

tf.serialization.registerClass(GatConv);
