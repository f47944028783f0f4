import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { streamAt } from "../random-stream.ts";
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

  const dropout = { rate: 0.4, source: { ...streamAt(5, ["dropout", 1]), first: 3 } };

  it.each([false, true])(
    "drops the same probabilities as plain operations on the cpu backend, masked: %s",
    async (masked) => {
      const cases = fc
        .record({ queries: axis(9, 1), keys: axis(9, 1), heads: axis(3, 1) })
        .chain(({ queries, keys, heads }) =>
          fc.record({
            q: plain([2, queries, heads * 4]),
            k: plain([2, keys, heads * 4]),
            v: plain([2, keys, heads * 4]),
            mask: plain([2, keys], fc.integer({ min: 0, max: 1 })),
            heads: fc.constant(heads),
          }),
        );
      await fc.assert(
        fc.asyncProperty(cases, ({ q, k, v, mask, heads }) =>
          expectLikeCpu(
            [q, k, v, mask],
            ([a, b, c, d]) => {
              const run = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor =>
                attention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, {
                  heads,
                  dropout,
                  ...(masked ? { mask: d as tf.Tensor2D } : {}),
                });
              return [run(a, b, c), ...tf.grads(run)([a, b, c])];
            },
            1e-4,
          ),
        ),
        { numRuns: 40 },
      );
    },
  );

  it("has the right gradient with dropout", () => {
    expectGradient(
      [
        [2, 3, 6],
        [2, 4, 6],
        [2, 4, 6],
      ],
      ([q, k, v]) => {
        const [a, b, c] = [q, k, v] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
        const y = attention(tf.mul(a, 2), b, c, { heads: 2, dropout });
        return tf.sum(tf.mul(y, tf.reshape(tf.cos(tf.range(0, 36)), [2, 3, 6])));
      },
    );
  });

  it("drops a share of the probabilities and scales the others up", () => {
    tf.tidy(() => {
      // Equal scores and an identity for the values show the probabilities themselves.
      const [q, k] = [tf.zeros<tf.Rank.R3>([1, 64, 64]), tf.zeros<tf.Rank.R3>([1, 64, 64])];
      const v = tf.reshape(tf.eye(64), [1, 64, 64]) as tf.Tensor3D;
      const values = attention(q, k, v, { heads: 1, dropout }).dataSync();
      expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 64 / 0.6)]));
      expect(values.filter((value) => value === 0).length / values.length).toBeCloseTo(0.4, 1);
    });
  });

  it("refuses a rate of 1, and places beyond a stream", () => {
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R3>([2, 3, 6]);
      const source = { ...dropout.source, first: 2 ** 32 - 4 };
      expect(() => attention(x, x, x, { heads: 2, dropout: { ...dropout, rate: 1 } })).toThrow(BackendError);
      expect(() => attention(x, x, x, { heads: 2, dropout: { ...dropout, source } })).toThrow(BackendError);
    });
  });

  it("refuses heads that do not divide the width, and shapes that do not fit", () => {
    const x = tf.ones<tf.Rank.R3>([2, 3, 6]);
    expect(() => attention(x, x, x, { heads: 4 })).toThrow(BackendError);
    expect(() => tf.tidy(() => attention(x, tf.ones([2, 4, 5]), x, { heads: 2 }))).toThrow(BackendError);
    x.dispose();
  });
});
