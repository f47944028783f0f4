import { createHash } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  DataError,
  type Dataset,
  type FileHandler,
  FormatError,
  fromHalves,
  type LabelledBatch,
  Random,
  ShapeError,
  toHalves,
} from "@l0gm/core";
import { checkInteger } from "@l0gm/core/modules";
import { directory as openDirectory } from "@l0gm/core/node";
import * as tf from "@tensorflow/tfjs-core";
import type { HiddenBatch } from "../batch.ts";
import type { BertPrefix } from "../bert.ts";
import {
  arePaired,
  bucketedOrder,
  evaluationBatchSizeFor,
  type LabelledTokens,
  longestOf,
  type Padding,
  pad,
  paddedLength,
  type TextDatasetOptions,
} from "../dataset.ts";
import type { TokenSequence } from "../tokenizer.ts";

/** Options of {@link cacheFeatures}. */
export interface FeatureCacheOptions extends TextDatasetOptions {
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
  /**
   * Some of the rows, in the order given; their files are closed with this cache's.
   *
   * @throws DataError when there are none
   * @throws ShapeError when a row is not there
   */
  select(rows: ArrayLike<number>): Dataset<HiddenBatch>;
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

/** An order of the rows that depends on what they are alone: however a set of texts is split, its cache is one. */
function canonicalOrder(sequences: readonly TokenSequence[]): number[] {
  const bytes = sequences.map(
    ({ ids, types }) =>
      [ids, types].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)) as [
        Buffer,
        Buffer,
      ],
  );
  return [...sequences.keys()].sort((a, b) => {
    const [x, y] = [bytes[a], bytes[b]] as [[Buffer, Buffer], [Buffer, Buffer]];
    return x[0].length - y[0].length || x[0].compare(y[0]) || x[1].compare(y[1]);
  });
}

/** Places of rows that lie in the order given. */
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

/** Two caches with one key hold the same numbers, but for the last bit of some: backends differ in rounding. */
function keyOf(prefix: BertPrefix, sequences: readonly TokenSequence[], shardRows: number): string {
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

/** Batches are padded to a multiple of this, however the rows will be read: a GPU wants few lengths, and there is little to pad in order. */
const ENCODED_MULTIPLE = 16;

/** How rows are encoded. */
interface Encoding {
  readonly prefix: BertPrefix;
  readonly batchSize: number;
  readonly paddingId: number;
  readonly paired: boolean;
  readonly padding: Padding;
}

/** Encodes the rows of one file. */
async function encodeShard(
  sequences: readonly TokenSequence[],
  places: readonly Place[],
  size: number,
  { prefix, batchSize, paddingId, paired, padding }: Encoding,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let start = 0; start < sequences.length; start += batchSize) {
    const batch = sequences.slice(start, start + batchSize);
    const inputs = pad(batch, paddingId, paired, padding);
    const hidden = prefix.apply(inputs);
    const values = await hidden.data<"float32">();
    const stride = (hidden.shape[1] ?? 0) * prefix.hidden;
    batch.forEach((_, i) => {
      const { offset, tokens } = places[start + i] as Place;
      const words = new Uint16Array(bytes.buffer, offset, tokens * prefix.hidden);
      toHalves(values.subarray(i * stride, i * stride + words.length), words);
    });
    tf.dispose([hidden, ...Object.values(inputs)]);
  }
  return bytes;
}

/**
 * Computes once what a frozen prefix makes of all rows, and keeps it on disk as numbers of 16 bits, so that every epoch and every run on
 * the same rows begins there. A killed call goes on where it stopped; what is there already is not computed again. Where runs split the
 * same texts in different ways, cache all of them at once and `select` each part: the order of the rows does not matter.
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
  const { directory, batchSize = 32, shardRows = 256, padToMultipleOf = 1, onProgress, signal } = options;
  checkInteger("cacheFeatures", "batchSize", batchSize);
  checkInteger("cacheFeatures", "shardRows", shardRows);
  checkInteger("cacheFeatures", "padToMultipleOf", padToMultipleOf);
  const order = canonicalOrder(data.sequences);
  const sequences = order.map((row) => data.sequences[row] as TokenSequence);
  const key = keyOf(prefix, sequences, shardRows);
  const folder = join(directory, key.slice(0, 16));
  const store = openDirectory(folder);
  await claim(store, key);
  const { places, sizes } = layoutOf(sequences, shardRows, prefix.hidden);
  const padding = { multiple: ENCODED_MULTIPLE, longest: sequences.at(-1)?.ids.length ?? 0 };
  const encoding = { prefix, batchSize, paddingId: data.paddingId, paired: arePaired(sequences), padding };
  let done = 0;
  // Each process has an order of its own, so that those that fill one cache side by side share the work.
  for (const shard of Random.from(process.pid, "shards").shuffle(Array.from(sizes.keys()))) {
    signal?.throwIfAborted();
    const size = sizes[shard] as number;
    const part = [shard * shardRows, (shard + 1) * shardRows] as const;
    const rows = sequences.slice(...part);
    if ((await sizeOfFile(join(folder, shardName(shard)))) !== size) {
      await store.write(shardName(shard), await encodeShard(rows, places.slice(...part), size, encoding));
    }
    done += rows.length;
    onProgress?.(done, sequences.length);
  }
  const placed = new Array<Place>(order.length);
  order.forEach((row, i) => {
    placed[row] = places[i] as Place;
  });
  const files = await Promise.all(sizes.map((_, shard) => open(join(folder, shardName(shard)))));
  const { labels, classes } = data;
  const stored = { folder, files, labels, classes, hidden: prefix.hidden, padToMultipleOf };
  return new CachedDataset(
    stored,
    placed,
    sizes.reduce((sum, size) => sum + size, 0),
  );
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

/** Rows on disk. */
interface StoredRows {
  readonly folder: string;
  readonly files: readonly FileHandle[];
  readonly labels: Int32Array;
  readonly classes: number;
  /** Numbers a token. */
  readonly hidden: number;
  readonly padToMultipleOf: number;
}

/** A batch in memory, before it is tensors. */
interface ReadRows {
  readonly hidden: Float32Array;
  readonly mask: Float32Array;
  readonly tokens: number;
}

class StoredDataset implements Dataset<HiddenBatch> {
  readonly rows: number;
  readonly classes: number;
  readonly evaluationBatchSize: number;
  protected readonly stored: StoredRows;
  protected readonly places: readonly Place[];
  readonly #lengths: Int32Array;
  readonly #longest: number;

  constructor(stored: StoredRows, places: readonly Place[]) {
    this.stored = stored;
    this.places = places;
    this.rows = places.length;
    this.classes = stored.classes;
    this.#lengths = Int32Array.from(places, ({ tokens }) => tokens);
    this.#longest = longestOf(this.#lengths);
    this.evaluationBatchSize = evaluationBatchSizeFor(this.#lengths);
  }

  async *batches(batchSize: number, shuffle?: Random): AsyncGenerator<LabelledBatch<HiddenBatch>> {
    checkInteger("cacheFeatures", "batchSize", batchSize);
    const batches = bucketedOrder(this.#lengths, batchSize, shuffle);
    // Read while the batch before is computed with. What is read and not asked for may fail unseen.
    const ahead = (rows: Int32Array | undefined): Promise<ReadRows> | undefined => {
      const read = rows && this.#read(rows);
      read?.catch(() => undefined);
      return read;
    };
    let next = ahead(batches[0]);
    for (const [i, rows] of batches.entries()) {
      const { hidden, mask, tokens } = (await next) as ReadRows;
      next = ahead(batches[i + 1]);
      const inputs = {
        hidden: tf.tensor3d(hidden, [rows.length, tokens, this.stored.hidden]),
        mask: tf.tensor2d(mask, [rows.length, tokens]),
      };
      try {
        yield { inputs, labels: rows.map((row) => this.stored.labels[row] ?? 0) };
      } finally {
        tf.dispose([inputs.hidden, inputs.mask]);
      }
    }
  }

  async #read(rows: Int32Array): Promise<ReadRows> {
    const { folder, files, hidden: width, padToMultipleOf } = this.stored;
    const places = Array.from(rows, (row) => this.places[row] as Place);
    const longest = paddedLength(
      places.map(({ tokens }) => tokens),
      { multiple: padToMultipleOf, longest: this.#longest },
    );
    const hidden = new Float32Array(rows.length * longest * width);
    const mask = new Float32Array(rows.length * longest);
    await Promise.all(
      places.map(async ({ shard, offset, tokens }, i) => {
        const words = new Uint16Array(tokens * width);
        const { bytesRead } = await (files[shard] as FileHandle).read(words, 0, words.byteLength, offset);
        if (bytesRead !== words.byteLength) {
          throw new FormatError({
            where: join(folder, shardName(shard)),
            expected: `${words.byteLength} bytes at ${offset}`,
            received: bytesRead,
            hint: "The file was cut off after it was written: remove it, and it is made again.",
          });
        }
        fromHalves(words, hidden.subarray(i * longest * width, i * longest * width + words.length));
        mask.fill(1, i * longest, i * longest + tokens);
      }),
    );
    return { hidden, mask, tokens: longest };
  }
}

class CachedDataset extends StoredDataset implements CachedFeatures {
  readonly folder: string;
  readonly bytes: number;

  constructor(stored: StoredRows, places: readonly Place[], bytes: number) {
    super(stored, places);
    this.folder = stored.folder;
    this.bytes = bytes;
  }

  select(rows: ArrayLike<number>): Dataset<HiddenBatch> {
    const chosen = Array.from(rows);
    if (chosen.length === 0) throw new DataError({ where: "select", expected: "rows", received: "none" });
    const places = chosen.map((row) => {
      const place = this.places[row];
      if (place !== undefined) return place;
      throw new ShapeError({ where: "select", expected: `rows from 0 to ${this.rows - 1}`, received: row });
    });
    const labels = Int32Array.from(chosen, (row) => this.stored.labels[row] ?? 0);
    return new StoredDataset({ ...this.stored, labels }, places);
  }

  async close(): Promise<void> {
    await Promise.all(this.stored.files.map((file) => file.close()));
  }
}
