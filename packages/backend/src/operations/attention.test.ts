import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { attention } from "./attention.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

describe("attention", () => {
  it("equals plain operations on the cpu backend, with and without a mask", async () => {
    const cases = fc
      .record({
        batch: axis(3, 1),
        queries: axis(9, 1),
        keys: axis(9, 1),
        heads: axis(3, 1),
        size: axis(6, 1),
        masked: fc.boolean(),
      })
      .chain(({ batch, queries, keys, heads, size, masked }) =>
        fc.record({
          q: plain([batch, queries, heads * size]),
          k: plain([batch, keys, heads * size]),
          v: plain([batch, keys, heads * size]),
          mask: plain([batch, keys], fc.integer({ min: 0, max: 1 })),
          heads: fc.constant(heads),
          masked: fc.constant(masked),
        }),
      );
    await fc.assert(
      fc.asyncProperty(cases, ({ q, k, v, mask, heads, masked }) =>
        expectLikeCpu(
          [q, k, v, mask],
          ([a, b, c, d]) =>
            attention(a as tf.Tensor3D, b as tf.Tensor3D, c as tf.Tensor3D, {
              heads,
              ...(masked ? { mask: d as tf.Tensor2D } : {}),
            }),
          1e-5,
        ),
      ),
    );
  });

  it.each([false, true])("has the right gradient, masked: %s", (masked) => {
    const mask = tf.tensor2d([
      [1, 1, 0, 1],
      [0, 0, 0, 0],
    ]);
    expectGradient(
      [
        [2, 3, 6],
        [2, 4, 6],
        [2, 4, 6],
      ],
      ([q, k, v]) => {
        const [a, b, c] = [q, k, v] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
        const y = attention(tf.mul(a, 2), b, c, { heads: 2, ...(masked ? { mask } : {}) });
        return tf.sum(tf.mul(y, tf.reshape(tf.cos(tf.range(0, 36)), [2, 3, 6])));
      },
    );
    mask.dispose();
  });

  it("refuses heads that do not divide the width, and shapes that do not fit", () => {
    const x = tf.ones<tf.Rank.R3>([2, 3, 6]);
    expect(() => attention(x, x, x, { heads: 4 })).toThrow(BackendError);
    expect(() => tf.tidy(() => attention(x, tf.ones([2, 4, 5]), x, { heads: 2 }))).toThrow(BackendError);
    x.dispose();
  });
});
