import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { gelu } from "../operations/gelu.ts";
import { useBackend } from "../select.ts";
import { installKernels } from "./install.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("installKernels", () => {
  it.each([
    ["another version", {}, "4.21.0", /this is 4\.21\.0/],
    ["another backend", {}, "4.22.0", /backend\.makeOutput is not there/],
  ])("leaves the stock kernels on %s, with a warning", async (_, backend, version, reason) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const report = await installKernels(backend, version, { threads: 1, fma: true });
    expect(report.ours).toEqual([]);
    expect(report.reason).toMatch(reason);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it("says so where a gradient of a gradient is asked of a fused operation", async () => {
    await useBackend("wasm");
    const slope = (x: tf.Tensor): tf.Tensor => tf.grad((y) => tf.sum(gelu(y)))(x);
    tf.tidy(() => {
      expect(slope(tf.tensor1d([0])).dataSync()[0]).toBeCloseTo(0.5, 6);
      expect(() => tf.grad((x) => tf.sum(slope(x)))(tf.tensor1d([0]))).toThrow(/gradients of the first order/);
    });
  });

  it("does nothing the second time", async () => {
    await useBackend("wasm");
    const kernel = tf.getKernel("BatchMatMul", "wasm");
    await useBackend("cpu");
    await useBackend("wasm");
    expect(tf.getKernel("BatchMatMul", "wasm")).toBe(kernel);
  });

  it("works on a backend that is made anew", async () => {
    await useBackend("wasm");
    const factory = tf.findBackendFactory("wasm");
    tf.removeBackend("wasm");
    tf.registerBackend("wasm", factory);
    await useBackend("wasm");
    const y = tf.tidy(() => tf.matMul(tf.ones([3, 9]), tf.ones([3, 11]), true, false).dataSync());
    expect(Array.from(y)).toEqual(Array(99).fill(3));
    const padded = tf.tidy(() => tf.pad(tf.ones([2]), [[1, 0]]).dataSync());
    expect(Array.from(padded)).toEqual([0, 1, 1]);
  });

  it("keeps the number of tensors and of data ids flat over 200 training steps", async () => {
    await useBackend("wasm");
    const x = tf.randomNormal([6, 48, 8], 0, 1, "float32", 1);
    const ids = tf.tensor1d(
      [...Array(6).keys()].map((i) => i % 3),
      "int32",
    );
    const table = tf.variable(tf.randomNormal([7, 16], 0, 1, "float32", 2));
    const kernel = tf.variable(tf.randomNormal([8, 16], 0, 1, "float32", 3));
    const bias = tf.variable(tf.zeros([16]));
    const optimizer = tf.train.adam(1e-3);
    const loss = (): tf.Scalar => {
      const tokens = tf.add(tf.reshape(tf.matMul(tf.reshape(x, [288, 8]), kernel), [6, 48, 16]), bias);
      const scores = tf.softmax(tf.matMul(tokens, tokens, false, true));
      const pooled = tf.mean(tf.matMul(scores, tokens), 1);
      return tf.mean(tf.square(tf.sub(tf.tanh(pooled), tf.gather(table, ids))));
    };
    const counts = (): number[] => {
      const backend: unknown = tf.backend();
      return [tf.memory().numTensors, tf.memory().numDataBuffers, (backend as { numDataIds(): number }).numDataIds()];
    };
    optimizer.minimize(loss);
    const before = counts();
    const first = tf.tidy(() => loss().dataSync()[0] ?? Number.NaN);
    for (let step = 0; step < 200; step++) optimizer.minimize(loss);
    expect(counts()).toEqual(before);
    expect(tf.tidy(() => loss().dataSync()[0] ?? Number.NaN)).toBeLessThan(first);
    optimizer.dispose();
    tf.dispose([x, ids, table, kernel, bias]);
  });
});
