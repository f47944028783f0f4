import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ConfigError } from "../errors.ts";
import { GatedClassifier } from "../model/gated-classifier.ts";
import { layersEncoder } from "../model/layers-encoder.ts";
import { compareLatency } from "./latency.ts";

beforeAll(() => useBackend(inject("backend")));

function modelOf(units: number): GatedClassifier<tf.Tensor> {
  const encoder = layersEncoder(sequential({ layers: [layers.dense({ units, inputShape: [4] })] }));
  return new GatedClassifier({ encoder, classes: 2 });
}

test("times each model as often as asked, in turns, after the warm-up", async () => {
  const [a, b] = [modelOf(2), modelOf(3)];
  const order: string[] = [];
  for (const [name, model] of Object.entries({ a, b })) {
    const logits = model.logits.bind(model);
    vi.spyOn(model, "logits").mockImplementation((...args) => {
      order.push(name);
      return logits(...args);
    });
  }
  await compareLatency({ a, b }, tf.ones([1, 4]), { rounds: 3, warmUp: 2 });
  expect(order.join("")).toBe("ababababab");
});

test("reports the median and the quartiles of the timed rounds alone", async () => {
  const clock = vi.spyOn(performance, "now");
  // Start and end of each pass: one slow warm-up, then 5, 1, 4, 2, 3 ms.
  let now = 0;
  for (const elapsed of [500, 5, 1, 4, 2, 3]) {
    clock.mockReturnValueOnce(now).mockReturnValueOnce(now + elapsed);
    now += 1000;
  }
  const only = await compareLatency({ only: modelOf(2) }, tf.ones([1, 4]), { rounds: 5, warmUp: 1 });
  clock.mockRestore();
  expect(only).toEqual({ only: { median: 3, lowerQuartile: 2, upperQuartile: 4 } });
});

test("gives each model its own times", async () => {
  const clock = vi.spyOn(performance, "now");
  let now = 0;
  for (const elapsed of [7, 2, 9, 4, 8, 3]) {
    clock.mockReturnValueOnce(now).mockReturnValueOnce(now + elapsed);
    now += 1000;
  }
  const models = { wide: modelOf(3), narrow: modelOf(2) };
  const { wide, narrow } = await compareLatency(models, tf.ones([1, 4]), { rounds: 3, warmUp: 0 });
  clock.mockRestore();
  expect([wide.median, narrow.median]).toEqual([8, 3]);
});

test("stops after the round in which a timer tells it to", async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 1);
  const options = { rounds: 1e6, signal: stop.signal };
  await expect(compareLatency({ a: modelOf(2) }, tf.ones([1, 4]), options)).rejects.toThrow("enough");
});

test("leaves no tensor behind", async () => {
  const model = modelOf(2);
  const batch = tf.ones([1, 4]);
  const before = tf.memory().numTensors;
  await compareLatency({ model }, batch, { rounds: 2 });
  expect(tf.memory().numTensors).toBe(before);
});

test.each([{ rounds: 0 }, { rounds: 2.5 }, { rounds: Number.NaN }, { warmUp: -1 }, { warmUp: 0.5 }])(
  "%j is an error",
  async (options) => {
    await expect(compareLatency({ a: modelOf(2) }, tf.ones([1, 4]), options)).rejects.toThrow(ConfigError);
  },
);
