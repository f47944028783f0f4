/**
 * What is measured of this package alone: an epoch with and without the cache of the frozen layers, and tokenizing.
 * `extras.ts BACKEND MODEL THREADS TEXTS TOKENS [IMDB]`, a folder of MiniLM-L6 and one of IMDB.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Dataset, fit, useBackend } from "@l0gm/core";
import { bertPrefix, loadImdb, loadTokenizer, type TextBatch, textDataset, tokenize } from "../src/index.ts";
import { cacheFeatures } from "../src/node/index.ts";
import { CASES, ROWS } from "./cases.ts";
import { LAYERS, makeClassifier, tokensOf } from "./model.ts";

export interface Extras {
  /** Seconds, of so many texts. */
  readonly cache: { readonly texts: number; readonly without: number; readonly fill: number; readonly with: number };
  /** Absent without IMDB. */
  readonly tokenizing?: { readonly reviews: number; readonly tokens: number; readonly seconds: number };
}

const [backend, model = "", threads, texts, tokens, imdb] = process.argv.slice(2);
await useBackend(backend === "webgpu" ? backend : "wasm", { threads: Number(threads) });

/** Of the training steps alone, reading included. */
async function epochSeconds(train: Dataset<TextBatch>, validation: Dataset<TextBatch>): Promise<number> {
  const top = CASES["bert-top"];
  const classifier = await makeClassifier({ case: top, model });
  let [begin, end] = [0, 0];
  const timed: Dataset<TextBatch> = {
    rows: train.rows,
    classes: train.classes,
    async *batches(batchSize, shuffle) {
      begin = performance.now();
      yield* train.batches(batchSize, shuffle);
      end = performance.now();
    },
  };
  await fit(classifier, { train: timed, validation }, { epochs: 1, batchSize: ROWS, restore: "equalBudget" });
  classifier.dispose();
  return (end - begin) / 1000;
}

async function measureCache(): Promise<Extras["cache"]> {
  const data = tokensOf(Number(texts), Number(tokens));
  const validation = textDataset(tokensOf(1, 8));
  const without = await epochSeconds(textDataset(data), validation);
  const { trainableLayers = 0 } = CASES["bert-top"];
  const prefix = await bertPrefix(model, LAYERS - trainableLayers);
  const directory = await mkdtemp(join(tmpdir(), "l0gm-bench-text-"));
  try {
    const begin = performance.now();
    const features = await cacheFeatures(prefix, data, { directory });
    const fill = (performance.now() - begin) / 1000;
    const seconds = await epochSeconds(features, validation);
    return { texts: Number(texts), without, fill, with: seconds };
  } finally {
    prefix.dispose();
    await rm(directory, { recursive: true });
  }
}

async function measureTokenizing(folder: string): Promise<NonNullable<Extras["tokenizing"]>> {
  const { test } = await loadImdb(folder);
  const [few, some] = [
    [0, 500],
    [500, 3000],
  ].map(([from, to]) => ({ ...test, texts: test.texts.slice(from, to), labels: test.labels.slice(from, to) }));
  if (few === undefined || some === undefined) throw new Error("IMDB has no reviews");
  const tokenizer = await loadTokenizer(model, { maximumLength: Number(tokens), truncation: "head-and-tail" });
  // Compiles it.
  tokenize(few, tokenizer);
  const begin = performance.now();
  const { sequences } = tokenize(some, tokenizer);
  const seconds = (performance.now() - begin) / 1000;
  return { reviews: sequences.length, tokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0), seconds };
}

const cache = await measureCache();
const extras: Extras = imdb === undefined ? { cache } : { cache, tokenizing: await measureTokenizing(imdb) };
process.stdout.write(`${JSON.stringify(extras)}\n`);
process.exit();
