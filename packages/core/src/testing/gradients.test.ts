import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, inject, test } from "vitest";
import { expectClose } from "./closeness.ts";
import { checkGradient, checkParameterGradients, finiteDifferences } from "./gradients.ts";

beforeAll(() => useBackend(inject("backend")));

test("central differences of a cubic are those of calculus, up to epsilon squared", async () => {
  const x = tf.tensor1d([-1, 0.5, 2]);
  const gradient = await finiteDifferences((t) => tf.pow(t, 3), x, { weights: [1, 2, 3] });
  expectClose(gradient, [3, 1.5, 36], { absolute: 1e-3 });
});

test("accepts right gradients, also of functions of many outputs", async () => {
  await checkGradient((x) => tf.matMul(x, x, false, true), tf.tensor2d([0.1, 0.2, 0.3, -0.4, 0.5, 0.6], [2, 3]));
  await checkGradient((x) => tf.softmax(x), tf.tensor1d([0.3, -1, 2]));
});

test("finds a gradient that is off by a factor", async () => {
  const wrong = tf.customGrad((x: unknown) => ({
    value: tf.square(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, x as tf.Tensor),
  }));
  await expect(checkGradient((x) => wrong(x), tf.tensor1d([1, 3]))).rejects.toThrow(/gradient\[1\]/);
});

test("finds a gradient that gives one output's share to another", async () => {
  const wrong = tf.customGrad((x: unknown) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.reverse(dy),
  }));
  await expect(checkGradient((x) => wrong(x), tf.tensor1d([1, 3]))).rejects.toThrow(/gradient\[/);
});

test("checks variables one by one, and names the one whose gradient is wrong", async () => {
  const [a, b] = [tf.variable(tf.tensor1d([1, 2, 3])), tf.variable(tf.tensor2d([[0.5], [-1], [2]]))];
  const named = [
    { name: "a", variable: a },
    { name: "b", variable: b },
  ];
  const doubled = tf.customGrad((x: unknown) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, 2),
  }));
  const before = tf.memory().numTensors;
  const product = (x: tf.Tensor): tf.Tensor => tf.matMul(tf.reshape(a, [1, 3]), x as tf.Tensor2D);
  await checkParameterGradients(() => product(b), named, { samples: 2 });
  await expect(checkParameterGradients(() => product(doubled(b)), named)).rejects.toThrow(/gradient of b/);
  expect(tf.memory().numTensors).toBe(before);
  expect([...a.dataSync()]).toEqual([1, 2, 3]);
  tf.dispose([a, b]);
});

test("leaves no tensors behind", async () => {
  const x = tf.tensor1d([1, 2]);
  const before = tf.memory().numTensors;
  await checkGradient((t) => tf.exp(t), x);
  expect(tf.memory().numTensors).toBe(before);
});
