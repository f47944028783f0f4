import { ConfigError, useBackend } from "@l0gm/core";
import { checkGradient, expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { FeatureTokenizer, featureTokenizer } from "./feature-tokenizer.ts";

await useBackend("cpu");

describe("FeatureTokenizer", () => {
  const module = featureTokenizer({ columns: 2, cardinalities: [3], dimension: 2 });
  const weight = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const table = tf.tensor2d([0, 0, 10, 20, 30, 40], [3, 2]);
  const bias = tf.tensor2d([7, 8, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [4, 2]);
  const numeric = tf.tensor2d([1, -1, 0.5, 2], [2, 2]);
  const categorical = tf.tensor2d([2, 0], [2, 1], "int32");

  test("makes [CLS], numeric and categorical tokens", () => {
    const tokens = module.apply({ weight, table, bias }, [numeric, categorical]);
    expect(tokens.shape).toEqual([2, 4, 2]);
    const expected = [7, 8, 1.1, 2.2, -2.7, -3.6, 30.5, 40.6, 7, 8, 0.6, 1.2, 6.3, 8.4, 0.5, 0.6];
    expectClose(tokens.dataSync(), expected, { absolute: 1e-5 });
  });

  test("has right gradients", async () => {
    const inputs = [numeric, categorical];
    await checkGradient((w) => module.apply({ weight: w, table, bias }, inputs), weight);
    await checkGradient((t) => module.apply({ weight, table: t, bias }, inputs), table, { tolerance: 3e-3 });
    await checkGradient((b) => module.apply({ weight, table, bias: b }, inputs), bias);
    await checkGradient((x) => module.apply({ weight, table, bias }, [x, categorical]), numeric);
  });

  test("does with columns of one kind", () => {
    const numbers = new FeatureTokenizer({ columns: 2, cardinalities: [], dimension: 4 });
    expect((numbers.apply(numeric) as tf.Tensor).shape).toEqual([2, 3, 4]);
    expect(numbers.getWeights().map(({ shape }) => shape)).toEqual([
      [2, 4],
      [3, 4],
    ]);
    const categories = new FeatureTokenizer({ columns: 0, cardinalities: [3], dimension: 4 });
    expect((categories.apply(categorical) as tf.Tensor).shape).toEqual([2, 2, 4]);
  });

  test("refuses to tokenize nothing", () => {
    expect(() => new FeatureTokenizer({ columns: 0, cardinalities: [], dimension: 4 })).toThrow(ConfigError);
  });
});
