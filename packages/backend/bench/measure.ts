/**
 * Measures matrix products and training steps of one implementation and prints them as JSON.
 *
 * usage, in this folder: tsx --conditions=@l0gm/source measure.ts stock|ours plain|fused THREADS SECONDS [MODEL...]
 */

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { useBackend } from "../src/index.ts";
import { type ModelName, makeWorkload } from "./workloads.ts";

const [implementation, parts, threads, seconds, ...models] = process.argv.slice(2);

async function start(): Promise<string> {
  if (implementation !== "stock") return (await useBackend("wasm", { threads: Number(threads) })).kernels.reason;
  await import("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  return "stock";
}

/** Runs for a while; the median and the shortest time in milliseconds. */
function time(run: () => void): { readonly median: number; readonly best: number; readonly runs: number } {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) run();
  const end = performance.now() + Number(seconds) * 1000;
  do {
    const begin = performance.now();
    run();
    times.push(performance.now() - begin);
  } while (performance.now() < end);
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1] ?? 0, best: times[0] ?? 0, runs: times.length };
}

const PRODUCTS: readonly (readonly [string, number[], number[], boolean, boolean])[] = [
  ["1024x256x256 NN", [1024, 256], [256, 256], false, false],
  ["1024x256x256 NT", [1024, 256], [256, 256], false, true],
  ["256x1024x256 TN", [1024, 256], [1024, 256], true, false],
  ["64 of 128x64x128", [64, 128, 64], [64, 64, 128], false, false],
  ["1024x128x2", [1024, 128], [128, 2], false, false],
];

const reason = await start();
const result: Record<string, unknown> = { implementation, parts, reason };
for (const [name, a, b, transposeA, transposeB] of models.length === 0 ? PRODUCTS : []) {
  const [x, y] = [tf.randomUniform(a, -1, 1), tf.randomUniform(b, -1, 1)];
  const { median, best } = time(() => tf.matMul(x, y, transposeA, transposeB).dispose());
  const work = tf.util.sizeFromShape(a) * (transposeB ? (b.at(-2) ?? 1) : (b.at(-1) ?? 1)) * 2e-6;
  result[name] = { gflops: work / median, bestGflops: work / best };
}
for (const name of models as ModelName[]) {
  const { loss, optimizer } = makeWorkload(name, parts === "fused");
  const first = tf.tidy(() => loss().dataSync()[0]);
  const { median, best, runs } = time(() => {
    optimizer.minimize(loss, true)?.dispose();
  });
  result[name] = { ms: median, bestMs: best, runs, loss: first, tensors: tf.memory().numTensors };
}
console.log(JSON.stringify(result));
