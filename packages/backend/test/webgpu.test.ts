import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { adamWStep, zeroMoments } from "../src/operations/adamw.ts";
import { useBackend } from "../src/select.ts";
import { loadWebGpu } from "../src/webgpu/load.ts";
import { everyOperation, largestDifference } from "./every-operation.ts";

/** Why WebGPU can not be had here. The package is too large for every installation, so it is nobody's dependency. */
async function whyNot(): Promise<string | undefined> {
  try {
    createRequire(import.meta.url).resolve("webgpu");
    await loadWebGpu();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n", 1).join("") : String(error);
  }
}

const reason = await whyNot();
const note = reason === undefined ? "" : ` (skipped: ${reason})`;
if (note !== "") console.warn(`WebGPU in Node${note}`);

it.skipIf(reason !== undefined)(`WebGPU in Node has the results and gradients of plain JavaScript${note}`, async () => {
  await useBackend("cpu");
  const expected = await everyOperation();
  const report = await useBackend("webgpu");
  console.log(report.attempts.at(-1)?.reason);
  expect(report).toMatchObject({ backend: "webgpu", kernels: { ours: [] } });
  expect(report.kernels.reason).toMatch(/shaders for AdamW.*; ours: uploads of small tensors/);
  const { name, difference } = largestDifference(await everyOperation(), expected);
  expect(difference, name).toBeLessThan(1e-4);
});

/** A variable and its moments after steps with decay and clipping. */
async function optimised(): Promise<number[][]> {
  const value = tf.tidy(() => tf.variable(tf.linspace(1, 4, 131)));
  const moments = zeroMoments(value);
  const settings = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.05, scale: 0.7 };
  for (let step = 1; step <= 3; step++) {
    const gradient = tf.tidy(() => tf.mul(value, step - 1.5));
    adamWStep(value, gradient, moments, { ...settings, step });
    gradient.dispose();
  }
  const all = [value, moments.mean, moments.square];
  const read = await Promise.all(all.map(async (tensor) => Array.from(await tensor.data())));
  tf.dispose(all);
  return read;
}

it.skipIf(reason !== undefined)(`AdamW on WebGPU does as in plain JavaScript, and keeps no tensor${note}`, async () => {
  await useBackend("cpu");
  const expected = await optimised();
  await useBackend("webgpu");
  const before = tf.memory().numTensors;
  const found = await optimised();
  expect(tf.memory().numTensors).toBe(before);
  found.forEach((values, i) => {
    values.forEach((value, k) => {
      expect(value).toBeCloseTo(expected[i]?.[k] ?? Number.NaN, 4);
    });
  });
});

it.skipIf(reason !== undefined)(`small tensors of every type reach the GPU as they are${note}`, async () => {
  await useBackend("webgpu");
  const cases: [values: number[], dtype: "float32" | "int32" | "bool"][] = [
    [[1.5, -2, 3e-8], "float32"],
    [[-7, 2 ** 30], "int32"],
    [[1, 0, 1], "bool"],
  ];
  for (const [values, dtype] of cases) {
    const x = tf.tensor1d(values, dtype);
    // A reversed copy comes from the GPU, the tensor itself from memory.
    const reversed = tf.reverse(x);
    expect(Array.from(await reversed.data())).toEqual(Array.from(tf.util.toTypedArray(values, dtype)).reverse());
    tf.dispose([x, reversed]);
  }
});

it.skipIf(reason !== undefined)(`memory on the GPU stays bounded with tensors of ever new sizes${note}`, async () => {
  await useBackend("webgpu");
  const allocated = (): number => (tf.memory() as unknown as { numBytesAllocatedInGPU: number }).numBytesAllocatedInGPU;
  const before = allocated();
  for (let size = 1; size <= 40; size++) {
    const x = tf.tidy(() => tf.add(tf.zeros([20_000, size]), size));
    const [first, last] = await Promise.all([x.slice(0, 1).data(), x.slice(19_999, 1).data()]);
    expect([first[0], last[size - 1]]).toEqual([size, size]);
    x.dispose();
  }
  // Kept for each size, they would be 131 MB; three tensors of at most 3.2 MB live at once.
  expect(allocated() - before).toBeLessThan(4e7);
});
