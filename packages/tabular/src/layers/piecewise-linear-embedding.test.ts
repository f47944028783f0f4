import { ConfigError, useBackend } from "@l0gm/core";
import { checkGradient, expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { PiecewiseLinearEmbedding, piecewiseLinearEmbedding } from "./piecewise-linear-embedding.ts";

await useBackend("cpu");

/** The encoding alone, by the formula of the paper. */
function encode(x: number, edges: readonly number[]): number[] {
  const bins = edges.length - 1;
  return Array.from({ length: bins }, (_, k) => {
    const [left, right] = [edges[k] ?? 0, edges[k + 1] ?? 0];
    if (x < left && k > 0) return 0;
    if (x >= right && k < bins - 1) return 1;
    return (x - left) / (right - left);
  });
}

describe("PiecewiseLinearEmbedding", () => {
  const edges = [
    [-1, 0, 0.5, 2],
    [0, 1],
  ];
  const module = piecewiseLinearEmbedding({ edges, dimension: 3 });

  test("says how far a number reaches through the bins, beyond the outer ones too", () => {
    // The identity as the linear layer shows the encoding, up to the ReLU; 5 is added before it and taken away after it.
    const kernel = tf.stack([tf.eye(3), tf.eye(3)]);
    const bias = tf.fill([2, 1, 3], 5);
    const xs = [-2, -1, -0.3, 0, 0.25, 0.5, 1.7, 2, 4];
    const x = tf.tensor2d(
      xs.flatMap((value) => [value, value]),
      [xs.length, 2],
    );
    const encoded = tf.sub(module.apply({ kernel, bias }, [x]), 5).dataSync();
    const expected = xs.flatMap((value) => [...encode(value, edges[0] ?? []), ...encode(value, edges[1] ?? []), 0, 0]);
    expectClose(encoded, expected);
  });

  test("has right gradients", async () => {
    const layer = new PiecewiseLinearEmbedding({ edges, dimension: 3, seed: 1 });
    layer.build([null, 2]);
    const [kernel, bias] = layer.getWeights() as [tf.Tensor, tf.Tensor];
    const x = tf.tensor2d([-0.4, 0.3, 0.2, 0.9, 1.1, -0.7], [3, 2]);
    const smooth = tf.add(bias, 0.5);
    await checkGradient((k) => module.apply({ kernel: k, bias: smooth }, [x]), kernel);
    await checkGradient((b) => module.apply({ kernel, bias: b }, [x]), smooth);
    await checkGradient((input) => module.apply({ kernel, bias: smooth }, [input]), x);
  });

  test.each([[[]], [[[0]]], [[[0, 0]]], [[[1, 0]]], [[[0, Number.NaN]]]])("refuses the edges %j", (wrong) => {
    expect(() => new PiecewiseLinearEmbedding({ edges: wrong, dimension: 3 })).toThrow(ConfigError);
  });
});
