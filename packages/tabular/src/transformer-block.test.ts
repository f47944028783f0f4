import { EVALUATION, Random, useBackend } from "@l0gm/core";
import { ModuleWeights } from "@l0gm/core/modules";
import { checkGradient, expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { type TransformerBlockOptions, transformerBlock } from "./transformer-block.ts";

await useBackend("cpu");

describe("transformerBlock", () => {
  const options: TransformerBlockOptions = {
    tokens: 3,
    dimension: 4,
    heads: 2,
    hidden: 5,
    dropout: 0.5,
    normalised: true,
    firstOnly: false,
  };
  const x = tf.tensor3d(Random.from(3).normals(2 * 3 * 4), [2, 3, 4]);
  const block = (changes: Partial<TransformerBlockOptions> = {}) => {
    const weights = ModuleWeights.seeded(1);
    return { weights, apply: transformerBlock(weights, "block", { ...options, ...changes }) };
  };

  test("has the right gradient of its input", async () => {
    const { apply } = block();
    await checkGradient((input) => apply(input, EVALUATION), x, { epsilon: 3e-3, tolerance: 3e-3 });
  });

  test("computes of the first token alone what it computes of it among all", () => {
    const all = block().apply(x, EVALUATION);
    const first = block({ firstOnly: true }).apply(x, EVALUATION);
    expect(first.shape).toEqual([2, 1, 4]);
    expectClose(first.dataSync(), tf.slice(all, [0, 0, 0], [-1, 1, -1]).dataSync());
  });

  test("treats other tokens as a set", () => {
    const { apply } = block();
    const swapped = tf.gather(x, tf.tensor1d([0, 2, 1], "int32"), 1);
    const back = tf.gather(apply(swapped, EVALUATION), tf.tensor1d([0, 2, 1], "int32"), 1);
    expectClose(back.dataSync(), apply(x, EVALUATION).dataSync());
  });

  test("counts its multiply-accumulates", () => {
    // Query, key, value and merge; scores and mixture; three feed-forward products.
    expect(block().weights.macs).toBe(3 * (4 * 4 * 4) + 2 * 3 * 3 * 4 + 3 * (3 * 4 * 5));
    expect(block({ firstOnly: true }).weights.macs).toBe((2 + 2 * 3) * 16 + 2 * 1 * 3 * 4 + 3 * 4 * 5);
  });

  test("drops in training only", () => {
    const { apply } = block();
    const training = { training: true, random: Random.from(0, "dropout", 1) };
    expect(apply(x, training).dataSync()).not.toEqual(apply(x, EVALUATION).dataSync());
  });
});
