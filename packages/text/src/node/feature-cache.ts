import { createHash } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type Dataset,
  type FileHandler,
  FormatError,
  fromHalves,
  type LabelledBatch,
  Random,
  toHalves,
} from "@l0gm/core";
import { checkInteger } from "@l0gm/core/modules";
import { directory as openDirectory } from "@l0gm/core/node";
import * as tf from "@tensorflow/tfjs-core";
import type { HiddenBatch } from "../batch.ts";
import type { BertPrefix } from "../bert.ts";
import { arePaired, bucketedOrder, type LabelledTokens, pad } from "../dataset.ts";
import type { TokenSequence } from "../tokenizer.ts";

/** Options of {@link cacheFeatures}. */
export interface FeatureCacheOptions {
  /** Folder of all caches; each gets one of its own, named by what it holds. */
  readonly directory: string;
  /** Texts that are encoded at once. @defaultValue 32 */
  readonly batchSize?: number;
  /** Texts in a file: what is lost at most when the process is killed. @defaultValue 256 */
  readonly shardRows?: number;
  /** Told after each file how many texts are there. */
  readonly onProgress?: (done: number, rows: number) => void;
  readonly signal?: AbortSignal;
}

/** Rows whose hidden states lie on disk. */
export interface CachedFeatures extends Dataset<HiddenBatch> {
  /** The folder that holds them. */
  readonly folder: string;
  readonly bytes: number;
  /** Closes the files. */
  close(): Promise<void>;
}

const MANIFEST = "manifest.json";

/** One row's place. */
interface Place {
  readonly shard: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly tokens: number;
}

interface Layout {
  readonly places: readonly Place[];
  /** Bytes of each file. */
  readonly sizes: readonly number[];
}

function layoutOf(sequences: readonly TokenSequence[], shardRows: number, hidden: number): Layout {
  const sizes: number[] = [];
  const places = sequences.map(({ ids }, row) => {
    const shard = Math.floor(row / shardRows);
    const offset = sizes[shard] ?? 0;
    sizes[shard] = offset + ids.length * hidden * Uint16Array.BYTES_PER_ELEMENT;
    return { shard, offset, tokens: ids.length };
  });
  return { places, sizes };
}

/** Two caches with one key hold the same numbers. */
function keyOf(prefix: BertPrefix, { sequences }: LabelledTokens, shardRows: number): string {
  const hash = createHash("sha256").update(JSON.stringify([prefix.checksum, prefix.layers, shardRows, "float16"]));
  for (const { ids, types } of sequences) hash.update(ids).update(types).update("|");
  return hash.digest("hex");
}

function shardName(shard: number): string {
  return `${String(shard).padStart(5, "0")}.f16`;
}

async function sizeOfFile(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? -1;
}

/** Encodes the rows of one file, those of about the same length at once. */
async function encodeShard(
  prefix: BertPrefix,
  data: LabelledTokens,
  rows: readonly number[],
  places: readonly Place[],
  size: number,
  batchSize: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  const sorted = [...rows].sort((a, b) => (places[a]?.tokens ?? 0) - (places[b]?.tokens ?? 0));
  const paired = arePaired(data.sequences);
  for (let start = 0; start < sorted.length; start += batchSize) {
    const batch = sorted.slice(start, start + batchSize);
    const inputs = pad(
      batch.map((row) => data.sequences[row] as TokenSequence),
      data.paddingId,
      paired,
    );
    const hidden = prefix.apply(inputs);
    const values = await hidden.data<"float32">();
    const stride = (hidden.shape[1] ?? 0) * prefix.hidden;
    batch.forEach((row, i) => {
      const { offset, tokens } = places[row] as Place;
      const words = new Uint16Array(bytes.buffer, offset, tokens * prefix.hidden);
      toHalves(values.subarray(i * stride, i * stride + words.length), words);
    });
    tf.dispose([hidden, ...Object.values(inputs)]);
  }
  return bytes;
}

/**
 * Computes once what a frozen prefix makes of all rows, and keeps it on disk as numbers of 16 bits, so that every epoch and every run on
 * the same rows begins there. A killed call goes on where it stopped; what is there already is not computed again.
 *
 * @param prefix - its weights and depth are part of the cache's name, as are the token ids
 * @returns rows in the order of `data`, whose files are the caller's to close
 * @throws FormatError when the folder holds something else
 *
 * @example
 * ```ts
 * import { bertPrefix, type LabelledTokens } from "@l0gm/text";
 * declare const [model, tokens]: [string, LabelledTokens];
 * const prefix = await bertPrefix(model, 4);
 * const train = await cacheFeatures(prefix, tokens, { directory: "cache" });
 * ```
 */
export async function cacheFeatures(
  prefix: BertPrefix,
  data: LabelledTokens,
  options: FeatureCacheOptions,
): Promise<CachedFeatures> {
  const { directory, batchSize = 32, shardRows = 256, onProgress, signal } = options;
  checkInteger("cacheFeatures", "batchSize", batchSize);
  checkInteger("cacheFeatures", "shardRows", shardRows);
  const key = keyOf(prefix, data, shardRows);
  const folder = join(directory, key.slice(0, 16));
  const store = openDirectory(folder);
  await claim(store, key);
  const { places, sizes } = layoutOf(data.sequences, shardRows, prefix.hidden);
  const all = Array.from(data.sequences.keys());
  let done = 0;
  // Each process has an order of its own, so that those that fill one cache side by side share the work.
  for (const shard of Random.from(process.pid, "shards").shuffle(Array.from(sizes.keys()))) {
    signal?.throwIfAborted();
    const size = sizes[shard] as number;
    const rows = all.slice(shard * shardRows, (shard + 1) * shardRows);
    if ((await sizeOfFile(join(folder, shardName(shard)))) !== size) {
      await store.write(shardName(shard), await encodeShard(prefix, data, rows, places, size, batchSize));
    }
    done += rows.length;
    onProgress?.(done, all.length);
  }
  const files = await Promise.all(sizes.map((_, shard) => open(join(folder, shardName(shard)))));
  return new CachedDataset(folder, files, { places, sizes }, data, prefix.hidden);
}

/** @throws FormatError when the folder's cache is another one */
async function claim(store: FileHandler, key: string): Promise<void> {
  const manifest = `${JSON.stringify({ format: "l0gm-features", version: 1, key })}\n`;
  const bytes = await store.read(MANIFEST);
  if (bytes === undefined) return await store.write(MANIFEST, new TextEncoder().encode(manifest));
  const received = new TextDecoder().decode(bytes);
  if (received === manifest) return;
  const hint = "Remove the folder, or choose another one.";
  throw new FormatError({
    where: `${store.location}/${MANIFEST}`,
    expected: manifest.trim(),
    received: received.slice(0, 200),
    hint,
  });
}

class CachedDataset implements CachedFeatures {
  readonly folder: string;
  readonly bytes: number;
  readonly rows: number;
  readonly classes: number;
  readonly #files: readonly FileHandle[];
  readonly #layout: Layout;
  readonly #labels: Int32Array;
  readonly #hidden: number;

  constructor(folder: string, files: readonly FileHandle[], layout: Layout, data: LabelledTokens, hidden: number) {
    this.folder = folder;
    this.bytes = layout.sizes.reduce((sum, size) => sum + size, 0);
    this.rows = data.sequences.length;
    this.classes = data.classes;
    this.#files = files;
    this.#layout = layout;
    this.#labels = data.labels;
    this.#hidden = hidden;
  }

  async *batches(batchSize: number, shuffle?: Random): AsyncGenerator<LabelledBatch<HiddenBatch>> {
    checkInteger("cacheFeatures", "batchSize", batchSize);
    const lengths = this.#layout.places.map(({ tokens }) => tokens);
    for (const rows of bucketedOrder(lengths, batchSize, shuffle)) {
      const inputs = await this.#read(rows);
      try {
        yield { inputs, labels: rows.map((row) => this.#labels[row] ?? 0) };
      } finally {
        tf.dispose([inputs.hidden, inputs.mask]);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }

  async #read(rows: Int32Array): Promise<HiddenBatch> {
    const places = Array.from(rows, (row) => this.#layout.places[row] as Place);
    const longest = Math.max(...places.map(({ tokens }) => tokens));
    const hidden = new Float32Array(rows.length * longest * this.#hidden);
    const mask = new Float32Array(rows.length * longest);
    await Promise.all(
      places.map(async ({ shard, offset, tokens }, i) => {
        const words = new Uint16Array(tokens * this.#hidden);
        const { bytesRead } = await (this.#files[shard] as FileHandle).read(words, 0, words.byteLength, offset);
        if (bytesRead !== words.byteLength) {
          const where = join(this.folder, shardName(shard));
          const hint = "The file was cut off after it was written: remove it, and it is made again.";
          throw new FormatError({
            where,
            expected: `${words.byteLength} bytes at ${offset}`,
            received: bytesRead,
            hint,
          });
        }
        fromHalves(words, hidden.subarray(i * longest * this.#hidden, i * longest * this.#hidden + words.length));
        mask.fill(1, i * longest, i * longest + tokens);
      }),
    );
    return {
      hidden: tf.tensor3d(hidden, [rows.length, longest, this.#hidden]),
      mask: tf.tensor2d(mask, [rows.length, longest]),
    };
  }
}
