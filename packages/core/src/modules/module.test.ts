import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, inject, test } from "vitest";
import { countTensors } from "../testing/leaks.ts";
import { dense } from "./dense.ts";
import { glorotUniform, heUniform, ModuleWeights, normal } from "./module.ts";

beforeAll(() => useBackend(inject("backend")));

const module = dense({ inputs: 3, outputs: 2, fill: normal(1), times: 5 });

test("initial values depend on seed and name alone, and seed 0 is a seed", () => {
  const kernel = (seed: number, names: readonly string[], name: string): number[] => {
    const weights = ModuleWeights.seeded(seed);
    for (const each of names) weights.bind(each, module);
    const values = weights.parameters.find((parameter) => parameter.name === `${name}/kernel`)?.variable.dataSync();
    weights.dispose();
    return [...(values ?? [])];
  };
  expect(kernel(0, ["a", "b"], "b")).toEqual(kernel(0, ["b"], "b"));
  expect(kernel(0, ["a"], "a")).not.toEqual(kernel(1, ["a"], "a"));
  expect(kernel(0, ["a", "b"], "a")).not.toEqual(kernel(0, ["a", "b"], "b"));
});

test("binds modules under names, counts, copies and disposes", async () => {
  const step = (): void => {
    const weights = ModuleWeights.seeded(0);
    const apply = weights.bind("one", module);
    weights.bind("two", module);
    expect(weights.parameters.map(({ name, decay }) => [name, decay])).toEqual([
      ["one/kernel", true],
      ["one/bias", false],
      ["two/kernel", true],
      ["two/bias", false],
    ]);
    expect(weights.macs).toBe(2 * 5 * 3 * 2);
    const copy = ModuleWeights.copied(weights.parameters);
    const applyCopy = copy.bind("one", module);
    const x = tf.ones([1, 3]);
    const before = apply(x).dataSync();
    expect(applyCopy(x).dataSync()).toEqual(before);
    weights.dispose();
    expect(applyCopy(x).dataSync()).toEqual(before);
    copy.dispose();
  };
  // Variables outlive a tidy, so what is left after it was not disposed.
  expect(await countTensors(() => tf.tidy(step))).toBe(0);
});

test("fills have the variances of their sources", () => {
  const weights = ModuleWeights.seeded(0);
  const variance = (name: string, fill: ReturnType<typeof normal>): number => {
    const weight = { shape: [200, 100], fill, decay: true };
    weights.bind(name, { weights: { kernel: weight }, macs: 0, apply: ({ kernel }) => kernel });
    const values = weights.parameters.at(-1)?.variable.dataSync<"float32">() ?? new Float32Array();
    return values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
  };
  expect(variance("he", heUniform(200))).toBeCloseTo(2 / 200, 3);
  expect(variance("glorot", glorotUniform(200, 100))).toBeCloseTo(2 / 300, 3);
  expect(variance("normal", normal(0.5))).toBeCloseTo(0.25, 2);
  weights.dispose();
});
