import { DataError, type Dataset, type LabelledBatch, type Random } from "@l0gm/core";
import { checkInteger } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { TokenBatch } from "./batch.ts";
import type { TextTokenizer, TokenSequence } from "./tokenizer.ts";

/** Texts with their classes. */
export interface LabelledTexts {
  readonly texts: readonly string[];
  /** A second text for each, where a class is one of two texts: a premise's and a hypothesis's, a question's and an answer's. */
  readonly pairs?: readonly string[];
  /** `[texts]`, class indices. */
  readonly labels: Int32Array;
  /** Names of the classes, by index. */
  readonly classes: readonly string[];
}

/** Token sequences with their classes, as {@link tokenize} makes them. */
export interface LabelledTokens {
  readonly sequences: readonly TokenSequence[];
  readonly labels: Int32Array;
  readonly classes: number;
  /** Id at the ends of shorter sequences. */
  readonly paddingId: number;
}

/**
 * @throws DataError when a text has nothing but white space, saying which, or there are not as many second texts
 *
 * @example
 * ```ts
 * const tokenizer = buildTokenizer(["It rains.", "It is wet."], { minimumCount: 1 });
 * const texts = { texts: ["It rains."], pairs: ["It is wet."], labels: Int32Array.of(1), classes: ["neutral", "entailed"] };
 * const [first] = tokenize(texts, tokenizer).sequences;
 * console.log(...(first?.types ?? [])); // 0 0 0 0 0 1 1 1 1 1
 * ```
 */
export function tokenize(data: LabelledTexts, tokenizer: TextTokenizer): LabelledTokens {
  const { texts, pairs } = data;
  if (pairs !== undefined && pairs.length !== texts.length) {
    throw new DataError({ where: "pairs", expected: `${texts.length}, one for each text`, received: pairs.length });
  }
  const sequences = texts.map((text, row) => {
    const pair = pairs?.[row];
    for (const each of [text, pair]) {
      if (each?.trim() !== "") continue;
      throw new DataError({ where: `text ${row}`, expected: "some text", received: "none, or white space alone" });
    }
    return tokenizer.encode(text, pair);
  });
  return { sequences, labels: data.labels, classes: data.classes.length, paddingId: tokenizer.paddingId };
}

/** Batches whose texts are compared in length at once: more save more padding, fewer leave the order more random. */
const WINDOW = 32;

/**
 * Batches of the rows, in their order. With `shuffle`, a batch has texts of about the same length, so that little of it is padding:
 * random order, cut into windows of {@link WINDOW} batches, each sorted by length, and the batches in random order again.
 *
 * @param lengths - of each row
 */
export function bucketedOrder(
  lengths: ArrayLike<number>,
  batchSize: number,
  shuffle: Random | undefined,
): Int32Array[] {
  const rows = lengths.length;
  const order = shuffle?.permutation(rows) ?? Int32Array.from({ length: rows }, (_, row) => row);
  const batches: Int32Array[] = [];
  const window = shuffle === undefined ? rows : WINDOW * batchSize;
  for (let start = 0; start < rows; start += window) {
    const part = order.subarray(start, start + window);
    if (shuffle !== undefined) part.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
    for (let i = 0; i < part.length; i += batchSize) batches.push(part.subarray(i, i + batchSize));
  }
  return shuffle?.shuffle(batches) ?? batches;
}

/** Settings of {@link textDataset}. */
export interface TextDatasetOptions {
  /**
   * Pads a batch to the next multiple of this length, but not beyond the longest text of all. The default of 1 computes least; on a GPU, where every new length needs memory of its
   * own, 64 is faster.
   */
  readonly padToMultipleOf?: number;
}

/** Tokens that are evaluated at once: attention has memory for each pair of a text's tokens. */
const EVALUATED_TOKENS = 2 ** 14;

/** Texts of a batch for evaluation. */
export function evaluationBatchSizeFor(lengths: Int32Array): number {
  return Math.min(1024, Math.max(1, Math.floor(EVALUATED_TOKENS / Math.max(1, longestOf(lengths)))));
}

/**
 * Token sequences as batches, each padded to its longest. Training batches have texts of about the same length; without `shuffle` rows
 * come in their order, so texts that are sorted by length are evaluated fastest.
 *
 * @throws DataError when there are no rows, or as many labels as rows are not there
 * @throws ConfigError when `padToMultipleOf` is no positive integer
 *
 * @example
 * ```ts
 * declare const tokenizer: TextTokenizer;
 * const texts = { texts: ["good", "bad"], labels: Int32Array.of(1, 0), classes: ["negative", "positive"] };
 * const dataset = textDataset(tokenize(texts, tokenizer));
 * ```
 */
export function textDataset(
  { sequences, labels, classes, paddingId }: LabelledTokens,
  { padToMultipleOf = 1 }: TextDatasetOptions = {},
): Dataset<TokenBatch> {
  const where = "textDataset";
  checkInteger(where, "padToMultipleOf", padToMultipleOf);
  checkRows(where, sequences, labels);
  const lengths = Int32Array.from(sequences, ({ ids }) => ids.length);
  const paired = arePaired(sequences);
  const padding = { multiple: padToMultipleOf, longest: longestOf(lengths) };
  return {
    rows: sequences.length,
    classes,
    evaluationBatchSize: evaluationBatchSizeFor(lengths),
    *batches(batchSize: number, shuffle?: Random): Generator<LabelledBatch<TokenBatch>> {
      checkInteger(where, "batchSize", batchSize);
      for (const rows of bucketedOrder(lengths, batchSize, shuffle)) {
        const inputs = pad(
          Array.from(rows, (row) => sequences[row] as TokenSequence),
          paddingId,
          paired,
          padding,
        );
        try {
          yield { inputs, labels: rows.map((row) => labels[row] ?? 0) };
        } finally {
          tf.dispose(Object.values(inputs));
        }
      }
    },
  };
}

/** @throws DataError when there are no rows, or not as many labels */
export function checkRows(where: string, sequences: readonly TokenSequence[], labels: Int32Array): void {
  if (sequences.length > 0 && labels.length === sequences.length) return;
  const received = `${sequences.length} texts and ${labels.length} labels`;
  throw new DataError({ where, expected: "texts, and a label for each", received });
}

/** Whether a token is of a second text: of one alone, no batch needs types. */
export function arePaired(sequences: readonly TokenSequence[]): boolean {
  return sequences.some(({ types }) => types.includes(1));
}

/** How long a batch is. */
export interface Padding {
  /** Its longest text is padded to the next multiple of this, */
  readonly multiple: number;
  /** but not beyond this. */
  readonly longest: number;
}

const TO_THE_LONGEST: Padding = { multiple: 1, longest: Number.POSITIVE_INFINITY };

/** The length of the longest text of many. */
export function longestOf(lengths: ArrayLike<number>): number {
  let longest = 0;
  for (let i = 0; i < lengths.length; i++) longest = Math.max(longest, lengths[i] ?? 0);
  return longest;
}

/** The length of a batch. */
export function paddedLength(lengths: ArrayLike<number>, { multiple, longest }: Padding): number {
  return Math.min(longest, Math.ceil(longestOf(lengths) / multiple) * multiple);
}

/** @returns tensors that are the caller's to dispose */
export function pad(
  sequences: readonly TokenSequence[],
  paddingId: number,
  paired: boolean,
  padding: Padding = TO_THE_LONGEST,
): TokenBatch {
  const tokens = paddedLength(
    sequences.map(({ ids }) => ids.length),
    padding,
  );
  const shape: [number, number] = [sequences.length, tokens];
  const ids = new Int32Array(sequences.length * tokens).fill(paddingId);
  const mask = new Float32Array(ids.length);
  const types = new Int32Array(paired ? ids.length : 0);
  sequences.forEach((sequence, row) => {
    const start = row * tokens;
    ids.set(sequence.ids, start);
    mask.fill(1, start, start + sequence.ids.length);
    if (paired) types.set(sequence.types, start);
  });
  return {
    ids: tf.tensor2d(ids, shape, "int32"),
    mask: tf.tensor2d(mask, shape),
    ...(paired ? { types: tf.tensor2d(types, shape, "int32") } : {}),
  };
}
