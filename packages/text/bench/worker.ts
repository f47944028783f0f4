/** Measures this package, asked line by line: `worker.ts TASK`, where TASK is the JSON of a {@link Task}. */

import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { encodeSafetensors, fit, useBackend } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import type { Measured, Ready, Task } from "./cases.ts";
import { firstRow, makeBatch, makeClassifier, repeated, tokensOf } from "./model.ts";

const task = JSON.parse(process.argv[2] ?? "") as Task;
const { kernels } = await useBackend(task.backend, { threads: task.threads });
if (kernels.threads !== task.threads) throw new Error(`runs on ${kernels.threads} threads: ${kernels.reason}`);
const model = await makeClassifier(task);
const batch = await makeBatch(task);
const validation = repeated(firstRow(batch), 1, 1, async () => {});

/** Weights that the model's file has not. */
async function writeWeights(): Promise<void> {
  const named = model.parameters.map(({ name, variable }) => ({ name: name.replace(/^encoder\//, ""), variable }));
  const own = named.filter(({ name }) => task.case.model === "scratch" || /^(projection|head)\//.test(name));
  const tensors = own.map(async ({ name, variable }) => {
    const data = Float32Array.from(await variable.data<"float32">());
    return [name, { dtype: "F32", shape: variable.shape, data }] as const;
  });
  await writeFile(task.weights, encodeSafetensors(new Map(await Promise.all(tensors))));
}

async function lossOf(): Promise<number> {
  const loss = tf.tidy(() => {
    const truth = tf.oneHot(tf.tensor1d(tokensOf(task.rows, 1).labels, "int32"), 2);
    return tf.neg(tf.mean(tf.sum(tf.mul(truth, tf.logSoftmax(model.logits(batch))), 1)));
  });
  const [value = Number.NaN] = await loss.data();
  loss.dispose();
  return value;
}

/** A step as `fit` takes it: dropout, gradients, their norm clipped, AdamW. */
async function train(steps: number): Promise<number[]> {
  const marks: number[] = [];
  const mark = async (): Promise<void> => {
    // A GPU works on while JavaScript goes ahead; what is read last has waited for all before it.
    if (task.backend === "webgpu") await model.parameters[0]?.variable.data();
    marks.push(performance.now());
  };
  const data = { train: repeated(batch, task.rows, steps, mark), validation };
  const weights = { learningRate: 1e-4, decay: 0.01 };
  await fit(model, data, { epochs: 1, batchSize: task.rows, weights, restore: "equalBudget" });
  return marks.slice(1).map((mark, i) => mark - (marks[i] ?? Number.NaN));
}

async function infer(steps: number): Promise<number[]> {
  const times: number[] = [];
  for (let step = 0; step < steps; step++) {
    const begin = performance.now();
    const logits = model.logits(batch);
    await logits.data();
    times.push(performance.now() - begin);
    logits.dispose();
  }
  return times;
}

function write(value: Ready | Measured): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

await writeWeights();
write({ loss: await lossOf(), versions: { node: process.versions.node, "@tensorflow/tfjs-core": tf.version_core } });
for await (const line of createInterface({ input: process.stdin })) {
  const steps = Number(line);
  const times = task.case.training ? await train(steps) : await infer(steps);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  write({ times, peakBytes: maxRSS * 1024, processorSeconds: (userCPUTime + systemCPUTime) / 1e6 });
}
process.exit();
