import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, inject, test } from "vitest";
import { expectClose } from "../testing/closeness.ts";
import { checkGradient } from "../testing/gradients.ts";
import { layerNorm } from "./layer-norm.ts";

describe("layerNorm", () => {
  const norm = layerNorm(4);
  let x: tf.Tensor2D;
  let scale: tf.Tensor1D;
  let shift: tf.Tensor1D;

  beforeAll(async () => {
    await useBackend(inject("backend"));
    x = tf.tensor2d([1, 2, 3, 4, -1, 0, 0, 5], [2, 4]);
    scale = tf.tensor1d([1, 2, 1, 0.5]);
    shift = tf.tensor1d([0, 0.1, 0, 1]);
  });

  test("gives mean 0 and variance 1 before scale and shift", () => {
    const y = norm.apply({ scale: tf.ones([4]), shift: tf.zeros([4]) }, x);
    expectClose(tf.mean(y, 1).dataSync(), [0, 0]);
    expectClose(tf.mean(tf.square(y), 1).dataSync(), [1, 1], { absolute: 1e-4 });
  });

  test("has right gradients", async () => {
    await checkGradient((input) => norm.apply({ scale, shift }, input), x);
    await checkGradient((s) => norm.apply({ scale: s, shift }, x), scale);
    await checkGradient((s) => norm.apply({ scale, shift: s }, x), shift);
  });
});
