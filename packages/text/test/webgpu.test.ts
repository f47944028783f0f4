import { type Encoder, fit, GatedClassifier, predict, Random, seedsFrom, targetFraction, useBackend } from "@l0gm/core";
import { countTensors, expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import type { TextBatch } from "../src/batch.ts";
import { bertEncoder } from "../src/bert.ts";
import { textDataset } from "../src/dataset.ts";
import { transformerEncoder } from "../src/transformer.ts";
import { smallBert } from "./small-bert.ts";

/** Why WebGPU can not be had here; the package `webgpu` is nobody's dependency. */
async function whyNot(): Promise<string | undefined> {
  try {
    await useBackend("webgpu");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n", 1).join("") : String(error);
  }
}

const reason = await whyNot();
const note = reason === undefined ? "" : ` (skipped: ${reason})`;
if (note !== "") console.warn(`text on WebGPU${note}`);

const ids = [
  [2, 7, 9, 3],
  [2, 5, 3],
  [2, 11, 6, 8, 4, 3],
  [2, 10, 3],
];
const labels = Int32Array.of(1, 0, 1, 0);
const rows = textDataset({
  sequences: ids.map((each) => ({ ids: Int32Array.from(each), types: new Uint8Array(each.length) })),
  labels,
  classes: 2,
  paddingId: 0,
});
const small = { vocabularySize: 12, hidden: 8, heads: 2, layers: 2, maximumLength: 6, width: 5 };

const encoders: [name: string, make: () => Encoder<TextBatch> | Promise<Encoder<TextBatch>>][] = [
  ["BERT", async () => await bertEncoder(await smallBert(), { width: 6 })],
  ["BERT with a frozen layer", async () => await bertEncoder(await smallBert(), { width: 6, trainableLayers: 1 })],
  ["a Transformer with learned positions", () => transformerEncoder(small)],
  ["a Transformer with rotary positions", () => transformerEncoder({ ...small, positions: "rotary" })],
];

interface Trained {
  readonly gradients: ReadonlyMap<string, Float32Array>;
  readonly losses: readonly number[];
  readonly logits: ArrayLike<number>;
  /** Tensors that the second of two epochs left. */
  readonly left: number;
}

async function train(make: () => Encoder<TextBatch> | Promise<Encoder<TextBatch>>): Promise<Trained> {
  const model = new GatedClassifier({ encoder: await make(), classes: 2, seed: 3 });
  const context = { training: true, random: Random.from(1, "dropout"), gateNoise: Random.from(2, "gate") };
  const variables = model.variables.filter(({ variable }) => variable.trainable);
  const gradients = new Map<string, Float32Array>();
  for (const { inputs } of rows.batches(4) as Iterable<{ inputs: TextBatch }>) {
    const { value, grads } = tf.variableGrads(
      () => {
        const { logits, expected } = model.forward(inputs, context);
        const loss = tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(labels, "int32"), 2), logits);
        return tf.add(loss, expected ?? 0) as tf.Scalar;
      },
      variables.map(({ variable }) => variable),
    );
    for (const { name, variable } of variables) {
      const gradient = grads[variable.name];
      if (gradient !== undefined) gradients.set(name, Float32Array.from(await gradient.data()));
    }
    tf.dispose([value, grads]);
  }
  const alive: number[] = [];
  const { history } = await fit(
    model,
    { train: rows, validation: rows },
    {
      epochs: 4,
      batchSize: 2,
      controller: targetFraction({ fraction: 0.5 }),
      seeds: seedsFrom(5),
      callbacks: [{ onStepEnd: () => void alive.push(tf.memory().numTensors) }],
    },
  );
  const { logits } = await predict(model, rows);
  model.dispose();
  return {
    gradients,
    losses: history.map(({ trainLoss }) => trainLoss),
    logits,
    left: (alive.at(-1) ?? 0) - (alive[1] ?? 0),
  };
}

describe.skipIf(reason !== undefined)(`text on WebGPU${note}`, () => {
  // A tensor can not be read synchronously there in Node, so that a step that waits would throw.
  // Shaders are compiled on the way, which takes long where they run in software.
  test.each(encoders)("%s is trained as in plain JavaScript", { timeout: 300_000 }, async (_, make) => {
    await useBackend("cpu");
    const expected = await train(make);
    await useBackend("webgpu");
    let trained: Trained | undefined;
    expect(
      await countTensors(async () => {
        trained = await train(make);
      }),
    ).toBe(0);
    expect(trained?.left).toBe(0);
    expect([...(trained?.gradients.keys() ?? [])]).toEqual([...expected.gradients.keys()]);
    for (const [name, gradient] of expected.gradients) {
      const size = gradient.reduce((largest, each) => Math.max(largest, Math.abs(each)), 1e-4);
      expectClose(trained?.gradients.get(name) ?? [], gradient, { absolute: 1e-5 * size + 3e-8 }, name);
    }
    expectClose(trained?.losses ?? [], expected.losses, { absolute: 1e-4 });
    expectClose(trained?.logits ?? [], expected.logits, { absolute: 1e-3 });
  });
});
