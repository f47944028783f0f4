/**
 * Fine-tunes a pretrained BERT for a few steps, saves it, has Python's transformers read the files, and prints the largest difference between
 * what either makes of the same texts:
 *
 * `PYTHON=python3 node --conditions=@l0gm/source --import tsx packages/text/test/peers/read-saved-bert.ts MODEL`
 *
 * MODEL is a folder with a pooler, such as all-minilm-l6-v2. Ends with 1 when a tensor is missing or too much, or a number differs by more
 * than {@link LIMIT}.
 */

import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVALUATION, fit, GatedClassifier, useBackend } from "@l0gm/core";
import { directory } from "@l0gm/core/node";
import { pad } from "../../src/dataset.ts";
import {
  type BertEncoderOptions,
  bertEncoder,
  loadTokenizer,
  pruneHeads,
  saveBert,
  type TextBatch,
  textDataset,
  tokenize,
} from "../../src/index.ts";
import { REVIEWS } from "./reviews.ts";
import { skipProjection } from "./skip-projection.ts";

interface Case {
  readonly name: string;
  readonly options: BertEncoderOptions & { readonly pooling: "mean" | "pooler" };
  /** Cut out before training, by layer. */
  readonly heads?: readonly (readonly number[])[];
}

const CASES: readonly Case[] = [
  { name: "all layers trained, mean pooling", options: { pooling: "mean" } },
  { name: "all layers trained, pooler", options: { pooling: "pooler" } },
  { name: "top 2 layers trained, mean pooling", options: { pooling: "mean", trainableLayers: 2 } },
  { name: "the first 3 layers, mean pooling", options: { pooling: "mean", layers: 3 } },
  { name: "7 heads pruned, mean pooling", options: { pooling: "mean" }, heads: [[0, 3, 11], [], [5], [1, 2, 4]] },
];

const LIMIT = 1e-5;

/** A line of read_saved_bert.py. */
interface Answer {
  readonly pooled: number[][];
  readonly missing: string[];
  readonly unexpected: string[];
  readonly versions: Readonly<Record<string, string>>;
}

const [model] = process.argv.slice(2);
if (model === undefined) throw new Error("usage: read-saved-bert.ts MODEL");
await useBackend("wasm");
const tokens = tokenize(REVIEWS, await loadTokenizer(model));
const data = textDataset(tokens);
const batch = pad(tokens.sequences, tokens.paddingId, false);

/** @returns what pooling gives before the training, and what it gives after it */
async function trainAndSave({ options, heads }: Case, folder: string): Promise<[Float32Array, Float32Array]> {
  const whole = await bertEncoder(model as string, { ...options, width: 384 });
  const encoder = heads === undefined ? whole : pruneHeads(whole, heads);
  const classifier = new GatedClassifier<TextBatch>({ encoder, classes: 2, gate: false });
  const embeddings = async (): Promise<Float32Array> => {
    skipProjection(encoder);
    return await encoder.encode(batch, EVALUATION).data<"float32">();
  };
  const before = await embeddings();
  const weights = { learningRate: 1e-4, decay: 0.01 };
  await fit(
    classifier,
    { train: data, validation: data },
    { epochs: 3, batchSize: 3, weights, restore: "equalBudget" },
  );
  const after = await embeddings();
  await saveBert(encoder, model as string, directory(folder));
  classifier.dispose();
  if (encoder !== whole) whole.dispose();
  return [before, after];
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} numbers are compared with ${b.length}`);
  return Array.from(a).reduce((largest, each, i) => Math.max(largest, Math.abs(each - (b[i] ?? Number.NaN))), 0);
}

const root = await mkdtemp(join(tmpdir(), "l0gm-saved-bert-"));
try {
  const ours: [Float32Array, Float32Array][] = [];
  const requests: string[] = [];
  for (const [i, each] of CASES.entries()) {
    const folder = join(root, String(i));
    ours.push(await trainAndSave(each, folder));
    requests.push(`${JSON.stringify({ folder, pooling: each.options.pooling, texts: REVIEWS.texts })}\n`);
  }
  const python = process.env["PYTHON"] ?? "python3";
  const { status, error, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, "read_saved_bert.py")], {
    input: requests.join(""),
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${python} failed: ${error?.message ?? stderr}`);
  const answers = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
  console.log("| saved model | moved by training | largest difference | missing or too much |");
  console.log("| --- | --: | --: | --- |");
  for (const [i, { name }] of CASES.entries()) {
    const { pooled, missing, unexpected } = answers[i] as Answer;
    const [before, after] = ours[i] as [Float32Array, Float32Array];
    const difference = largestDifference(pooled.flat(), after);
    const moved = largestDifference(before, after);
    const wrong = [...missing, ...unexpected];
    console.log(
      `| ${name} | ${moved.toFixed(3)} | ${difference.toExponential(1)} | ${wrong.join(", ") || "nothing"} |`,
    );
    // Written so that NaN fails.
    if (!(difference <= LIMIT) || wrong.length > 0) process.exitCode = 1;
  }
  console.log(
    Object.entries(answers[0]?.versions ?? {})
      .map((entry) => entry.join(" "))
      .join(", "),
  );
} finally {
  await rm(root, { recursive: true });
}
