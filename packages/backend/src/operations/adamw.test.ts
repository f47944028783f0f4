import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { AdamW, type AdamWOptions, adamWStep, zeroMoments } from "./adamw.ts";
import { dense } from "./dense.ts";

function loss(kernel: tf.Tensor, bias: tf.Tensor): tf.Scalar {
  const x = tf.reshape(tf.sin(tf.range(0, 40)), [8, 5]);
  return tf.mean(tf.square(tf.sub(dense(x, kernel as tf.Tensor2D, bias as tf.Tensor1D), 1)));
}

/** The parameters after some steps. */
async function train(backend: "cpu" | "wasm", optimizer: tf.Optimizer, steps = 7): Promise<number[]> {
  await useBackend(backend);
  const kernel = tf.variable(tf.tidy(() => tf.reshape(tf.cos(tf.range(0, 15)), [5, 3])));
  const bias = tf.variable(tf.zeros([3]));
  for (let step = 0; step < steps; step++) optimizer.minimize(() => loss(kernel, bias));
  const result = [...kernel.dataSync(), ...bias.dataSync()];
  optimizer.dispose();
  tf.dispose([kernel, bias]);
  return result;
}

function expectClose(received: readonly number[], expected: readonly number[]): void {
  expect(received.length).toBe(expected.length);
  received.forEach((value, i) => {
    expect(Math.abs(value - (expected[i] ?? Number.NaN))).toBeLessThan(2e-5);
  });
}

describe("AdamW", () => {
  it("equals tfjs's Adam without decay", async () => {
    const ours = await train("wasm", new AdamW({ learningRate: 0.05, epsilon: 1e-8 }));
    expectClose(ours, await train("cpu", tf.train.adam(0.05, 0.9, 0.999, 1e-8)));
  });

  it.each<AdamWOptions>([
    { learningRate: 0.1, weightDecay: 0.3 },
    { learningRate: 0.1, weightDecay: 0.3, beta1: 0.8, beta2: 0.99, epsilon: 1e-3, decays: () => false },
  ])("takes the same steps on the cpu backend with %j", async (options) => {
    expectClose(await train("wasm", new AdamW(options)), await train("cpu", new AdamW(options)));
  });

  it("leaves clones of a variable as they were", async () => {
    await useBackend("wasm");
    const kernel = tf.variable(tf.ones([5, 3]));
    const bias = tf.variable(tf.zeros([3]));
    const snapshot = tf.clone(kernel);
    const optimizer = new AdamW({ learningRate: 0.5 });
    for (let step = 0; step < 3; step++) optimizer.minimize(() => loss(kernel, bias));
    expect(Array.from(snapshot.dataSync())).toEqual(Array(15).fill(1));
    expect(kernel.dataSync()[0]).not.toBe(1);
    optimizer.dispose();
    tf.dispose([kernel, bias, snapshot]);
  });

  it("resumes from its weights", async () => {
    await useBackend("wasm");
    const run = async (resume: boolean): Promise<number[]> => {
      const kernel = tf.variable(tf.ones([5, 3]), true, resume ? "resumed" : "straight");
      const bias = tf.variable(tf.zeros([3]), true, resume ? "resumedBias" : "straightBias");
      let optimizer = new AdamW({ learningRate: 0.1 });
      for (let step = 0; step < 6; step++) {
        optimizer.minimize(() => loss(kernel, bias));
        if (!resume || step !== 2) continue;
        const next = new AdamW({ learningRate: 0.1 });
        const weights = (await optimizer.getWeights()).map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) }));
        await next.setWeights(weights);
        optimizer.dispose();
        optimizer = next;
        tf.dispose(weights.map(({ tensor }) => tensor));
      }
      const result = [...kernel.dataSync(), ...bias.dataSync()];
      optimizer.dispose();
      tf.dispose([kernel, bias]);
      return result;
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it.each(["wasm", "cpu"] as const)(
    "a scale acts on the gradient, and other sizes are refused, on %s",
    async (backend) => {
      await useBackend(backend);
      const settings = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 0.1, weightDecay: 0.2 };
      const after = (factor: number, scale?: number): Float32Array =>
        tf.tidy(() => {
          const value = tf.variable(tf.tensor1d([1, -2, 3, 0, 5]));
          const moments = zeroMoments(value);
          for (let step = 1; step <= 4; step++) {
            const gradient = tf.tensor1d([1, 2, -3, 4, step].map((x) => x * factor));
            adamWStep(value, gradient, moments, { ...settings, step, ...(scale === undefined ? {} : { scale }) });
          }
          expect(() => adamWStep(value, tf.ones([4]), moments, { ...settings, step: 5 })).toThrow(BackendError);
          const result = value.dataSync<"float32">().slice();
          tf.dispose([value, moments.mean, moments.square]);
          return result;
        });
      // Powers of two scale without rounding.
      expect(after(1, 0.25)).toEqual(after(0.25));
      expect(after(1)).not.toEqual(after(0.25));
    },
  );

  it("refuses a beta of 1", () => {
    expect(() => new AdamW({ beta1: 1 })).toThrow(BackendError);
  });
});
