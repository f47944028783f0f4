/**
 * The models whose training steps are measured, each with plain operations of TensorFlow.js and with the fused ones of this package.
 * torch_peer.py holds the same models in PyTorch: whoever changes one changes the other, and the bench refuses to compare losses that differ.
 */

import * as tf from "@tensorflow/tfjs-core";
import {
  AdamW,
  attention,
  type CsrMatrix,
  csrProduct,
  type DenseActivation,
  dense,
  hardConcreteGate,
  layerNorm,
  meanOverNeighbors,
  softmaxCrossEntropy,
} from "../src/index.ts";
import type { ModelName } from "./model-names.ts";

/** A model whose parameters are made; `step` trains it by one step. */
export interface Workload {
  readonly loss: () => tf.Scalar;
  readonly optimizer: tf.Optimizer;
}

interface Layer {
  readonly kernel: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
}

interface Scale {
  readonly gain: tf.Tensor1D;
  readonly offset: tf.Tensor1D;
}

/** What models are made of. */
interface Parts {
  dense(x: tf.Tensor, layer: Layer, activation?: DenseActivation, addend?: tf.Tensor): tf.Tensor;
  norm(x: tf.Tensor, scale: Scale): tf.Tensor;
  attention(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, heads: number): tf.Tensor3D;
  gate(x: tf.Tensor2D, logAlpha: tf.Tensor1D, u: tf.Tensor): readonly [output: tf.Tensor2D, penalty: tf.Scalar];
  loss(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar;
  meanOverNeighbors(x: tf.Tensor2D, fanOut: number): tf.Tensor2D;
  /** The mean over the neighbours in a graph of `edges[i]` into node i. */
  aggregate(graph: Graph, x: tf.Tensor2D): tf.Tensor2D;
  optimizer(): tf.Optimizer;
}

/** Edges as a sampler hands them over, in any order, and as tensors for those who gather and add. */
interface Graph {
  readonly rows: number;
  readonly columns: number;
  readonly edges: { readonly sources: Int32Array; readonly targets: Int32Array };
  readonly sources: tf.Tensor1D;
  readonly targets: tf.Tensor1D;
  /** One over the number of neighbours, `[rows, 1]`. */
  readonly share: tf.Tensor2D;
}

/** The mean over neighbours as a matrix. Every step samples another graph, so this is part of the step (a counting sort by target). */
function csrOf({ rows, columns, edges: { sources, targets } }: Graph): CsrMatrix {
  const pointers = new Int32Array(rows + 1);
  for (const target of targets) pointers[target + 1] = (pointers[target + 1] ?? 0) + 1;
  for (let i = 0; i < rows; i++) pointers[i + 1] = (pointers[i + 1] ?? 0) + (pointers[i] ?? 0);
  const next = pointers.slice(0, rows);
  const indices = new Int32Array(sources.length);
  for (let e = 0; e < sources.length; e++) {
    const target = targets[e] ?? 0;
    const place = next[target] ?? 0;
    next[target] = place + 1;
    indices[place] = sources[e] ?? 0;
  }
  const values = new Float32Array(sources.length);
  for (let i = 0; i < rows; i++) {
    const [start, end] = [pointers[i] ?? 0, pointers[i + 1] ?? 0];
    values.fill(1 / (end - start), start, end);
  }
  return {
    rows,
    columns,
    pointers: tf.tensor1d(pointers, "int32"),
    indices: tf.tensor1d(indices, "int32"),
    values: tf.tensor1d(values),
  };
}

const FUSED: Parts = {
  dense: (x, { kernel, bias }, activation, addend) => dense(x, kernel, bias, activation, addend),
  norm: (x, { gain, offset }) => layerNorm(x, gain, offset),
  attention: (q, k, v, heads) => attention(q, k, v, { heads }),
  gate(x, logAlpha, u) {
    const { output, penalty } = hardConcreteGate(x, logAlpha, u);
    return [output, penalty];
  },
  loss: (logits, labels) => tf.mean(softmaxCrossEntropy(logits, labels)),
  meanOverNeighbors,
  aggregate: (graph, x) => csrProduct(csrOf(graph), x),
  optimizer: () => new AdamW({ learningRate: 1e-3, epsilon: 1e-7 }),
};

const PLAIN: Parts = {
  dense(x, { kernel, bias }, activation = "linear", addend) {
    const product = tf.add(tf.matMul(tf.reshape(x, [-1, kernel.shape[0]]), kernel), bias);
    const whole = tf.reshape(product, [...x.shape.slice(0, -1), kernel.shape[1]]);
    const y = addend === undefined ? whole : tf.add(whole, addend);
    if (activation === "gelu") {
      return tf.mul(tf.mul(y, 0.5), tf.add(1, tf.erf(tf.mul(y, Math.SQRT1_2))));
    }
    return activation === "relu" ? tf.relu(y) : y;
  },
  norm(x, { gain, offset }) {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))), gain), offset);
  },
  attention(q, k, v, heads) {
    const [batch, tokens, width] = q.shape;
    const split = (x: tf.Tensor3D): tf.Tensor =>
      tf.transpose(tf.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
    const weights = tf.softmax(tf.mul(tf.matMul(split(q), split(k), false, true), Math.sqrt(heads / width)));
    return tf.reshape(tf.transpose(tf.matMul(weights, split(v)), [0, 2, 1, 3]), [batch, tokens, width]);
  },
  gate(x, logAlpha, u) {
    const s = tf.sigmoid(tf.div(tf.add(tf.sub(tf.log(u), tf.log(tf.sub(1, u))), logAlpha), 2 / 3));
    const z = tf.clipByValue(tf.add(tf.mul(s, 1.2), -0.1), 0, 1);
    return [tf.mul(x, z), tf.mean(tf.sigmoid(tf.sub(logAlpha, (2 / 3) * Math.log(0.1 / 1.1))))];
  },
  loss: (logits, labels) =>
    tf.neg(tf.mean(tf.sum(tf.mul(tf.oneHot(labels, logits.shape[1]), tf.logSoftmax(logits)), -1))),
  meanOverNeighbors: (x, fanOut) => tf.mean(tf.reshape(x, [x.shape[0] / fanOut, fanOut, x.shape[1]]), 1),
  aggregate: ({ sources, targets, share, rows }, x) =>
    tf.mul(tf.unsortedSegmentSum(tf.gather(x, sources), targets, rows), share) as tf.Tensor2D,
  optimizer: () => tf.train.adam(1e-3),
};

/** Numbers in [-scale, scale) that depend on nothing but their place. */
export function noise(shape: number[], seed: number, scale = 1, shift = 0): tf.Tensor {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  for (let i = 0; i < values.length; i++) {
    let h = Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 1, 40503 * 65537);
    h = Math.imul(h ^ (h >>> 15), 2246822519);
    h = Math.imul(h ^ (h >>> 13), 3266489917);
    values[i] = (((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1) * scale + shift;
  }
  return tf.tensor(values, shape);
}

function integers(count: number, bound: number, seed: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => (Math.imul(i + seed * 7919, 2654435761) >>> 0) % bound);
}

/** Counts up with every parameter of a model that is drawn. */
let seed = 0;

function layer(inputs: number, outputs: number): Layer {
  return {
    kernel: tf.variable(noise([inputs, outputs], ++seed, 1.4 / Math.sqrt(inputs))) as tf.Tensor2D,
    bias: tf.variable(tf.zeros([outputs])) as tf.Tensor1D,
  };
}

function scale(width: number): Scale {
  return {
    gain: tf.variable(tf.ones([width])) as tf.Tensor1D,
    offset: tf.variable(tf.zeros([width])) as tf.Tensor1D,
  };
}

/** Gate and head on top of a representation. */
function finish(parts: Parts, width: number, classes: number, rows: number): (h: tf.Tensor2D) => tf.Scalar {
  const logAlpha = tf.variable(noise([width], ++seed, 0.5, 1)) as tf.Tensor1D;
  const u = noise([width], 999, 0.45, 0.5);
  const head = layer(width, classes);
  const labels = tf.tensor1d(integers(rows, classes, 3), "int32");
  return (h) => {
    const [output, penalty] = parts.gate(h, logAlpha, u);
    return tf.add(parts.loss(parts.dense(output, head) as tf.Tensor2D, labels), tf.mul(penalty, 0.1));
  };
}

interface Block {
  readonly norms: readonly [Scale, Scale];
  readonly layers: readonly [q: Layer, k: Layer, v: Layer, out: Layer, up: Layer, down: Layer];
}

function block(width: number, inner: number): Block {
  const square = (): Layer => layer(width, width);
  return {
    norms: [scale(width), scale(width)],
    layers: [square(), square(), square(), square(), layer(width, inner), layer(inner, width)],
  };
}

function encode(parts: Parts, x: tf.Tensor, { norms, layers }: Block, heads: number): tf.Tensor {
  const [q, k, v, out, up, down] = layers;
  const n = parts.norm(x, norms[0]);
  const [a, b, c] = [q, k, v].map((each) => parts.dense(n, each) as tf.Tensor3D) as [
    tf.Tensor3D,
    tf.Tensor3D,
    tf.Tensor3D,
  ];
  const y = parts.dense(parts.attention(a, b, c, heads), out, "linear", x);
  return parts.dense(parts.dense(parts.norm(y, norms[1]), up, "gelu"), down, "linear", y);
}

function mlp(parts: Parts): () => tf.Scalar {
  const layers = [layer(108, 256), layer(256, 128)];
  const x = noise([1024, 108], 1);
  const end = finish(parts, 128, 2, 1024);
  return () => end(layers.reduce((h, each) => parts.dense(h, each, "relu"), x) as tf.Tensor2D);
}

function featureTransformer(parts: Parts): () => tf.Scalar {
  const blocks = [block(64, 128), block(64, 128)];
  const last = scale(64);
  const x = noise([256, 14, 64], 1);
  const end = finish(parts, 64, 2, 256);
  return () => {
    const h = blocks.reduce((h, each) => encode(parts, h, each, 4), x);
    return end(parts.norm(tf.reshape(tf.slice(h, [0, 0, 0], [256, 1, 64]), [256, 64]), last) as tf.Tensor2D);
  };
}

function transformer(parts: Parts): () => tf.Scalar {
  const [batch, tokens, width] = [32, 128, 128];
  const blocks = [1, 2, 3, 4].map(() => block(width, 4 * width));
  const table = tf.variable(noise([30522, width], ++seed, 0.5));
  const positions = tf.variable(noise([tokens, width], ++seed, 0.1));
  const last = scale(width);
  const words = tf.tensor2d(integers(batch * tokens, 30522, 1), [batch, tokens], "int32");
  const end = finish(parts, width, 2, batch);
  return () => {
    const h = blocks.reduce<tf.Tensor>(
      (h, each) => encode(parts, h, each, 2),
      tf.add(tf.gather(table, words), positions),
    );
    return end(tf.mean(parts.norm(h, last), 1) as tf.Tensor2D);
  };
}

function trees(parts: Parts): () => tf.Scalar {
  const [batch, fanOuts, width] = [128, [15, 10, 5], 256];
  const layers = [100, width, width].map((inputs) => [layer(inputs, width), layer(inputs, width)] as const);
  const counts = fanOuts.reduce((all, fanOut) => all.concat((all.at(-1) ?? 1) * fanOut), [batch]);
  const features = counts.map((count, i) => noise([count, 100], i + 1) as tf.Tensor2D);
  const end = finish(parts, width, 47, batch);
  return () => {
    let levels = features;
    for (const [own, other] of layers) {
      levels = levels.slice(0, -1).map((h, i) => {
        const around = parts.meanOverNeighbors(levels[i + 1] as tf.Tensor2D, fanOuts[i] ?? 1);
        return parts.dense(h, own, "relu", parts.dense(around, other)) as tf.Tensor2D;
      });
    }
    return end(levels[0] as tf.Tensor2D);
  };
}

function graphs(parts: Parts): () => tf.Scalar {
  const [width, nodes, edges] = [256, [1024, 13_000, 80_000, 250_000] as const, [15_360, 130_000, 400_000] as const];
  const layers = [100, width, width].map((inputs) => [layer(inputs, width), layer(inputs, width)] as const);
  const x = noise([nodes[3], 100], 1) as tf.Tensor2D;
  const parents = ([2, 1, 0] as const).map((k): Graph => {
    const [rows, columns, count] = [nodes[k], nodes[k + 1] ?? 0, edges[k]];
    const sources = integers(count, columns, k + 5);
    const targets = Int32Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
    const degrees = new Float32Array(rows);
    for (const target of targets) degrees[target] = (degrees[target] ?? 0) + 1;
    return {
      rows,
      columns,
      edges: { sources, targets },
      sources: tf.tensor1d(sources, "int32"),
      targets: tf.tensor1d(targets, "int32"),
      share: tf.tensor2d(
        degrees.map((degree) => 1 / Math.max(degree, 1)),
        [rows, 1],
      ),
    };
  });
  const end = finish(parts, width, 47, nodes[0]);
  return () => {
    const last = parents.reduce((h, graph, k) => {
      const [own, other] = layers[k] as readonly [Layer, Layer];
      const self = tf.slice(h, [0, 0], [graph.rows, h.shape[1]]);
      return parts.dense(self, own, "relu", parts.dense(parts.aggregate(graph, h), other)) as tf.Tensor2D;
    }, x);
    return end(last);
  };
}

const MODELS = { mlp, featureTransformer, transformer, trees, graphs } satisfies Record<
  ModelName,
  (parts: Parts) => () => tf.Scalar
>;

/** @param fused - with this package's operations, else with those of TensorFlow.js */
export function makeWorkload(name: ModelName, fused: boolean): Workload {
  seed = 0;
  const parts = fused ? FUSED : PLAIN;
  return { loss: MODELS[name](parts), optimizer: parts.optimizer() };
}
