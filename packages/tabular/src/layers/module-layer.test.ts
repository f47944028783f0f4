import { useBackend } from "@l0gm/core";
import { expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import {
  input,
  type LayersModel,
  layers,
  loadLayersModel,
  model,
  type SymbolicTensor,
  sequential,
} from "@tensorflow/tfjs-layers";
import { describe, expect, test } from "vitest";
import { CategoricalEmbedding } from "./categorical-embedding.ts";
import { FeatureTokenizer } from "./feature-tokenizer.ts";
import { PeriodicEmbedding } from "./periodic-embedding.ts";
import { PiecewiseLinearEmbedding } from "./piecewise-linear-embedding.ts";

await useBackend("cpu");

const numbers = tf.tensor2d([-0.4, 0.3, 1.1, -0.7, 0.2, 0.9], [3, 2]);
const codes = tf.tensor2d([1, 0, 2, 1, 0, 1], [3, 2], "int32");

function endingIn(first: layers.Layer): LayersModel {
  return sequential({ layers: [first, layers.flatten(), layers.dense({ units: 1 })] });
}

function tokenizing(): LayersModel {
  const inputs = [input({ shape: [2] }), input({ shape: [2], dtype: "int32" })];
  const tokens = new FeatureTokenizer({ columns: 2, cardinalities: [3, 2], dimension: 4, seed: 5 }).apply(inputs);
  const flat = layers.flatten().apply(tokens as SymbolicTensor);
  return model({ inputs, outputs: layers.dense({ units: 1 }).apply(flat) as SymbolicTensor });
}

const edges = [
  [-1, 0, 1],
  [0, 1],
];

describe.each<[string, () => LayersModel, tf.Tensor | tf.Tensor[]]>([
  [
    "CategoricalEmbedding",
    () => endingIn(new CategoricalEmbedding({ cardinalities: [3, 2], dimension: 4, inputShape: [2], dtype: "int32" })),
    codes,
  ],
  [
    "PiecewiseLinearEmbedding",
    () => endingIn(new PiecewiseLinearEmbedding({ edges, dimension: 4, inputShape: [2] })),
    numbers,
  ],
  [
    "PeriodicEmbedding",
    () => endingIn(new PeriodicEmbedding({ columns: 2, dimension: 4, inputShape: [2], seed: 3 })),
    numbers,
  ],
  ["FeatureTokenizer", tokenizing, [numbers, codes]],
])("%s in a tf.layers model", (_, make, inputs) => {
  test("trains by fit", async () => {
    const trained = make();
    trained.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const before = trained.getWeights().map((weight) => [...weight.dataSync()]);
    const targets = tf.tensor2d([1, -1, 2], [3, 1]);
    const { history } = await trained.fit(inputs, targets, { epochs: 20, verbose: 0 });
    const losses = history["loss"] as number[];
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
    trained.getWeights().forEach((weight, i) => {
      expect([...weight.dataSync()]).not.toEqual(before[i]);
    });
  });

  test("is saved and reloaded with its model", async () => {
    const saved = make();
    let artifacts: tf.io.ModelArtifacts | undefined;
    await saved.save(
      tf.io.withSaveHandler(async (given) => {
        artifacts = given;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
      }),
    );
    if (artifacts === undefined) throw new Error("nothing was saved");
    const topology = JSON.parse(JSON.stringify(artifacts.modelTopology));
    const loaded = await loadLayersModel(tf.io.fromMemory({ ...artifacts, modelTopology: topology }));
    const [expected, actual] = [saved.predict(inputs), loaded.predict(inputs)] as [tf.Tensor, tf.Tensor];
    expect([...actual.dataSync()]).toEqual([...expected.dataSync()]);
  });

  test("leaves no tensors behind", async () => {
    const applied = make();
    await expectNoLeak(() => tf.dispose(applied.predict(inputs)));
  });
});

test("the seed decides the initial values, and 0 is a seed", () => {
  const weights = (seed: number): number[] => {
    const layer = new PeriodicEmbedding({ columns: 2, dimension: 3, seed });
    layer.build([null, 2]);
    return layer.getWeights().flatMap((weight) => [...weight.dataSync()]);
  };
  expect(weights(0)).toEqual(weights(0));
  expect(weights(0)).not.toEqual(weights(1));
});
