/**
 * Trains a small gated BERT, as a whole or above a frozen layer whose features lie on disk, and says after every round of epochs what memory
 * is in use: the live tensors and, garbage collected, the resident bytes. Runs in a process of its own:
 * `node --expose-gc train-epochs.ts ROUNDS EPOCHS [CACHE]`, where CACHE is an empty folder for tokens' features.
 */

import { constant, fit, GatedClassifier, penalty, Random, useBackend } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import { bertEncoder, bertPrefix, type LabelledTokens, type TextBatch, textDataset } from "../src/index.ts";
import { cacheFeatures } from "../src/node/index.ts";
import { smallBert } from "./small-bert.ts";

/** What is in use after a round of epochs. */
export interface MemoryUse {
  readonly tensors: number;
  readonly tensorBytes: number;
  readonly residentBytes: number;
}

/** Texts of 3 to 9 tokens: an epoch is 12 steps. */
const ROWS = 96;

function randomTokens(seed: number): LabelledTokens {
  const random = Random.from(seed, "tokens");
  const upTo = (bound: number): number => Math.floor(random.next() * bound);
  const sequences = Array.from({ length: ROWS }, () => {
    const ids = Int32Array.from({ length: 3 + upTo(7) }, () => 1 + upTo(22));
    return { ids, types: new Uint8Array(ids.length) };
  });
  return { sequences, labels: Int32Array.from(sequences, () => upTo(2)), classes: 2, paddingId: 0 };
}

const [rounds, epochs] = process.argv.slice(2, 4).map(Number);
const cache = process.argv[4];
const { gc } = globalThis;
if (rounds === undefined || epochs === undefined || gc === undefined) {
  throw new Error("usage: node --expose-gc train-epochs.ts ROUNDS EPOCHS [CACHE]");
}
await useBackend("wasm");
const files = await smallBert();
const [train, validation] = [randomTokens(0), randomTokens(1)];
const prefix = cache === undefined ? undefined : await bertPrefix(files, 1);
const dataset = async (tokens: LabelledTokens) =>
  prefix === undefined || cache === undefined
    ? textDataset(tokens)
    : await cacheFeatures(prefix, tokens, { directory: cache });
const encoder = await bertEncoder(files, { width: 6, ...(cache === undefined ? {} : { trainableLayers: 1 }) });
const used: MemoryUse[] = [];
await fit<TextBatch>(
  new GatedClassifier<TextBatch>({ encoder, classes: 2 }),
  { train: await dataset(train), validation: await dataset(validation) },
  {
    epochs: rounds * epochs,
    batchSize: 8,
    controller: penalty(constant(0.1)),
    callbacks: [
      {
        onEpochEnd({ epoch }) {
          if ((epoch + 1) % epochs > 0) return;
          gc();
          const { numTensors, numBytes } = tf.memory();
          used.push({ tensors: numTensors, tensorBytes: numBytes, residentBytes: process.memoryUsage.rss() });
        },
      },
    ],
  },
);
process.stdout.write(JSON.stringify(used));
process.exit();
