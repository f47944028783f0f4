import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ConfigError } from "../errors.ts";
import type { Parameter } from "../model/encoder.ts";
import { Random } from "../random.ts";
import { expectClose, expectNoLeak } from "../testing/index.ts";
import { AdamW, type AdamWOptions } from "./adamw.ts";

beforeAll(() => useBackend(inject("backend")));

const parameter = (values: readonly number[], decay: boolean, name = "w"): Parameter => ({
  name,
  variable: tf.variable(tf.tensor1d([...values])),
  decay,
});

/** Algorithm 2 of Loshchilov and Hutter, as printed: with the bias-corrected moments, in Float64. */
function textbook(
  weights: readonly number[],
  gradients: readonly (readonly number[])[],
  learningRate: number,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0 }: AdamWOptions,
): number[] {
  return weights.map((start, i) => {
    let [weight, first, second] = [start, 0, 0];
    gradients.forEach((gradient, t) => {
      const g = gradient[i] ?? Number.NaN;
      first = beta1 * first + (1 - beta1) * g;
      second = beta2 * second + (1 - beta2) * g * g;
      const change = first / (1 - beta1 ** (t + 1)) / (Math.sqrt(second / (1 - beta2 ** (t + 1))) + epsilon);
      weight -= learningRate * (change + decay * weight);
    });
    return weight;
  });
}

const start = [0.5, -1, 2];
const gradients = Array.from({ length: 30 }, (_, t) => [...Random.from(t, "gradient").normals(3)]);

// In place on our kernels, composed of plain operations on the other.
describe.each(["cpu", "wasm"] as const)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));
  afterAll(() => useBackend(inject("backend")));

  async function stepped(options: AdamWOptions, decays: boolean, scale?: number): Promise<Float32Array> {
    const weight = parameter(start, decays);
    const optimizer = new AdamW([weight], options);
    for (const gradient of gradients) optimizer.step([tf.tensor1d(gradient)], 0.01, scale);
    return weight.variable.data<"float32">();
  }

  test("a parameter's rate is a factor on the learning rate", async () => {
    const slow = { ...parameter(start, true), rate: 0.25 };
    const optimizer = new AdamW([slow], { decay: 0.3 });
    for (const gradient of gradients) optimizer.step([tf.tensor1d(gradient)], 0.04);
    expectClose(await slow.variable.data(), await stepped({ decay: 0.3 }, true), { absolute: 1e-7 });
  });

  test.each<[string, AdamWOptions]>([
    ["default", {}],
    ["decaying", { decay: 0.3 }],
    ["all", { beta1: 0.5, beta2: 0.9, epsilon: 0.1, decay: 0.1 }],
  ])("%s options: thirty steps are those of the textbook", async (_, options) => {
    expectClose(await stepped(options, true), textbook(start, gradients, 0.01, options), { absolute: 2e-6 });
  });

  test("weights that do not decay stay as if there were no decay", async () => {
    expect(await stepped({ decay: 0.3 }, false)).toEqual(await stepped({}, true));
  });

  test("the scale acts on the gradients", async () => {
    const scaled = gradients.map((gradient) => gradient.map((g) => g / 4));
    const options = { epsilon: 0.1 };
    expectClose(await stepped(options, true, 1 / 4), textbook(start, scaled, 0.01, options), { absolute: 2e-6 });
  });

  test("moments and steps set from another optimizer's make it go on as that one", async () => {
    const [weight, copy] = [parameter(start, true), parameter(start, true)];
    const [optimizer, resumed] = [new AdamW([weight]), new AdamW([copy])];
    const take = (of: AdamW, part: readonly number[][]): void => {
      for (const gradient of part) of.step([tf.tensor1d(gradient)], 0.01);
    };
    take(optimizer, gradients.slice(0, 10));
    copy.variable.assign(weight.variable);
    expect(resumed.moments.map(({ name }) => name)).toEqual(["w/first-moment", "w/second-moment"]);
    resumed.moments.forEach(({ variable }, i) => {
      variable.assign(optimizer.moments[i]?.variable ?? variable);
    });
    resumed.steps = optimizer.steps;
    take(optimizer, gradients.slice(10));
    take(resumed, gradients.slice(10));
    expect(await copy.variable.data()).toEqual(await weight.variable.data());
  });

  test("a step leaves no tensor behind, and dispose frees the moments", async () => {
    const weight = parameter(start, true);
    const gradient = tf.tensor1d([1, 2, 3]);
    const before = tf.memory().numTensors;
    const optimizer = new AdamW([weight], { decay: 0.1 });
    await expectNoLeak(() => optimizer.step([gradient], 0.01));
    optimizer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

test.each<AdamWOptions>([{ beta1: 1 }, { beta2: -0.1 }, { epsilon: 0 }, { decay: -1 }, { decay: Number.NaN }])(
  "%j is an error",
  (options) => {
    expect(() => new AdamW([], options)).toThrow(ConfigError);
  },
);
