import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { ConfigError, L0gmError, ShapeError } from "../errors.ts";
import { type GateOptions, HardConcreteGate } from "../gate/gate-layer.ts";
import { Random } from "../random.ts";
import { expectClose, expectNoLeak } from "../testing/index.ts";
import type { Dataset, Encoder } from "./encoder.ts";
import { EVALUATION, GatedClassifier, predict } from "./gated-classifier.ts";
import { layersEncoder } from "./layers-encoder.ts";

beforeAll(() => useBackend(inject("backend")));

const encoderOf = (width = 6): Encoder<tf.Tensor> =>
  layersEncoder(sequential({ layers: [layers.dense({ units: width, inputShape: [3] })] }));

function modelOf(gate: GateOptions | HardConcreteGate | false = {}): GatedClassifier<tf.Tensor> {
  return new GatedClassifier({ encoder: encoderOf(), classes: 4, gate, seed: 2 });
}

const batch = (rows = 5): tf.Tensor2D => tf.tensor2d(Random.from(7).normals(rows * 3), [rows, 3]);
const sampled = (seed = 1): typeof EVALUATION => ({ ...EVALUATION, gateNoise: Random.from(seed) });

describe("forward pass", () => {
  test.each<[string, GateOptions | false, boolean]>([
    ["dense", false, false],
    ["with deterministic gates", { initialOpen: 0.6 }, false],
    ["with noise a batch", { initialOpen: 0.6 }, true],
    ["with noise a row", { initialOpen: 0.6, noise: "row" }, true],
    ["with group gates", { initialOpen: 0.6, groups: [0, 0, 1, 1, 1, 2] }, true],
  ])("%s: logits are the head of the embedding, which is h times z", async (_, gate, noise) => {
    const model = modelOf(gate);
    const context = (): typeof EVALUATION => (noise ? sampled() : EVALUATION);
    const h = model.encoder.encode(batch(), EVALUATION);
    const z = model.gate?.values(noise ? Random.from(1) : undefined, 5) ?? tf.ones([1, 6]);
    const embedding = model.embed(batch(), context());
    expectClose(await embedding.data(), await tf.mul(h, z).data());
    const logits = await model.head.apply(embedding).data();
    expectClose(await model.logits(batch(), context()).data(), logits, { absolute: 1e-5 });
    const pass = model.forward(batch(), context());
    expectClose(await pass.logits.data(), logits, { absolute: 1e-5 });
    // What the penalty is put on comes with sampled gates alone.
    const expected = noise ? await model.gate?.expectedFraction().data() : undefined;
    expectClose((await pass.expected?.data()) ?? [], expected ?? []);
  });

  test("the gradient reaches encoder, head and log alpha", async () => {
    const model = modelOf({ initialOpen: 0.6 });
    const variables = [
      ...model.parameters.map(({ variable }) => variable),
      model.gate?.logAlpha ?? tf.variable(tf.scalar(0)),
    ];
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.square(model.logits(batch(), sampled()))) as tf.Scalar,
      variables,
    );
    for (const variable of variables) {
      expect((await grads[variable.name]?.data())?.some((value) => value !== 0)).toBe(true);
    }
  });

  test("leaves its results and no other tensor", async () => {
    const model = modelOf({ noise: "row" });
    const x = batch();
    await expectNoLeak(() => {
      const { logits, expected } = model.forward(x, sampled());
      tf.dispose([logits, ...(expected === undefined ? [] : [expected])]);
    });
  });

  test("leaves one tensor", async () => {
    const model = modelOf({ noise: "row" });
    const x = batch();
    await expectNoLeak(() => {
      tf.dispose([model.logits(x), model.logits(x, sampled()), model.embed(x), model.embed(x, sampled())]);
    });
  });
});

describe("construction", () => {
  test("the seed decides head and gates", async () => {
    const weights = async (seed: number): Promise<unknown[]> => {
      const { head, gate } = new GatedClassifier({ encoder: encoderOf(), classes: 2, seed });
      return [await head.kernel.data(), await gate?.logAlpha.data()];
    };
    expect(await weights(1)).toEqual(await weights(1));
    const [head, logAlpha] = await weights(2);
    expect(head).not.toEqual((await weights(1))[0]);
    expect(logAlpha).not.toEqual((await weights(1))[1]);
  });

  test("takes a gate layer as it is, built or not", () => {
    const gate = new HardConcreteGate();
    expect(modelOf(gate).gate).toBe(gate);
    const builtGate = new HardConcreteGate();
    builtGate.build([null, 6]);
    expect(modelOf(builtGate).gate).toBe(builtGate);
  });

  test("names every variable once: parameters, buffers, gate", () => {
    const encoder = layersEncoder(
      sequential({ layers: [layers.batchNormalization({ inputShape: [3] }), layers.dense({ units: 6 })] }),
    );
    const model = new GatedClassifier({ encoder, classes: 2 });
    expect(model.parameters.map(({ name }) => name)).toEqual([
      "encoder/layer0/gamma",
      "encoder/layer0/beta",
      "encoder/layer1/kernel",
      "encoder/layer1/bias",
      "head/kernel",
      "head/bias",
    ]);
    expect(model.variables.map(({ name }) => name).slice(6)).toEqual([
      "encoder/layer0/moving_mean",
      "encoder/layer0/moving_variance",
      "gate/log_alpha",
      "gate/fixed",
    ]);
  });

  test.each([1, 0, 2.5, Number.NaN])("%d classes are an error", (classes) => {
    expect(() => new GatedClassifier({ encoder: encoderOf(), classes })).toThrow(ConfigError);
  });

  test("a gate of another width is an error", () => {
    const gate = new HardConcreteGate();
    gate.build([null, 5]);
    expect(() => modelOf(gate)).toThrow(/expected \[batch, 6\], received 5/);
    expect(() => modelOf({ groups: [0, 0, 0] })).toThrow(ShapeError);
  });

  test("refused options leave no variable behind", () => {
    const encoder = encoderOf();
    const before = tf.memory().numTensors;
    for (const gate of [{ temperature: -1 }, { groups: [0, 0, 0] }, { costs: [1] }]) {
      expect(() => new GatedClassifier({ encoder, classes: 2, gate })).toThrow(L0gmError);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test("dispose frees every variable", () => {
    const before = tf.memory().numTensors;
    modelOf().dispose();
    modelOf(false).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("predict", () => {
  function dataset(
    parts: readonly number[],
    declared = parts.reduce((a, b) => a + b, 0),
    classes = 4,
  ): Dataset<tf.Tensor> {
    return {
      rows: declared,
      classes,
      async *batches() {
        let row = 0;
        for (const rows of parts) {
          const inputs = tf.slice2d(batch(20), [row, 0], [rows, 3]);
          yield { inputs, labels: Int32Array.from({ length: rows }, (_, i) => (row + i) % 4) };
          inputs.dispose();
          row += rows;
        }
      },
    };
  }

  test("gives the logits and labels of all rows in order, however they are cut", async () => {
    const model = modelOf({ noise: "row" });
    const { logits, labels, classes } = await predict(model, dataset([3, 1, 5]));
    expect(classes).toBe(4);
    expect([...labels]).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0]);
    const x = tf.slice2d(batch(20), [0, 0], [9, 3]);
    expectClose(logits, await model.logits(x).data(), { absolute: 1e-5 });
  });

  test("takes batches as they are, without a dataset around them", async () => {
    const model = modelOf();
    const data = dataset([3, 1, 5]);
    expect(await predict(model, data.batches(1))).toEqual(await predict(model, data));
    const inputs = batch(2);
    const listed = await predict(model, [{ inputs, labels: Int32Array.of(1, 0) }]);
    expect([...listed.labels]).toEqual([1, 0]);
    expect(listed.logits).toHaveLength(8);
    await expect(predict(model, [{ inputs, labels: Int32Array.of(1) }])).rejects.toThrow(/expected 2 labels/);
  });

  test("asks for batches of the size given, or of the dataset's own", async () => {
    const sizes: number[] = [];
    const data = dataset([2]);
    const spy: Dataset<tf.Tensor> = {
      ...data,
      batches: (size) => {
        sizes.push(size);
        return data.batches(size);
      },
    };
    await predict(modelOf(), spy);
    await predict(modelOf(), spy, { batchSize: 7 });
    await predict(modelOf(), { ...spy, evaluationBatchSize: 5 });
    expect(sizes).toEqual([1024, 7, 5]);
  });

  test("stops at the next batch when a timer tells it to", async () => {
    const stop = new AbortController();
    let batches = 0;
    const endless: Dataset<tf.Tensor> = {
      ...dataset([1]),
      rows: Number.POSITIVE_INFINITY,
      *batches() {
        for (; ; batches++) {
          const inputs = batch(1);
          yield { inputs, labels: Int32Array.of(0) };
          inputs.dispose();
        }
      },
    };
    setTimeout(() => stop.abort(new Error("enough")), 1);
    await expect(predict(modelOf(), endless, { signal: stop.signal })).rejects.toThrow("enough");
    expect(batches).toBeGreaterThan(0);
  });

  test("refuses data of other classes, or of other rows than it declares", async () => {
    await expect(predict(modelOf(), dataset([3], 3, 5))).rejects.toThrow(/data of 4 classes, as the model, received 5/);
    await expect(predict(modelOf(), dataset([3], 4))).rejects.toThrow(
      /expected 4 rows, as the dataset declares, received 3/,
    );
    await expect(predict(modelOf(), dataset([3, 3], 4))).rejects.toThrow(/expected 4 rows.*received more/);
  });

  test("refuses a batch whose labels are not one a row", async () => {
    const data: Dataset<tf.Tensor> = {
      rows: 3,
      classes: 4,
      *batches() {
        yield { inputs: batch(2), labels: new Int32Array(3) };
      },
    };
    await expect(predict(modelOf(), data)).rejects.toThrow(
      /expected 2 labels, one for each row of the batch, received 3/,
    );
  });
});
