import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import {
  model as functional,
  input,
  type LayersModel,
  layers,
  type SymbolicTensor,
  sequential,
} from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { ConfigError, FormatError, ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import { expectClose, expectNoLeak } from "../testing/index.ts";
import type { Encoder } from "./encoder.ts";
import { rebuildEncoder } from "./encoder-registry.ts";
import { EVALUATION } from "./gated-classifier.ts";
import { layersEncoder } from "./layers-encoder.ts";

beforeAll(() => useBackend(inject("backend")));

const plain = (): LayersModel =>
  sequential({ layers: [layers.dense({ units: 5, activation: "relu", inputShape: [3] }), layers.dense({ units: 4 })] });

const normalised = (): LayersModel =>
  sequential({
    layers: [layers.dense({ units: 5, inputShape: [3] }), layers.batchNormalization(), layers.dense({ units: 4 })],
  });

const branched = (): LayersModel => {
  const x = input({ shape: [3] });
  const side = layers.dense({ units: 2, activation: "tanh" }).apply(x) as SymbolicTensor;
  const joined = layers.concatenate().apply([x, side]) as SymbolicTensor;
  return functional({ inputs: x, outputs: layers.dense({ units: 4 }).apply(joined) as SymbolicTensor });
};

const batch = (): tf.Tensor2D => tf.tensor2d(Random.from(3).normals(15), [5, 3]);
const output = async (encoder: Encoder<tf.Tensor>): Promise<number[][]> => encoder.encode(batch(), EVALUATION).array();
const training = { training: true, random: Random.from(0) };

const kinds: [string, () => LayersModel][] = [
  ["a sequential model", plain],
  ["one with batch normalisation", normalised],
  ["a functional model", branched],
];

describe.each(kinds)("%s", (_, make) => {
  test("encodes as the model predicts", async () => {
    const model = make();
    const predicted = (await (model.predict(batch()) as tf.Tensor2D).array()).flat();
    expectClose((await output(layersEncoder(model))).flat(), predicted);
    expect(layersEncoder(model).width).toBe(4);
  });

  test("narrowing equals slicing, and the copy owns its weights", async () => {
    const encoder = layersEncoder(make());
    // Running statistics other than the initial ones.
    encoder.encode(batch(), training);
    const expected = (await output(encoder)).flatMap((row) => [row[2] ?? Number.NaN, row[0] ?? Number.NaN]);
    const narrow = encoder.narrow?.([2, 0]);
    if (narrow === undefined) throw new Error("cannot be narrowed");
    encoder.dispose();
    expectClose((await output(narrow)).flat(), expected);
    expect(narrow.width).toBe(2);
    expect(narrow.describe?.().kind).toBe("core/layers");
  });

  test("is rebuilt from its description with the same names and shapes; with its variables it is the same", async () => {
    const encoder = layersEncoder(make());
    encoder.encode(batch(), training);
    const description: unknown = JSON.parse(JSON.stringify(encoder.describe?.()));
    const copy = rebuildEncoder(description as { kind: string; config: unknown }) as Encoder<tf.Tensor>;
    const variables = (e: Encoder<tf.Tensor>): [string, tf.Variable][] =>
      [...e.parameters, ...(e.buffers ?? [])].map(({ name, variable }) => [name, variable]);
    expect(variables(copy).map(([name, { shape }]) => [name, shape])).toEqual(
      variables(encoder).map(([name, { shape }]) => [name, shape]),
    );
    const sources = new Map(variables(encoder));
    for (const [name, variable] of variables(copy)) variable.assign(sources.get(name) ?? variable);
    expect(await output(copy)).toEqual(await output(encoder));
    expect(copy.cost).toEqual(encoder.cost);
  });
});

describe("parameters", () => {
  test("are named by position and what they are; kernels decay, biases and embeddings do not", () => {
    const model = sequential({
      layers: [
        layers.embedding({ inputDim: 10, outputDim: 4, inputLength: 3 }),
        layers.flatten(),
        layers.dense({ units: 2 }),
      ],
    });
    expect(layersEncoder(model).parameters.map(({ name, decay }) => [name, decay])).toEqual([
      ["layer0/embeddings", false],
      ["layer2/kernel", true],
      ["layer2/bias", false],
    ]);
  });

  test("have different names even inside one layer", () => {
    const inner = plain();
    const names = layersEncoder(sequential({ layers: [inner, layers.dense({ units: 2 })] })).parameters.map(
      (p) => p.name,
    );
    expect(names).toHaveLength(6);
    expect(new Set(names).size).toBe(6);
  });

  test("do not contain frozen weights and running statistics, which are buffers", () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 5, inputShape: [3], trainable: false }),
        layers.batchNormalization(),
        layers.dense({ units: 4 }),
      ],
    });
    const encoder = layersEncoder(model);
    expect(encoder.parameters.map(({ name }) => name)).toEqual([
      "layer1/gamma",
      "layer1/beta",
      "layer2/kernel",
      "layer2/bias",
    ]);
    expect(encoder.buffers?.map(({ name }) => name)).toEqual([
      "layer0/kernel",
      "layer0/bias",
      "layer1/moving_mean",
      "layer1/moving_variance",
    ]);
  });

  test("receive gradients", async () => {
    const encoder = layersEncoder(plain());
    const variables = encoder.parameters.map(({ variable }) => variable);
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.square(encoder.encode(batch(), training))) as tf.Scalar,
      variables,
    );
    for (const variable of variables) {
      const gradient = await grads[variable.name]?.data();
      expect(gradient?.some((value) => value !== 0)).toBe(true);
    }
  });
});

test("cost counts numbers, running statistics included, and multiplications by hand", () => {
  expect(layersEncoder(plain()).cost).toEqual({ parameters: 3 * 5 + 5 + 5 * 4 + 4, macs: 3 * 5 + 5 * 4 });
  expect(layersEncoder(normalised()).cost).toEqual({ parameters: 20 + 20 + 24, macs: 35 });
  const image = sequential({
    layers: [
      layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 1] }),
      layers.flatten(),
      layers.dense({ units: 4 }),
    ],
  });
  expect(layersEncoder(image).cost).toEqual({ parameters: 18 + 2 + 288 + 4, macs: 36 * 18 + 72 * 4 });
  const words = sequential({
    layers: [
      layers.embedding({ inputDim: 100, outputDim: 4, inputLength: 3 }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ],
  });
  expect(layersEncoder(words).cost).toEqual({ parameters: 400 + 26, macs: 24 });
});

test("dropout is active in training only", async () => {
  const model = sequential({
    layers: [layers.dropout({ rate: 0.5, inputShape: [3] }), layers.dense({ units: 4, kernelInitializer: "ones" })],
  });
  const encoder = layersEncoder(model);
  expect(await output(encoder)).toEqual(await output(encoder));
  const ones = tf.ones([50, 3]);
  const trained = (await encoder.encode(ones, training).array()).map((row) => row[0]);
  expect(new Set(trained).size).toBeGreaterThan(1);
  expect(new Set((await encoder.encode(ones, EVALUATION).array()).map((row) => row[0]))).toEqual(new Set([3]));
});

test.each<[string, () => LayersModel]>([
  ["an activation", () => sequential({ layers: [layers.dense({ units: 4, activation: "relu", inputShape: [3] })] })],
  ["no bias", () => sequential({ layers: [layers.dense({ units: 4, useBias: false, inputShape: [3] })] })],
  ["another layer last", () => sequential({ layers: [layers.dense({ units: 4, inputShape: [3] }), layers.reLU()] })],
  [
    "a last layer that is used twice",
    () => {
      const x = input({ shape: [4] });
      const shared = layers.dense({ units: 4 });
      return functional({ inputs: x, outputs: shared.apply(shared.apply(x)) as SymbolicTensor });
    },
  ],
])("with %s the encoder cannot be narrowed", (_, make) => {
  expect(layersEncoder(make()).narrow).toBeUndefined();
});

test("refuses models without one output [rows, d]", () => {
  const sequence = sequential({ layers: [layers.dense({ units: 4, inputShape: [7, 3] })] });
  expect(() => layersEncoder(sequence)).toThrow(ShapeError);
  const x = input({ shape: [3] });
  const two = [layers.dense({ units: 2 }).apply(x), layers.dense({ units: 2 }).apply(x)] as SymbolicTensor[];
  expect(() => layersEncoder(functional({ inputs: x, outputs: two }))).toThrow(ShapeError);
});

test.each([[[]], [[4]], [[-1]]])("narrowing to %j is an error", (keep) => {
  expect(() => layersEncoder(plain()).narrow?.(keep)).toThrow(ShapeError);
});

test("refuses to rebuild what is no tf.layers model", () => {
  expect(() => rebuildEncoder({ kind: "core/layers", config: { className: "Forest", config: {} } })).toThrow(
    FormatError,
  );
});

test("encoding leaves one tensor, narrowing and disposing none", async () => {
  const x = batch();
  const encoder = layersEncoder(normalised());
  await expectNoLeak(() => {
    encoder.encode(x, training).dispose();
    encoder.encode(x, EVALUATION).dispose();
    encoder.narrow?.([0]).dispose();
  });
});

// The default of recurrent layers, orthogonal, needs chained operations, which tfjs-core has only where @tensorflow/tfjs adds them.
const PENALTY = { kernelRegularizer: "l1l2", recurrentInitializer: "glorotNormal" } as const;

test("refuses a loss that nothing would add; of a layer that is not trained it is none", () => {
  const withPenalty = (trainable: boolean): LayersModel => {
    return sequential({
      layers: [layers.dense({ units: 4, inputShape: [3], ...PENALTY, trainable, name: "penalised" })],
    });
  };
  expect(() => layersEncoder(withPenalty(true))).toThrow(/the layer penalised.*weights\.decay/s);
  expect(() => layersEncoder(withPenalty(true))).toThrow(ConfigError);
  expect(layersEncoder(withPenalty(false)).width).toBe(4);
});

test.each([
  ["a model in the model", () => sequential({ layers: [layers.dense({ units: 4, inputShape: [3], ...PENALTY })] })],
  ["a cell", () => layers.simpleRNN({ units: 4, inputShape: [2, 3], ...PENALTY })],
  [
    "one of several cells",
    () => layers.rnn({ cell: [layers.gruCell({ units: 4, ...PENALTY })] as never, inputShape: [2, 3] }),
  ],
  ["a wrapped layer", () => layers.bidirectional({ layer: layers.lstm({ units: 4, ...PENALTY }), inputShape: [2, 3] })],
])("refuses a loss of %s", (_, make) => {
  const model = (trainable: boolean): LayersModel => {
    const part = make();
    part.trainable = trainable;
    return sequential({ layers: [part, layers.dense({ units: 2 })] });
  };
  expect(() => layersEncoder(model(true))).toThrow(/regularizers or penalties of the layer/);
  expect(layersEncoder(model(false)).width).toBe(2);
});
