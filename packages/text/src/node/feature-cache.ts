import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import {
  DataError,
  type Dataset,
  type FileHandler,
  FormatError,
  fromHalves,
  type LabelledBatch,
  NumericalError,
  Random,
  ShapeError,
  toHalves,
  VERSION,
} from "@l0gm/core";
import { checkInteger, yieldToEvents } from "@l0gm/core/modules";
import { directory as openDirectory } from "@l0gm/core/node";
import * as tf from "@tensorflow/tfjs-core";
import type { HiddenBatch, TokenBatch } from "../batch.ts";
import type { BertPrefix } from "../bert.ts";
import {
  arePaired,
  bucketedOrder,
  checkRows,
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
  /** Stops before the next batch with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Rows whose hidden states lie on disk. */
export interface CachedFeatures extends Dataset<HiddenBatch> {
  /** The folder that holds them. */
  readonly folder: string;
  readonly bytes: number;
  /**
   * Some of the rows, in the order given.
   *
   * @throws DataError when there are none
   * @throws ShapeError when a row is not there
   */
  select(rows: ArrayLike<number>): Dataset<HiddenBatch>;
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

/** Behind each row's numbers stands their CRC-32, by which a damaged file is found out. */
const CHECK_BYTES = 4;

/** Places of rows that lie in the order given. */
function layoutOf(sequences: readonly TokenSequence[], shardRows: number, hidden: number): Layout {
  const sizes: number[] = [];
  const places = sequences.map(({ ids }, row) => {
    const shard = Math.floor(row / shardRows);
    const offset = sizes[shard] ?? 0;
    sizes[shard] = offset + ids.length * hidden * Uint16Array.BYTES_PER_ELEMENT + CHECK_BYTES;
    return { shard, offset, tokens: ids.length };
  });
  return { places, sizes };
}

/** To be changed with what a prefix makes of tokens, or how it is kept: part of every cache's name. */
const FORMAT = "float16, crc32";

/** Two caches with one key hold the same numbers, but for the last bit of some: backends differ in rounding. */
function keyOf(prefix: BertPrefix, sequences: readonly TokenSequence[], shardRows: number): string {
  const hash = createHash("sha256").update(
    JSON.stringify([FORMAT, VERSION, prefix.checksum, prefix.layers, shardRows]),
  );
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
  readonly signal: AbortSignal | undefined;
}

/** Whether a number of 16 bits is infinite or none at all. */
function isLost(half: number): boolean {
  return (half & 0x7c00) === 0x7c00;
}

/** The numbers of a batch and how many each row has, padding included. Disposes the batch. */
async function hiddenStates(prefix: BertPrefix, inputs: TokenBatch): Promise<{ values: Float32Array; stride: number }> {
  const held: tf.Tensor[] = Object.values(inputs);
  try {
    const hidden = prefix.apply(inputs);
    held.push(hidden);
    return { values: await hidden.data<"float32">(), stride: (hidden.shape[1] ?? 0) * prefix.hidden };
  } finally {
    tf.dispose(held);
  }
}

/**
 * Encodes the rows of one file.
 *
 * @param rows - the caller's numbers of the texts, for messages
 * @throws NumericalError when a hidden state does not fit into 16 bits
 */
async function encodeShard(
  sequences: readonly TokenSequence[],
  rows: readonly number[],
  places: readonly Place[],
  size: number,
  { prefix, batchSize, paddingId, paired, padding, signal }: Encoding,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let start = 0; start < sequences.length; start += batchSize) {
    await yieldToEvents();
    signal?.throwIfAborted();
    const batch = sequences.slice(start, start + batchSize);
    const inputs = pad(batch, paddingId, paired, padding);
    const { values, stride } = await hiddenStates(prefix, inputs);
    batch.forEach((_, i) => {
      const { offset, tokens } = places[start + i] as Place;
      const words = new Uint16Array(bytes.buffer, offset, tokens * prefix.hidden);
      const own = values.subarray(i * stride, i * stride + words.length);
      toHalves(own, words);
      const lost = words.findIndex(isLost);
      if (lost >= 0) {
        throw new NumericalError({
          where: `cacheFeatures: text ${rows[start + i]}, token ${Math.floor(lost / prefix.hidden)}`,
          expected: `hidden states after ${prefix.layers} layers that 16 bits can hold, 65504 at most`,
          received: own[lost],
          hint: "The model's numbers are too large for a cache: train all layers, on token ids.",
        });
      }
      new DataView(bytes.buffer).setUint32(offset + words.byteLength, crc32(words), true);
    });
  }
  return bytes;
}

/**
 * Computes once what a frozen prefix makes of all rows, and keeps it on disk as numbers of 16 bits, so that every epoch and every run on
 * the same rows begins there. A killed call goes on where it stopped; what is there already is not computed again. Where runs split the
 * same texts in different ways, cache all of them at once and `select` each part: the order of the rows does not matter.
 *
 * @param prefix - its weights and depth are part of the cache's name, as are the token ids and the version of L0GM
 * @returns rows in the order of `data`
 * @throws DataError when there are no rows, or not as many labels
 * @throws NumericalError when a hidden state is too large for 16 bits
 * @throws FormatError when the folder holds something else; later, a batch throws it when a file was damaged
 *
 * @example
 * ```ts
 * import { bertPrefix, type LabelledTokens } from "@l0gm/text";
 * declare const [model, tokens]: [string, LabelledTokens];
 * const prefix = await bertPrefix(model, 4);
 * const train = await cacheFeatures(prefix, tokens, { directory: "cache" });
 * prefix.dispose();
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
  checkRows("cacheFeatures", data.sequences, data.labels);
  const order = canonicalOrder(data.sequences);
  const sequences = order.map((row) => data.sequences[row] as TokenSequence);
  const key = keyOf(prefix, sequences, shardRows);
  const folder = join(directory, key.slice(0, 16));
  const store = openDirectory(folder);
  await claim(store, key);
  const { places, sizes } = layoutOf(sequences, shardRows, prefix.hidden);
  const padding = { multiple: ENCODED_MULTIPLE, longest: sequences.at(-1)?.ids.length ?? 0 };
  const encoding = { prefix, batchSize, paddingId: data.paddingId, paired: arePaired(sequences), padding, signal };
  let done = 0;
  // Each process has an order of its own, so that those that fill one cache side by side share the work.
  for (const shard of Random.from(process.pid, "shards").shuffle(Array.from(sizes.keys()))) {
    signal?.throwIfAborted();
    const size = sizes[shard] as number;
    const part = [shard * shardRows, (shard + 1) * shardRows] as const;
    const rows = sequences.slice(...part);
    const isThere = async (): Promise<boolean> => (await sizeOfFile(join(folder, shardName(shard)))) === size;
    if (!(await isThere())) {
      const bytes = await encodeShard(rows, order.slice(...part), places.slice(...part), size, encoding);
      // What another process has written meanwhile may be read already: it stays.
      if (!(await isThere())) await store.write(shardName(shard), bytes);
    }
    done += rows.length;
    onProgress?.(done, sequences.length);
  }
  const placed = new Array<Place>(order.length);
  order.forEach((row, i) => {
    placed[row] = places[i] as Place;
  });
  const { labels, classes } = data;
  const { hidden, layers } = prefix;
  const stored = { folder, labels, classes, hidden, layers, padToMultipleOf };
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
  readonly labels: Int32Array;
  readonly classes: number;
  /** Numbers a token. */
  readonly hidden: number;
  /** Blocks that they have gone through. */
  readonly layers: number;
  readonly padToMultipleOf: number;
}

/** Files that are open at once, of the few hundred that systems allow. */
const OPEN_FILES = 32;

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
        layers: this.stored.layers,
      };
      try {
        yield { inputs, labels: rows.map((row) => this.stored.labels[row] ?? 0) };
      } finally {
        tf.dispose([inputs.hidden, inputs.mask]);
      }
    }
  }

  async #read(rows: Int32Array): Promise<ReadRows> {
    const { hidden: width, padToMultipleOf } = this.stored;
    const places = Array.from(rows, (row) => this.places[row] as Place);
    const longest = paddedLength(
      places.map(({ tokens }) => tokens),
      { multiple: padToMultipleOf, longest: this.#longest },
    );
    const hidden = new Float32Array(rows.length * longest * width);
    const mask = new Float32Array(rows.length * longest);
    const byShard = new Map<number, number[]>();
    places.forEach(({ shard }, i) => {
      const numbers = byShard.get(shard);
      if (numbers === undefined) byShard.set(shard, [i]);
      else numbers.push(i);
    });
    const shards = [...byShard];
    for (let first = 0; first < shards.length; first += OPEN_FILES) {
      const some = shards.slice(first, first + OPEN_FILES);
      await Promise.all(
        some.map(([shard, numbers]) =>
          this.#readShard(
            shard,
            numbers.map((i) => places[i] as Place),
            (words, j) => {
              const i = numbers[j] as number;
              fromHalves(words, hidden.subarray(i * longest * width, i * longest * width + words.length));
              mask.fill(1, i * longest, i * longest + words.length / width);
            },
          ),
        ),
      );
    }
    return { hidden, mask, tokens: longest };
  }

  /** @param take - given the numbers of each place, in their order */
  async #readShard(
    shard: number,
    places: readonly Place[],
    take: (words: Uint16Array, i: number) => void,
  ): Promise<void> {
    const path = join(this.stored.folder, shardName(shard));
    const damaged = (expected: string, received: unknown, cause?: unknown): FormatError => {
      const hint = "The file was damaged or removed after it was written: remove it, and a new run makes it again.";
      return new FormatError({ where: path, expected, received, hint }, { cause });
    };
    const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === "ENOENT" ? damaged("a file of hidden states", "no such file", cause) : cause;
    });
    try {
      for (const [i, { offset, tokens }] of places.entries()) {
        const bytes = new Uint8Array(tokens * this.stored.hidden * Uint16Array.BYTES_PER_ELEMENT + CHECK_BYTES);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
        if (bytesRead !== bytes.length) throw damaged(`${bytes.length} bytes at ${offset}`, bytesRead);
        const words = new Uint16Array(bytes.buffer, 0, (bytes.length - CHECK_BYTES) / Uint16Array.BYTES_PER_ELEMENT);
        const [sum, expected] = [crc32(words), new DataView(bytes.buffer).getUint32(words.byteLength, true)];
        if (sum !== expected) throw damaged(`numbers with the CRC-32 ${expected}`, sum);
        take(words, i);
      }
    } finally {
      await file.close();
    }
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
}
