import { ConfigError, Random, ShapeError, useBackend } from "@l0gm/core";
import { checkGradient, expectClose, expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { dense, gcnMatrix, meanMatrix, multiply } from "../../test/dense.ts";
import { Csr } from "../csr.ts";
import { GatConv } from "./gat-conv.ts";
import { GcnConv } from "./gcn-conv.ts";
import type { GraphLayer } from "./graph-layer.ts";
import { SageConv } from "./sage-conv.ts";

await useBackend("cpu");
afterEach(async () => {
  await useBackend("cpu");
});

/** Directed, with a self-loop, and a node that receives nothing. */
const square = Csr.fromEdges([0, 1, 2, 2, 4, 3, 1], [1, 0, 0, 2, 2, 4, 4], { nodes: 5 });
const block = new Csr({
  rows: 2,
  columns: 5,
  offsets: Int32Array.of(0, 3, 5),
  neighbors: Int32Array.of(1, 3, 4, 0, 2),
});

type Values = Readonly<Record<string, Float32Array>>;
type Reference = (weights: Values, graph: Csr, x: Float32Array) => number[];
type Maker = (inputs: number) => GraphLayer<object, string>;

const OUTPUTS = 4;
const relu = (values: number[]): number[] => values.map((value) => Math.max(0, value));
const matrix = (values: Float32Array, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
const biased = (values: number[], bias: Float32Array = new Float32Array()): number[] =>
  values.map((value, i) => value + (bias[i % bias.length] ?? 0));

function sage(matrixOf: (graph: Csr) => number[][], x: Float32Array, graph: Csr, weights: Values): number[] {
  const { self = new Float32Array(), neighbors = new Float32Array(), bias } = weights;
  const inputs = self.length / OUTPUTS;
  const own = multiply(matrix(x.subarray(0, graph.rows * inputs), inputs), self, OUTPUTS);
  const received = multiply(
    matrix(Float32Array.from(multiply(matrixOf(graph), x, inputs)), inputs),
    neighbors,
    OUTPUTS,
  );
  return biased(
    own.map((value, i) => value + (received[i] ?? 0)),
    bias,
  );
}

/** Attention by its definition, head by head over a dense mask. */
function attention(heads: number, merge: "concat" | "mean"): Reference {
  return ({ kernel = new Float32Array(), sender = [], receiver = [], bias }, graph, x) => {
    const headWidth = sender.length / heads;
    const width = heads * headWidth;
    const inputs = kernel.length / width;
    const z = multiply(matrix(x, inputs), kernel, width);
    const mask = dense(graph).map((row, i) => row.map((value, j) => value !== 0 || i === j));
    const rows = mask.map((row) => {
      const byHead = Array.from({ length: heads }, (_, head) => {
        const part = (node: number, vector: ArrayLike<number>): number =>
          Array.from({ length: headWidth }, (_, k) => {
            const place = head * headWidth + k;
            return (z[node * width + place] ?? 0) * (vector[place] ?? 0);
          }).reduce((a, b) => a + b, 0);
        const i = mask.indexOf(row);
        const powers = row.map((edge, j) => {
          const score = part(j, sender) + part(i, receiver);
          return edge ? Math.exp(score > 0 ? score : 0.2 * score) : 0;
        });
        const total = powers.reduce((a, b) => a + b, 0);
        return Array.from({ length: headWidth }, (_, k) =>
          powers.reduce((sum, power, j) => sum + (power / total) * (z[j * width + head * headWidth + k] ?? 0), 0),
        );
      });
      if (merge === "concat") return byHead.flat();
      return Array.from({ length: headWidth }, (_, k) => byHead.reduce((sum, own) => sum + (own[k] ?? 0), 0) / heads);
    });
    return biased(rows.flat(), bias);
  };
}

const layersUnderTest: [string, Maker, Reference][] = [
  [
    "SageConv, mean",
    (inputs) => new SageConv({ inputs, outputs: OUTPUTS, activation: "relu" }),
    (weights, graph, x) => relu(sage(meanMatrix, x, graph, weights)),
  ],
  [
    "SageConv, sum",
    (inputs) => new SageConv({ inputs, outputs: OUTPUTS, aggregate: "sum" }),
    (weights, graph, x) => sage(dense, x, graph, weights),
  ],
  [
    "GcnConv",
    (inputs) => new GcnConv({ inputs, outputs: OUTPUTS, activation: "relu" }),
    ({ kernel = new Float32Array(), bias }, graph, x) => {
      const inputs = kernel.length / OUTPUTS;
      const received = Float32Array.from(multiply(gcnMatrix(graph), x, inputs));
      return relu(biased(multiply(matrix(received, inputs), kernel, OUTPUTS), bias));
    },
  ],
  ["GatConv, concat", (inputs) => new GatConv({ inputs, headWidth: 2, heads: 2 }), attention(2, "concat")],
  ["GatConv, mean", (inputs) => new GatConv({ inputs, headWidth: 4, heads: 3, merge: "mean" }), attention(3, "mean")],
];

/** Values of their own for all weights, biases included. */
function filled(layer: GraphLayer<object, string>, inputs: number): Values {
  layer.build([null, inputs]);
  const named = layer.weights.map((weight, i) => {
    const { shape, originalName } = weight;
    const values = Random.from(11, originalName, i).normals(tf.util.sizeFromShape(shape as number[]), 0.1, 0.5);
    weight.write(tf.tensor(values, shape as number[]));
    return [originalName.split("/").at(-1) ?? "", values] as const;
  });
  return Object.fromEntries(named);
}

describe.each(layersUnderTest)("%s", (_, make, reference) => {
  // Fewer inputs than outputs, and more, which is multiplied and aggregated in another order.
  test.each([
    ["cpu", 3],
    ["wasm", 3],
    ["cpu", 40],
    ["wasm", 40],
  ] as const)("equals dense matrices, on %s with %i inputs", async (backend, inputs) => {
    await useBackend(backend);
    for (const graph of [square, block]) {
      const layer = make(inputs);
      const weights = filled(layer, inputs);
      const x = Random.from(2).normals(5 * inputs);
      const y = layer.apply(tf.tensor2d(x, [5, inputs]), { graph }) as tf.Tensor;
      expect(y.shape).toEqual([graph.rows, OUTPUTS]);
      expectClose(await y.data(), reference(weights, graph, x), { absolute: 1e-5, relative: 1e-4 });
    }
  });

  test.each(["cpu", "wasm"] as const)("has the gradients of finite differences, on %s", async (backend) => {
    await useBackend(backend);
    const inputs = 3;
    for (const graph of [square, block]) {
      const layer = make(inputs);
      filled(layer, inputs);
      const x = tf.tensor2d(Random.from(3).normals(5 * inputs), [5, inputs]);
      const run = (z: tf.Tensor): tf.Tensor => layer.apply(z, { graph }) as tf.Tensor;
      // Small steps: a kink of ReLU within one would not be the gradient's fault.
      await checkGradient(run, x, { epsilon: 2e-3 });
      for (const weight of layer.weights) {
        const at = tf.clone(weight.read());
        await checkGradient(
          (value) => {
            // Written for the difference, read through the tape for the gradient.
            const read = weight.read.bind(weight);
            weight.read = () => value;
            try {
              return run(x);
            } finally {
              weight.read = read;
            }
          },
          at,
          { epsilon: 2e-3 },
        );
      }
    }
  });

  test("leaves no tensors behind, and says what it needs", async () => {
    const layer = make(3);
    const x = tf.ones([5, 3]);
    await expectNoLeak(() => tf.dispose(layer.apply(x, { graph: square }) as tf.Tensor));
    expect(() => layer.apply(x)).toThrow(ConfigError);
    expect(() => layer.apply(tf.ones([4, 3]), { graph: square })).toThrow(ShapeError);
    expect(layer.computeOutputShape([null, 3])).toEqual([null, OUTPUTS]);
    const config = layer.getConfig() as { inputs: number };
    expect(config.inputs).toBe(3);
    expect(() => make(0)).toThrow(ConfigError);
  });

  test("starts alike for the same seed", () => {
    const values = (layer: GraphLayer<object, string>): number[] => {
      layer.build([null, 3]);
      return layer.getWeights().flatMap((weight) => [...weight.dataSync()]);
    };
    expect(values(make(3))).toEqual(values(make(3)));
  });
});

test("attention drops out in training alone, otherwise each time", async () => {
  const layer = new GatConv({ inputs: 3, headWidth: 2, heads: 2, attentionDropout: 0.5 });
  const x = tf.tensor2d(Random.from(4).normals(15), [5, 3]);
  const run = (training: boolean): string =>
    String((layer.apply(x, { graph: square, training }) as tf.Tensor).dataSync());
  expect(run(false)).toBe(run(false));
  expect(new Set([1, 2, 3, 4].map(() => run(true))).size).toBeGreaterThan(1);
});

test("options are checked", () => {
  expect(() => new SageConv({ inputs: 3, outputs: 2, aggregate: "max" as "sum" })).toThrow(ConfigError);
  expect(() => new GatConv({ inputs: 3, headWidth: 2, merge: "sum" as "mean" })).toThrow(ConfigError);
  expect(() => new GatConv({ inputs: 3, headWidth: 2, attentionDropout: 1 })).toThrow(ConfigError);
});
