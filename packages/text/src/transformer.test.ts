import { ConfigError, type Encoder, EVALUATION, Random, rebuildEncoder, useBackend } from "@l0gm/core";
import { checkParameterGradients, countTensors, expectClose, expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeEach, describe, expect, test } from "vitest";
import type { TextBatch, TokenBatch } from "./batch.ts";
import { type TransformerEncoderOptions, transformerEncoder } from "./transformer.ts";

await useBackend("cpu");

const options: TransformerEncoderOptions = {
  vocabularySize: 12,
  hidden: 8,
  heads: 2,
  layers: 2,
  maximumLength: 6,
  width: 5,
};
const at = (step: number) => ({ training: true, random: Random.from(0, "dropout", step) });

function batchOf(ids: number[][], padding: number[]): TokenBatch {
  const mask = ids.map((row, i) => row.map((_, j) => Number(j < row.length - (padding[i] ?? 0))));
  return { ids: tf.tensor2d(ids, undefined, "int32"), mask: tf.tensor2d(mask) };
}

const batch = () =>
  batchOf(
    [
      [2, 5, 7, 3],
      [2, 9, 3, 0],
    ],
    [0, 1],
  );

beforeEach(() => useBackend("cpu"));

const encoders: [string, (changes?: Partial<TransformerEncoderOptions>) => Encoder<TextBatch>][] = [
  ["learned positions, mean", (changes) => transformerEncoder({ ...options, ...changes })],
  ["rotary positions, mean", (changes) => transformerEncoder({ ...options, positions: "rotary", ...changes })],
  ["learned positions, cls", (changes) => transformerEncoder({ ...options, pooling: "cls", ...changes })],
];

describe.each(encoders)("%s", (_, make) => {
  test("does not see padding", () => {
    const encoder = make();
    const padded = encoder.encode(batch(), EVALUATION).dataSync();
    expect(padded.length).toBe(10);
    const alone = encoder.encode(batchOf([[2, 9, 3]], [0]), EVALUATION).dataSync();
    expectClose(padded.subarray(5), alone);
    const otherwise = encoder.encode(batchOf([[2, 9, 3, 11]], [1]), EVALUATION).dataSync();
    expectClose(otherwise, alone);
  });

  test("sees the order of the tokens", () => {
    const encoder = make();
    const [a, b] = [
      [2, 5, 7, 3],
      [2, 7, 5, 3],
    ].map((ids) => encoder.encode(batchOf([ids], [0]), EVALUATION).dataSync());
    expect(a).not.toEqual(b);
  });

  test("gives numbers for a row that is all padding", () => {
    const encoder = make();
    const values = encoder.encode(batchOf([[0, 0, 0]], [3]), EVALUATION).dataSync();
    expect(values.every(Number.isFinite)).toBe(true);
  });

  test("has right gradients for every parameter", async () => {
    const encoder = make({ layers: 1 });
    const inputs = batch();
    // Embeddings begin near 0, where a normalisation bends more than a difference can follow.
    for (const { name, variable } of encoder.parameters) {
      if (name.endsWith("/table")) tf.tidy(() => variable.assign(tf.mul(variable, 40)));
    }
    await checkParameterGradients(() => encoder.encode(inputs, EVALUATION), encoder.parameters, {
      epsilon: 3e-3,
      tolerance: 3e-3,
    });
  });

  test("is the same on the WebAssembly kernels, gradients and dropout included", async () => {
    const run = async (backend: "cpu" | "wasm"): Promise<Float32Array[]> => {
      await useBackend(backend);
      const encoder = make({ seed: 3 });
      const inputs = batch();
      const loss = (): tf.Scalar => tf.sum(tf.square(encoder.encode(inputs, at(5))));
      const { value, grads } = tf.variableGrads(loss, [...encoder.parameters.map(({ variable }) => variable)]);
      return Promise.all([value, ...Object.values(grads)].map((tensor) => tensor.data<"float32">()));
    };
    const [plain, fused] = [await run("cpu"), await run("wasm")];
    expect(fused.length).toBe(plain.length);
    fused.forEach((values, i) => {
      expectClose(values, plain[i] ?? [], { absolute: 1e-4, relative: 1e-4 });
    });
  });

  test("narrows, is rebuilt from its description, and leaves no tensors", async () => {
    const encoder = make({ seed: 2 });
    const whole = encoder.encode(batch(), EVALUATION);
    const narrow = encoder.narrow?.([3, 1]);
    expectClose(narrow?.encode(batch(), EVALUATION).dataSync() ?? [], tf.gather(whole, [3, 1], 1).dataSync());
    const rebuilt = rebuildEncoder(JSON.parse(JSON.stringify(encoder.describe?.()))) as Encoder<TextBatch>;
    expect(rebuilt.encode(batch(), EVALUATION).dataSync()).toEqual(whole.dataSync());
    const inputs = batch();
    await expectNoLeak((step) => {
      const { value, grads } = tf.variableGrads(() => tf.sum(encoder.encode(inputs, at(step))) as tf.Scalar);
      tf.dispose([value, grads]);
    });
    expect(await countTensors(() => make().dispose())).toBe(0);
  });
});

test("hides some of a training text's tokens, none in evaluation", () => {
  const encoder = transformerEncoder({ ...options, dropout: 0, tokenDropout: 0.5 });
  const text = () => batchOf([[2, 5, 7, 3]], [0]);
  const whole = [...encoder.encode(text(), EVALUATION).dataSync()];
  const masks = Array.from({ length: 16 }, (_, i) => Array.from({ length: 4 }, (_, j) => (i >> j) & 1));
  // What the text is with each part of its tokens hidden.
  const parts = masks.map((mask) => [
    ...encoder.encode({ ...text(), mask: tf.tensor2d([mask]) }, EVALUATION).dataSync(),
  ]);
  expect(parts[15]).toEqual(whole);
  const seen = Array.from({ length: 30 }, (_, step) => {
    const numbers = encoder.encode(text(), at(step)).dataSync();
    const distances = parts.map((part) => Math.max(...part.map((x, i) => Math.abs(x - (numbers[i] ?? Number.NaN)))));
    expect(Math.min(...distances)).toBeLessThan(1e-5);
    return distances.indexOf(Math.min(...distances));
  });
  expect(new Set(seen).size).toBeGreaterThan(6);
});

test("refuses options and batches that do not fit", () => {
  const make = (changes: Partial<TransformerEncoderOptions>) => () => transformerEncoder({ ...options, ...changes });
  expect(make({ heads: 3 })).toThrow(ConfigError);
  expect(make({ hidden: 6, heads: 2, positions: "rotary" })).toThrow(/even number/);
  expect(make({ positions: "none" as "learned" })).toThrow(/rotary/);
  expect(make({ pooling: "max" as "mean" })).toThrow(/pooling/);
  expect(make({ dropout: 1 })).toThrow(ConfigError);
  const encoder = transformerEncoder(options);
  expect(() => encoder.encode(batchOf([[1, 2, 3, 4, 5, 6, 7]], [0]), EVALUATION)).toThrow(/tokens at most/);
  const hidden = { hidden: tf.zeros<tf.Rank.R3>([1, 2, 8]), mask: tf.ones<tf.Rank.R2>([1, 2]), layers: 1 };
  expect(() => encoder.encode(hidden, EVALUATION)).toThrow(/token ids/);
});
