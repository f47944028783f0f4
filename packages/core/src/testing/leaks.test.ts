import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, inject, test } from "vitest";
import { countTensors, expectNoLeak } from "./leaks.ts";

beforeAll(() => useBackend(inject("backend")));

test("counts what a step, also an asynchronous one, leaves and frees", async () => {
  const x = tf.zeros([2]);
  expect(await countTensors(async () => tf.add(x, await Promise.resolve(1)))).toBe(1);
  expect(await countTensors(() => x.dispose())).toBe(-1);
});

test("accepts a step that leaves tensors only the first time", async () => {
  const kept: tf.Tensor[] = [];
  let calls = 0;
  await expectNoLeak((i) => {
    calls++;
    if (i === 0) kept.push(tf.zeros([1]));
    tf.tidy(() => tf.ones([3]).dataSync());
  }, 5);
  expect(calls).toBe(6);
});

test("names the repetition at which tensors are left or go missing", async () => {
  await expect(expectNoLeak((i) => i === 3 && tf.zeros([1]), 5)).rejects.toThrow(/1 more after repetition 3 of 5/);
  const x = tf.zeros([1]);
  await expect(expectNoLeak((i) => i === 2 && x.dispose(), 5)).rejects.toThrow(/1 fewer after repetition 2 of 5/);
});
