import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, FormatError, NumericalError, Random, useBackend } from "@l0gm/core";
import { expectClose, expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { expect, onTestFinished, test, vi } from "vitest";
import { smallBert } from "../../test/small-bert.ts";
import type { TokenBatch } from "../batch.ts";
import { type BertPrefix, bertPrefix } from "../bert.ts";
import { type LabelledTokens, textDataset } from "../dataset.ts";
import { cacheFeatures } from "./feature-cache.ts";

/** Stands for the versions of the packages, which a test may change. */
const versions = vi.hoisted(() => ({ l0gm: "1.0.0" }));
vi.mock("@l0gm/core", async (original) => ({
  ...(await original<typeof import("@l0gm/core")>()),
  get VERSION() {
    return versions.l0gm;
  },
}));

await useBackend("cpu");

const sequence = (...ids: number[]) => ({ ids: Int32Array.from(ids), types: new Uint8Array(ids.length) });
const random = Random.from(3);
const data: LabelledTokens = {
  sequences: Array.from({ length: 11 }, () =>
    sequence(...Array.from({ length: 2 + random.integer(6) }, () => 1 + random.integer(21))),
  ),
  labels: Int32Array.from({ length: 11 }, (_, row) => row % 2),
  classes: 2,
  paddingId: 0,
};

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "l0gm-test-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function prefixOf(layers = 1): Promise<BertPrefix> {
  const prefix = await bertPrefix(await smallBert(), layers);
  onTestFinished(() => prefix.dispose());
  return prefix;
}

test("holds what the prefix computes, to half precision, row by row", async () => {
  const prefix = await prefixOf();
  const cache = await cacheFeatures(prefix, data, { directory: folder(), shardRows: 4, batchSize: 3 });
  const batches: tf.Tensor[] = [];
  for await (const { inputs } of textDataset(data).batches(5)) batches.push(prefix.apply(inputs));
  let rows = 0;
  for await (const { inputs, labels } of cache.batches(5)) {
    const expected = tf.mul(batches[rows / 5] as tf.Tensor, tf.expandDims(inputs.mask, 2));
    expect(inputs.hidden.shape).toEqual(expected.shape);
    expectClose(inputs.hidden.dataSync(), expected.dataSync(), { absolute: 2e-3 });
    expect([...labels]).toEqual([...data.labels.slice(rows, rows + labels.length)]);
    rows += labels.length;
  }
  expect([rows, cache.rows, cache.bytes]).toEqual([
    11,
    11,
    data.sequences.reduce((sum, { ids }) => sum + 16 * ids.length + 4, 0),
  ]);
  await expectNoLeak(async (step) => {
    for await (const _ of cache.batches(4, Random.from(step))) if (step % 2 === 0) break;
  }, 4);
});

test("is one cache however the rows are ordered and split", async () => {
  const [prefix, directory] = [await prefixOf(), folder()];
  const apply = vi.spyOn(prefix, "apply");
  const whole = await cacheFeatures(prefix, data, { directory, shardRows: 4 });
  const calls = apply.mock.calls.length;
  const order = random.permutation(11);
  const moved = {
    ...data,
    sequences: Array.from(order, (row) => data.sequences[row] as LabelledTokens["sequences"][number]),
    labels: Int32Array.from(order, (row) => data.labels[row] ?? 0),
  };
  const other = await cacheFeatures(prefix, moved, { directory, shardRows: 4, padToMultipleOf: 4 });
  expect([other.folder, apply.mock.calls.length]).toEqual([whole.folder, calls]);
  // The last five of the moved rows, found in the first cache.
  const [part, same] = [other.select([6, 7, 8, 9, 10]), whole.select(order.slice(6))];
  expect([part.rows, part.classes]).toEqual([5, 2]);
  const longest = Math.max(...Array.from(order.slice(6), (row) => data.sequences[row]?.ids.length ?? 0));
  const numbers = async (dataset: typeof part): Promise<[number, Float32Array][]> => {
    const seen: [number, Float32Array][] = [];
    for await (const { inputs, labels } of dataset.batches(1)) {
      if (dataset === part) expect([4, longest]).toContain(inputs.hidden.shape[1]);
      const tokens = inputs.mask.dataSync<"float32">().reduce((sum, each) => sum + each, 0);
      seen.push([labels[0] ?? -1, inputs.hidden.dataSync<"float32">().slice(0, 8 * tokens)]);
    }
    return seen;
  };
  expect(await numbers(part)).toEqual(await numbers(same));
  expect(() => whole.select([])).toThrow(/expected rows, received none/);
  expect(() => whole.select([11])).toThrow(/rows from 0 to 10, received 11/);
});

test("computes only what is not there, in another folder for other rows, another depth or version", async () => {
  const [prefix, directory] = [await prefixOf(), folder()];
  const apply = vi.spyOn(prefix, "apply");
  const make = async (rows = data, by = prefix): Promise<string> => {
    const cache = await cacheFeatures(by, rows, { directory, shardRows: 4 });
    return cache.folder;
  };
  const path = await make();
  expect(apply).toHaveBeenCalledTimes(3);
  expect(await make()).toBe(path);
  expect(apply).toHaveBeenCalledTimes(3);
  unlinkSync(join(path, "00001.f16"));
  truncateSync(join(path, "00002.f16"), 10);
  const whole = statSync(join(path, "00000.f16")).mtimeMs;
  await make();
  expect(apply).toHaveBeenCalledTimes(5);
  expect(statSync(join(path, "00000.f16")).mtimeMs).toBe(whole);
  expect(readdirSync(path).sort()).toEqual(["00000.f16", "00001.f16", "00002.f16", "manifest.json"]);
  expect(await make({ ...data, sequences: data.sequences.slice(1), labels: data.labels.slice(1) })).not.toBe(path);
  expect(await make(data, await prefixOf(2))).not.toBe(path);
  versions.l0gm = "1.0.1";
  expect(await make()).not.toBe(path);
  versions.l0gm = "1.0.0";
  writeFileSync(join(path, "manifest.json"), "{}");
  await expect(make()).rejects.toThrow(FormatError);
});

test("stops when it is told to, and goes on later", async () => {
  const [prefix, directory] = [await prefixOf(), folder()];
  const stop = new AbortController();
  const seen: number[] = [];
  const options = { directory, shardRows: 4 };
  const stopped = cacheFeatures(prefix, data, {
    ...options,
    signal: stop.signal,
    onProgress: (done) => {
      seen.push(done);
      stop.abort(new Error("enough"));
    },
  });
  await expect(stopped).rejects.toThrow("enough");
  const apply = vi.spyOn(prefix, "apply");
  const cache = await cacheFeatures(prefix, data, { ...options, onProgress: (done) => seen.push(done) });
  // The order of the files is the process's own; one of three was there.
  expect(seen).toHaveLength(4);
  expect([seen[1], seen.at(-1)]).toEqual([seen[0], 11]);
  expect(apply).toHaveBeenCalledTimes(2);
  truncateSync(join(cache.folder, "00002.f16"), 10);
  const read = async () => {
    for await (const _ of cache.batches(11)) return;
  };
  await expect(read()).rejects.toThrow(/damaged or removed/);
});

test("hears a timer's signal between the batches of one file", async () => {
  const [prefix, directory] = [await prefixOf(), folder()];
  const stop = new AbortController();
  const apply = vi.fn((batch: TokenBatch) => {
    const end = performance.now() + 60;
    while (performance.now() < end);
    return prefix.apply(batch);
  });
  setTimeout(() => stop.abort(new Error("enough")), 1);
  const stopped = cacheFeatures({ ...prefix, apply }, data, { directory, batchSize: 1, signal: stop.signal });
  await expect(stopped).rejects.toThrow("enough");
  expect(apply.mock.calls.length).toBeLessThan(data.sequences.length);
});

test("finds out a damaged file, and refuses what 16 bits cannot hold and rows without labels", async () => {
  const [prefix, directory] = [await prefixOf(), folder()];
  const cache = await cacheFeatures(prefix, data, { directory });
  const file = join(cache.folder, "00000.f16");
  const bytes = readFileSync(file);
  bytes[20] = (bytes[20] as number) ^ 1;
  writeFileSync(file, bytes);
  const read = async () => {
    for await (const _ of cache.batches(11)) return;
  };
  await expect(read()).rejects.toThrow(/CRC-32/);
  unlinkSync(file);
  await expect(read()).rejects.toThrow(/damaged or removed/);
  // The text whose first token is 22, and that alone, is too large.
  const marked = { ...data, sequences: data.sequences.map((each, row) => (row === 7 ? sequence(22, 1) : each)) };
  const scale = ({ ids }: TokenBatch) => tf.where(tf.equal(tf.slice(ids, [0, 0], [-1, 1]), 22), 1e6, 1);
  const large: BertPrefix = {
    ...prefix,
    checksum: "large",
    apply: (batch) => tf.tidy(() => tf.mul(prefix.apply(batch), tf.expandDims(scale(batch), 2))),
  };
  const { numTensors } = tf.memory();
  const refused = cacheFeatures(large, marked, { directory });
  await expect(refused).rejects.toThrow(NumericalError);
  expect(tf.memory().numTensors).toBe(numTensors);
  await expect(refused).rejects.toThrow(/text 7, token 0: expected hidden states after 1 layers/);
  await expect(cacheFeatures(prefix, { ...data, labels: Int32Array.of(1) }, { directory })).rejects.toThrow(DataError);
});
