/**
 * The gradient of a pretrained BERT beside PyTorch's in float64, parameter by parameter, and what PyTorch gives with one thing changed:
 *
 * `PYTHON=python3 node --conditions=@l0gm/source --import tsx packages/text/test/peers/gradients.ts MODEL [BACKEND ...]`
 *
 * BACKEND is wasm, unless others are named: cpu, on which the operations are composed of TensorFlow.js's own, takes five minutes.
 * Ends with 1 when the gradient of a parameter that matters is off by more than {@link LIMIT}.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type BackendName, EVALUATION, encodeSafetensors, Random, useBackend } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import { pad } from "../../src/dataset.ts";
import { bertEncoder, loadTokenizer, tokenize } from "../../src/index.ts";
import { bertTensors } from "../../src/weights.ts";
import { REVIEWS } from "./reviews.ts";
import { skipProjection } from "./skip-projection.ts";

/** Of the norm of a parameter's gradient. */
const LIMIT = 1e-5;

/** A parameter whose gradient has less than this share of the norm is 0 but for rounding: a key's bias moves all scores of a query alike. */
const MATTERS = 1e-5;

/** What is off: the loss; the norm, by this share of it; the whole gradient, by this share of its norm. */
interface Difference {
  readonly loss: number;
  readonly norm: number;
  readonly vector: number;
}

interface Part {
  readonly name: string;
  /** Of the global norm. */
  readonly share: number;
  readonly norm: number;
  readonly vector: number;
}

/** The line of gradients.py. */
interface Answer {
  readonly loss: number;
  readonly norm: number;
  readonly results: Readonly<Record<string, Difference>>;
  readonly parts: Readonly<Record<string, readonly Part[]>>;
  readonly variants: Readonly<Record<string, Difference>>;
  readonly versions: Readonly<Record<string, string>>;
}

const [model, ...named] = process.argv.slice(2);
if (model === undefined) throw new Error("usage: gradients.ts MODEL [BACKEND ...]");
const backends = named.length === 0 ? ["wasm"] : named;
const tokens = tokenize(REVIEWS, await loadTokenizer(model));
const random = Random.from(0, "head");

async function gradientTo(file: string, backend: BackendName, head: readonly number[][]): Promise<number> {
  await useBackend(backend);
  const encoder = await bertEncoder(model as string, { width: head.length });
  skipProjection(encoder);
  const batch = pad(tokens.sequences, tokens.paddingId, false);
  const truth = tf.oneHot(tf.tensor1d(tokens.labels, "int32"), tokens.classes);
  const parameters = encoder.parameters.filter(({ name }) => !name.startsWith("projection/"));
  const { value, grads } = tf.variableGrads(
    () => {
      const logits = tf.matMul(encoder.encode(batch, EVALUATION), tf.tensor2d(head as number[][]));
      return tf.neg(tf.mean(tf.sum(tf.mul(truth, tf.logSoftmax(logits)), 1))) as tf.Scalar;
    },
    parameters.map(({ variable }) => variable),
  );
  const gradients = parameters.map(({ name, variable }) => ({
    name,
    variable: tf.variable(grads[variable.name] as tf.Tensor),
  }));
  await writeFile(file, encodeSafetensors(await bertTensors(gradients)));
  const [loss = Number.NaN] = await value.data();
  encoder.dispose();
  return loss;
}

const { hidden_size: width } = JSON.parse(readFileSync(join(model, "config.json"), "utf8")) as { hidden_size: number };
const head = Array.from({ length: width }, () => [random.next() - 0.5, random.next() - 0.5]);
const folder = await mkdtemp(join(tmpdir(), "l0gm-gradients-"));
try {
  const ours: [string, number, string][] = [];
  for (const backend of backends as BackendName[]) {
    const file = join(folder, `${backend}.safetensors`);
    ours.push([`ours, ${backend}`, await gradientTo(file, backend, head), file]);
  }
  const { sequences, labels, paddingId } = tokens;
  const length = Math.max(...sequences.map(({ ids }) => ids.length));
  const padded = (values: ArrayLike<number>, end: number): number[] =>
    Array.from({ length }, (_, i) => values[i] ?? end);
  const request = {
    folder: resolve(model),
    ids: sequences.map(({ ids }) => padded(ids, paddingId)),
    mask: sequences.map(({ ids }) =>
      padded(
        ids.map(() => 1),
        0,
      ),
    ),
    labels: [...labels],
    head,
    ours,
  };
  const python = process.env["PYTHON"] ?? "python3";
  const { status, error, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, "gradients.py")], {
    input: `${JSON.stringify(request)}\n`,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${python} failed: ${error?.message ?? stderr}`);
  report(JSON.parse(stdout) as Answer);
} finally {
  await rm(folder, { recursive: true });
}

function report({ loss, norm, results, parts, variants, versions }: Answer): void {
  const shown = Object.entries(versions).map((entry) => entry.join(" "));
  console.log(`float64: loss ${loss.toFixed(6)}, norm of the gradient ${norm.toFixed(6)}; ${shown.join(", ")}\n`);
  const print = (heads: string, rows: readonly (readonly [string, ...number[]])[]): void => {
    console.log(`| ${heads} |\n| --- |${" --: |".repeat(heads.split("|").length - 1)}`);
    for (const [name, ...numbers] of rows) {
      console.log(`| ${[name, ...numbers.map((each) => each.toExponential(1))].join(" | ")} |`);
    }
    console.log();
  };
  const rows = (table: Answer["results"]): [string, number, number, number][] =>
    Object.entries(table).map(([name, each]) => [name, each.loss, each.norm, each.vector]);
  print("against PyTorch in float64 | loss | global norm | gradient", rows(results));
  for (const [name, all] of Object.entries(parts)) {
    const matter = all.filter(({ share }) => share >= MATTERS);
    print(
      `${name}: furthest off of ${matter.length} that matter | share of the norm | its norm | its gradient`,
      matter.slice(0, 5).map((part) => [part.name, part.share, part.norm, part.vector]),
    );
    // Written so that NaN fails.
    if (!matter.every(({ vector }) => vector <= LIMIT)) process.exitCode = 1;
  }
  print("PyTorch with one thing changed | loss | global norm | gradient", rows(variants));
}
