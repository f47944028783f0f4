import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { checkGradient } from "../testing/gradients.ts";
import { dense } from "./dense.ts";
import { normal } from "./module.ts";

beforeAll(() => useBackend(inject("backend")));

describe("dense", () => {
  const layer = dense({ inputs: 2, outputs: 3, fill: normal(1) });
  let kernel: tf.Tensor2D;
  let bias: tf.Tensor1D;

  beforeAll(() => {
    kernel = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    bias = tf.tensor1d([0.5, 0, -0.5]);
  });

  test("applies to the last axis of any tensor", () => {
    const x = tf.tensor3d([1, 0, 0, 1, 1, 1, 2, 0], [2, 2, 2]);
    const y = layer.apply({ kernel, bias }, x);
    expect(y.shape).toEqual([2, 2, 3]);
    expect([...y.dataSync()]).toEqual([1.5, 2, 2.5, 4.5, 5, 5.5, 5.5, 7, 8.5, 2.5, 4, 5.5]);
  });

  test("has right gradients", async () => {
    const x = tf.tensor3d([0.1, -0.2, 0.3, 0.4], [1, 2, 2]);
    await checkGradient((k) => layer.apply({ kernel: k, bias }, x), kernel);
    await checkGradient((b) => layer.apply({ kernel, bias: b }, x), bias);
    await checkGradient((input) => layer.apply({ kernel, bias }, input), x);
  });
});
