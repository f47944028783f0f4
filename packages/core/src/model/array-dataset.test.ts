import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, inject, test } from "vitest";
import { ConfigError, DataError, ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import { arrayDataset } from "./array-dataset.ts";
import type { Dataset } from "./encoder.ts";

beforeAll(() => useBackend(inject("backend")));

/** Row i is (i, 10 i) with label i modulo 3. */
const seven = (): Dataset<tf.Tensor2D> =>
  arrayDataset(
    Float32Array.from({ length: 14 }, (_, i) => (i % 2 === 0 ? i / 2 : 5 * (i - 1))),
    Int32Array.from({ length: 7 }, (_, i) => i % 3),
    3,
  );

async function pass(
  data: Dataset<tf.Tensor2D>,
  batchSize: number,
  shuffle?: Random,
): Promise<[number[][], number[]][]> {
  const batches: [number[][], number[]][] = [];
  for await (const { inputs, labels } of data.batches(batchSize, shuffle)) {
    batches.push([await inputs.array(), [...labels]]);
  }
  return batches;
}

test("gives all rows in their stored order; the last batch may be shorter", async () => {
  expect(await pass(seven(), 4)).toEqual([
    [
      [
        [0, 0],
        [1, 10],
        [2, 20],
        [3, 30],
      ],
      [0, 1, 2, 0],
    ],
    [
      [
        [4, 40],
        [5, 50],
        [6, 60],
      ],
      [1, 2, 0],
    ],
  ]);
});

test("shuffled, every row comes once and keeps its label; the stream decides the order", async () => {
  const rows = async (seed: number): Promise<[number[], number][]> =>
    (await pass(seven(), 3, Random.from(seed))).flatMap(([inputs, labels]) =>
      inputs.map((row, i): [number[], number] => [row, labels[i] ?? -1]),
    );
  const shuffled = await rows(1);
  expect(shuffled.map(([[i]]) => i).sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  for (const [[i = -1, ten], label] of shuffled) expect([ten, label]).toEqual([10 * i, i % 3]);
  expect(await rows(1)).toEqual(shuffled);
  expect(await rows(2)).not.toEqual(shuffled);
});

test("disposes a batch when the next is asked for, and when the loop is left", async () => {
  const before = tf.memory().numTensors;
  for await (const { inputs } of seven().batches(2)) {
    expect(tf.memory().numTensors).toBe(before + 1);
    if ((await inputs.data())[0] === 2) break;
  }
  expect(tf.memory().numTensors).toBe(before);
});

test.each([0, -1, 1.5, Number.NaN])("a batch size of %d is an error, not an endless loop", async (batchSize) => {
  await expect(pass(seven(), batchSize)).rejects.toThrow(ConfigError);
});

test("refuses rows of unequal length, no rows, and labels out of range", () => {
  expect(() => arrayDataset(new Float32Array(5), new Int32Array(2), 2)).toThrow(ShapeError);
  expect(() => arrayDataset(new Float32Array(0), new Int32Array(2), 2)).toThrow(ShapeError);
  expect(() => arrayDataset(new Float32Array(0), new Int32Array(0), 2)).toThrow(DataError);
  expect(() => arrayDataset(new Float32Array(2), Int32Array.of(0, 2), 2)).toThrow(
    /row 1: expected a label from 0 to 1/,
  );
});
