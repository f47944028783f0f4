import { ConfigError, useBackend } from "@l0gm/core";
import { checkGradient } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { CategoricalEmbedding, categoricalEmbedding } from "./categorical-embedding.ts";

await useBackend("cpu");

describe("CategoricalEmbedding", () => {
  const module = categoricalEmbedding({ cardinalities: [3, 2], dimension: 2 });
  const table = tf.tensor2d([0, 0, 1, 2, 3, 4, 0, 0, 5, 6], [5, 2]);
  const codes = tf.tensor2d([2, 1, 1, 0, 2, 0], [3, 2], "int32");

  test("looks every column up in its own rows", () => {
    const vectors = module.apply({ table }, [codes]);
    expect(vectors.shape).toEqual([3, 2, 2]);
    expect([...vectors.dataSync()]).toEqual([3, 4, 5, 6, 1, 2, 0, 0, 3, 4, 0, 0]);
  });

  test("takes indices as floats, as tf.layers hands them out", () => {
    const vectors = module.apply({ table }, [tf.cast(codes, "float32")]);
    expect([...vectors.dataSync()]).toEqual([3, 4, 5, 6, 1, 2, 0, 0, 3, 4, 0, 0]);
  });

  test("adds up the gradient of a category that occurs twice", async () => {
    await checkGradient((t) => module.apply({ table: t }, [codes]), table);
  });

  test("starts unknown categories at zero and no other", () => {
    const layer = new CategoricalEmbedding({ cardinalities: [3, 2], dimension: 4 });
    layer.build([null, 2]);
    const rows = layer.getWeights()[0]?.arraySync() as number[][];
    expect(rows.map((row) => row.every((value) => value === 0))).toEqual([true, false, false, true, false]);
  });

  test("refuses cardinalities below 1", () => {
    expect(() => new CategoricalEmbedding({ cardinalities: [0], dimension: 4 })).toThrow(ConfigError);
  });
});
