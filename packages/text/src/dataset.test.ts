import { ConfigError, DataError, Random, useBackend } from "@l0gm/core";
import { expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketedOrder, textDataset, tokenize } from "./dataset.ts";
import type { TokenSequence } from "./tokenizer.ts";
import { buildTokenizer } from "./vocabulary.ts";

await useBackend("cpu");

const sequence = (...ids: number[]): TokenSequence => ({
  ids: Int32Array.from(ids),
  types: new Uint8Array(ids.length),
});
const data = {
  sequences: [sequence(2, 5, 3), sequence(2, 3), sequence(2, 6, 7, 8, 3)],
  labels: Int32Array.of(1, 0, 1),
  classes: 2,
  paddingId: 9,
};

describe("tokenize", () => {
  const texts = { texts: ["a b", "a"], labels: Int32Array.of(1, 0), classes: ["no", "yes"] };
  const tokenizer = buildTokenizer(texts.texts, { minimumCount: 1 });

  test("puts second texts behind the first ones", () => {
    const { sequences } = tokenize({ ...texts, pairs: ["b", "a b"] }, tokenizer);
    expect(sequences).toEqual([tokenizer.encode("a b", "b"), tokenizer.encode("a", "a b")]);
    expect([...(sequences[0]?.types ?? [])]).toEqual([0, 0, 0, 0, 1, 1]);
  });

  test("names a text without words, and counts second texts", () => {
    expect(() => tokenize({ ...texts, texts: ["a", " "] }, tokenizer)).toThrow("text 1: expected some text");
    expect(() => tokenize({ ...texts, pairs: ["b", "\n"] }, tokenizer)).toThrow("text 1: expected some text");
    expect(() => tokenize({ ...texts, pairs: ["b"] }, tokenizer)).toThrow("pairs: expected 2, one for each text");
  });
});

describe("textDataset", () => {
  test("pads a batch to its longest text, in the order of the rows", async () => {
    const seen: unknown[] = [];
    for await (const { inputs, labels } of textDataset(data).batches(2)) {
      seen.push([inputs.ids.arraySync(), inputs.mask.arraySync(), [...labels], inputs.types]);
    }
    expect(seen).toEqual([
      [
        [
          [2, 5, 3],
          [2, 3, 9],
        ],
        [
          [1, 1, 1],
          [1, 1, 0],
        ],
        [1, 0],
        undefined,
      ],
      [[[2, 6, 7, 8, 3]], [[1, 1, 1, 1, 1]], [1], undefined],
    ]);
  });

  test("pads to a multiple of a length, but not beyond the longest text of all", async () => {
    const shapes: unknown[] = [];
    for await (const { inputs } of textDataset(data, { padToMultipleOf: 4 }).batches(2)) {
      shapes.push([inputs.ids.shape, tf.sum(inputs.mask).arraySync()]);
    }
    expect(shapes).toEqual([
      [[2, 4], 5],
      [[1, 5], 5],
    ]);
    // More arguments than a call may have.
    const many = { ...data, sequences: Array(200_000).fill(sequence(2, 3)), labels: new Int32Array(200_000) };
    for await (const { inputs } of textDataset(many).batches(200_000)) expect(inputs.ids.shape).toEqual([200_000, 2]);
    expect(() => textDataset(data, { padToMultipleOf: 0 })).toThrow(ConfigError);
  });

  test("has fewer texts evaluated at once the longer they are", () => {
    const long = { ids: new Int32Array(512).fill(5), types: new Uint8Array(512) };
    const dataset = textDataset({ ...data, sequences: [long, long, long] });
    expect([textDataset(data).evaluationBatchSize, dataset.evaluationBatchSize]).toEqual([1024, 32]);
  });

  test("tells the second of two texts from the first", async () => {
    const pair = { ids: Int32Array.of(2, 5, 3, 6, 3), types: Uint8Array.of(0, 0, 0, 1, 1) };
    const sequences = [sequence(2, 3), pair, sequence(2, 3)];
    const seen: unknown[] = [];
    for await (const { inputs } of textDataset({ ...data, sequences }).batches(2)) seen.push(inputs.types?.arraySync());
    expect(seen).toEqual([
      [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1],
      ],
      [[0, 0]],
    ]);
  });

  test("disposes its tensors, also when the loop is left", async () => {
    const dataset = textDataset(data);
    await expectNoLeak(async (step) => {
      for await (const _ of dataset.batches(1, Random.from(step))) if (step % 2 === 0) break;
    });
  });

  test("refuses no rows, missing labels and bad sizes", async () => {
    expect(() => textDataset({ ...data, sequences: [], labels: new Int32Array() })).toThrow(DataError);
    expect(() => textDataset({ ...data, labels: Int32Array.of(1) })).toThrow(/3 texts and 1 labels/);
    const first = async () => {
      for await (const _ of textDataset(data).batches(0)) return;
    };
    await expect(first()).rejects.toThrow(ConfigError);
  });
});

describe("bucketedOrder", () => {
  test("has every row once, in batches of the size asked for", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(200), { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(),
        (lengths, size, seed) => {
          const batches = bucketedOrder(lengths, size, Random.from(seed));
          expect(batches.length).toBe(Math.ceil(lengths.length / size));
          expect(batches.every((batch) => batch.length <= size)).toBe(true);
          expect(batches.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual([...lengths.keys()]);
        },
      ),
    );
  });

  test("pads far less than a random order, repeats by address, and differs between epochs", () => {
    const random = Random.from(1);
    const lengths = Int32Array.from({ length: 4000 }, () => 10 + random.integer(490));
    const padded = (batches: readonly Int32Array[]): number =>
      batches.reduce((sum, rows) => sum + rows.length * Math.max(...rows.map((row) => lengths[row] ?? 0)), 0);
    const order = (epoch: number): Int32Array[] => bucketedOrder(lengths, 32, Random.from(0, "shuffle", epoch));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    expect(padded(bucketedOrder(lengths, 32, undefined)) / total).toBeGreaterThan(1.7);
    expect(padded(order(0)) / total).toBeLessThan(1.1);
    expect(order(0)).toEqual(order(0));
    expect(order(0)).not.toEqual(order(1));
  });
});
