import { ConfigError, type Encoder, EVALUATION, Random, rebuildEncoder, ShapeError, useBackend } from "@l0gm/core";
import { countTensors, expectClose, expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import type { TableBatch } from "./dataset.ts";
import { featureTransformerEncoder } from "./feature-transformer-encoder.ts";
import { type MlpEncoderOptions, mlpEncoder } from "./mlp-encoder.ts";
import { TablePreprocessor } from "./preprocess.ts";
import { inferSchema } from "./table.ts";
import { encoderOptionsFrom, type TableColumns } from "./table-encoder.ts";

await useBackend("cpu");

const data: TableColumns = {
  numeric: 2,
  cardinalities: [3, 4],
  binEdges: [
    [-1, 0, 1],
    [0, 1],
  ],
};
const batch: TableBatch = {
  numeric: tf.tensor2d([-0.4, 0.3, 1.1, -0.7, 0.2, 0.9], [3, 2]),
  categorical: tf.tensor2d([1, 0, 2, 3, 0, 1], [3, 2], "int32"),
};
const at = (step: number) => ({ training: true, random: Random.from(0, "dropout", step) });

const mlp = (options: Partial<MlpEncoderOptions> = {}) =>
  mlpEncoder({ data, width: 6, hidden: [8, 5], numericDimension: 3, categoricalDimension: 2, ...options });
const encoders: [string, (seed?: number) => Encoder<TableBatch>][] = [
  ["mlp, plain numbers", (seed = 0) => mlp({ seed, numericEmbedding: "none" })],
  ["mlp, piecewise-linear", (seed = 0) => mlp({ seed })],
  ["mlp, periodic", (seed = 0) => mlp({ seed, numericEmbedding: "periodic", frequencies: 2 })],
  ["feature transformer", (seed = 0) => featureTransformerEncoder({ data, width: 6, tokenWidth: 4, heads: 2, seed })],
];

describe.each(encoders)("%s", (_, make) => {
  test("makes one representation a row", () => {
    const representation = make().encode(batch, EVALUATION);
    expect(representation.shape).toEqual([3, 6]);
    expect(representation.dataSync().every(Number.isFinite)).toBe(true);
    const last = { numeric: tf.slice(batch.numeric, 2), categorical: tf.slice(batch.categorical, 2) };
    expectClose(make().encode(last, EVALUATION).dataSync(), representation.dataSync().slice(12));
  });

  test("narrows to exactly the chosen columns, with weights of its own", () => {
    const encoder = make();
    const keep = [4, 0, 3];
    const expected = tf.gather(encoder.encode(batch, EVALUATION), tf.tensor1d(keep, "int32"), 1).dataSync();
    const narrow = encoder.narrow?.(keep);
    expect(narrow?.width).toBe(3);
    expect(narrow?.describe?.().config).toMatchObject({ width: 3 });
    encoder.dispose();
    expectClose(narrow?.encode(batch, EVALUATION).dataSync() ?? [], expected);
    expectClose(
      narrow?.narrow?.([1]).encode(batch, EVALUATION).dataSync() ?? [],
      [expected[1], expected[4], expected[7]].map(Number),
    );
  });

  test("is rebuilt from its description, weights aside", () => {
    const encoder = make(7);
    const description = JSON.parse(JSON.stringify(encoder.describe?.()));
    const rebuilt = rebuildEncoder(description) as Encoder<TableBatch>;
    expect(rebuilt.parameters.map(({ name, variable }) => [name, variable.shape])).toEqual(
      encoder.parameters.map(({ name, variable }) => [name, variable.shape]),
    );
    expect(rebuilt.cost).toEqual(encoder.cost);
    expect(rebuilt.encode(batch, EVALUATION).dataSync()).toEqual(encoder.encode(batch, EVALUATION).dataSync());
  });

  test("starts alike for the same seed and otherwise for another; 0 is a seed", () => {
    const encoded = (seed: number) => make(seed).encode(batch, EVALUATION).dataSync();
    expect(encoded(0)).toEqual(encoded(0));
    expect(encoded(0)).not.toEqual(encoded(1));
  });

  test("gives on the WebAssembly kernels what plain operations give, gradients and dropout included", async () => {
    const run = async (backend: "cpu" | "wasm"): Promise<Float32Array[]> => {
      await useBackend(backend);
      const encoder = make(3);
      const inputs = { numeric: tf.clone(batch.numeric), categorical: tf.clone(batch.categorical) };
      const loss = (): tf.Scalar => tf.sum(tf.square(encoder.encode(inputs, at(5))));
      const { value, grads } = tf.variableGrads(loss, [...encoder.parameters.map(({ variable }) => variable)]);
      const all = [value, ...encoder.parameters.map(({ variable }) => grads[variable.name] ?? tf.scalar(Number.NaN))];
      return Promise.all(all.map((tensor) => tensor.data<"float32">()));
    };
    const [plain, fused] = [await run("cpu"), await run("wasm")];
    await useBackend("cpu");
    expect(fused.length).toBe(plain.length);
    fused.forEach((values, i) => {
      expectClose(values, plain[i] ?? [], { absolute: 1e-4, relative: 1e-4 });
    });
  });

  test("drops out by address: repeats at a step, differs between steps, is off in evaluation", () => {
    const encoder = make();
    const encoded = (step: number) => encoder.encode(batch, at(step)).dataSync();
    expect(encoded(1)).toEqual(encoded(1));
    const steps = new Set([1, 2, 3, 4, 5].map((step) => encoded(step).join()));
    expect(steps.size).toBeGreaterThan(1);
    expect(encoder.encode(batch, EVALUATION).dataSync()).toEqual(encoder.encode(batch, EVALUATION).dataSync());
  });

  test("has names that differ, and a gradient for every parameter", () => {
    const encoder = make();
    const names = encoder.parameters.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("projection/kernel");
    const variables = encoder.parameters.map(({ variable }) => variable);
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.square(encoder.encode(batch, EVALUATION))) as tf.Scalar,
      variables,
    );
    for (const { name, variable } of encoder.parameters) {
      const gradient = grads[variable.name]?.dataSync() ?? new Float32Array();
      expect([name, gradient.length]).toEqual([name, variable.size]);
      expect([name, gradient.every(Number.isFinite)]).toEqual([name, true]);
    }
  });

  test("leaves no tensors behind, trained or disposed", async () => {
    const encoder = make();
    await expectNoLeak((step) => {
      const { value, grads } = tf.variableGrads(() => tf.sum(encoder.encode(batch, at(step))) as tf.Scalar);
      tf.dispose([value, grads]);
    });
    encoder.dispose();
    const left = await countTensors(() => {
      const whole = make();
      whole.narrow?.([0])?.dispose();
      whole.dispose();
    });
    expect(left).toBe(0);
  });

  test("refuses a batch of other columns", () => {
    const encoder = make();
    expect(() => encoder.encode({ ...batch, numeric: tf.zeros([3, 1]) }, EVALUATION)).toThrow(ShapeError);
    expect(() => encoder.encode({ ...batch, categorical: tf.zeros([3, 3]) }, EVALUATION)).toThrow(
      /categorical \[rows, 2\]/,
    );
    expect(() => encoder.narrow?.([6])).toThrow(ShapeError);
  });
});

describe("cost", () => {
  test("of the mlp", () => {
    // 2 columns x 2 bins x 3, (2 x 3 + 2 x 2) x 8, 8 x 5, 5 x 6
    expect(mlp().cost).toEqual({
      macs: 12 + 80 + 40 + 30,
      parameters: 12 + 6 + 7 * 2 + (80 + 8) + (40 + 5) + (30 + 6),
    });
  });

  test("of the feature transformer", () => {
    const { cost } = featureTransformerEncoder({ data, width: 6, tokenWidth: 4, heads: 2, hidden: 5, blocks: 1 });
    const block = 4 * (16 + 4) + 8 + 2 * (20 + 5) + (20 + 4);
    expect(cost.parameters).toBe(2 * 4 + 7 * 4 + 5 * 4 + block + 8 + (24 + 6));
    expect(cost.macs).toBe((2 + 2 * 5) * 16 + 2 * 5 * 4 + 3 * 20 + 24);
  });
});

describe("columns of one kind", () => {
  const none = tf.zeros<tf.Rank.R2>([3, 0]);
  const makers: [string, (data: TableColumns) => Encoder<TableBatch>][] = [
    ["mlp", (columns) => mlpEncoder({ data: columns, width: 4 })],
    ["feature transformer", (columns) => featureTransformerEncoder({ data: columns, width: 4 })],
  ];
  test.each(makers)("%s", (_, make) => {
    const { binEdges = [] } = data;
    const numbers = make({ numeric: 2, cardinalities: [], binEdges });
    expect(numbers.encode({ ...batch, categorical: none }, EVALUATION).shape).toEqual([3, 4]);
    const categories = make({ numeric: 0, cardinalities: [3, 4], binEdges: [] });
    expect(categories.encode({ ...batch, numeric: none }, EVALUATION).shape).toEqual([3, 4]);
    expect(() => make({ numeric: 0, cardinalities: [] })).toThrow(ConfigError);
  });
});

test("encoderOptionsFrom tells the columns of a preprocessor", () => {
  const rows = [
    { age: 1, town: "Ghent", class: "a" },
    { age: null, town: "Lyon", class: "b" },
  ];
  const preprocessor = TablePreprocessor.fit(rows, inferSchema(rows, { label: "class" }));
  expect(encoderOptionsFrom(preprocessor).data).toMatchObject({ numeric: 2, cardinalities: [4] });
  expect(mlpEncoder(encoderOptionsFrom(preprocessor)).width).toBe(128);
});

test("an encoder that is refused leaves no variables", async () => {
  const refused = () => expect(() => mlp({ hidden: [8, 0] })).toThrow(ConfigError);
  expect(await countTensors(refused)).toBe(0);
});
