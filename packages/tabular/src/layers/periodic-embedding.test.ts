import { useBackend } from "@l0gm/core";
import { checkGradient, expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { PeriodicEmbedding, periodicEmbedding } from "./periodic-embedding.ts";

await useBackend("cpu");

describe("PeriodicEmbedding", () => {
  const options = { columns: 2, dimension: 3, frequencies: 2, deviation: 0.3 };
  const module = periodicEmbedding(options);
  const x = tf.tensor2d([-0.4, 0.3, 1.1, -0.7], [2, 2]);

  test("is a linear layer and a ReLU over cosines and sines at the frequencies", () => {
    const frequencies = tf.tensor3d([0.1, 0.2, 0.3, 0.4], [2, 1, 2]);
    const kernel = tf.tile(tf.tensor3d([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1], [1, 4, 3]), [2, 1, 1]);
    const vectors = module.apply({ frequencies, kernel, bias: tf.fill([2, 1, 3], 3) }, [x]);
    const expected = [-0.4, 0.3, 1.1, -0.7].flatMap((value, i) => {
      const [a, b] = i % 2 === 0 ? [0.1, 0.2] : [0.3, 0.4];
      const angle = (frequency: number): number => 2 * Math.PI * frequency * value;
      return [Math.cos(angle(a)), Math.cos(angle(b)), Math.sin(angle(a)) + Math.sin(angle(b))].map((y) => y + 3);
    });
    expect(vectors.shape).toEqual([2, 2, 3]);
    expectClose(vectors.dataSync(), expected, { absolute: 1e-5 });
  });

  test("has right gradients", async () => {
    const layer = new PeriodicEmbedding({ ...options, seed: 2 });
    layer.build([null, 2]);
    const [frequencies, kernel, zero] = layer.getWeights() as [tf.Tensor, tf.Tensor, tf.Tensor];
    const bias = tf.add(zero, 1.5);
    await checkGradient((f) => module.apply({ frequencies: f, kernel, bias }, [x]), frequencies);
    await checkGradient((k) => module.apply({ frequencies, kernel: k, bias }, [x]), kernel);
    await checkGradient((b) => module.apply({ frequencies, kernel, bias: b }, [x]), bias);
    await checkGradient((input) => module.apply({ frequencies, kernel, bias }, [input]), x);
  });
});
