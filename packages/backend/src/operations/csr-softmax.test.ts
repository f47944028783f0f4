import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { csrSoftmax } from "./csr-softmax.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

const matrix = (counts: readonly number[]): { rows: number; pointers: tf.Tensor1D } => {
  const starts = [0];
  for (const count of counts) starts.push((starts.at(-1) ?? 0) + count);
  return { rows: counts.length, pointers: tf.tensor1d(starts, "int32") };
};

describe("csrSoftmax", () => {
  it("equals plain operations on the cpu backend", async () => {
    const cases = fc
      .record({
        counts: fc.array(fc.nat(9), { minLength: 1, maxLength: 80 }),
        heads: fc.integer({ min: 1, max: 9 }),
      })
      .filter(({ counts }) => counts.some((count) => count > 0))
      .chain(({ counts, heads }) => {
        const entries = counts.reduce((a, b) => a + b, 0);
        return fc.record({ counts: fc.constant(counts), scores: plain([entries, heads]) });
      });
    await fc.assert(
      fc.asyncProperty(cases, ({ counts, scores }) =>
        expectLikeCpu([scores], ([x]) => csrSoftmax(matrix(counts), x as tf.Tensor2D), 1e-5),
      ),
    );
  });

  it("is safe with scores that are huge, or far from those of other rows", async () => {
    const scores = tf.tensor2d([1e30, 1e30, -1e30, -5], [4, 1]);
    expect([...(await csrSoftmax(matrix([2, 0, 1, 1]), scores).data())]).toEqual([0.5, 0.5, 1, 1]);
  });

  it.each([1, 4, 6])("has the right gradient, %i heads", (heads) => {
    expectGradient([[6, heads]], ([x]) => tf.sum(tf.square(csrSoftmax(matrix([3, 0, 1, 2]), x as tf.Tensor2D))));
  });

  it("refuses shapes that do not fit", () => {
    const { pointers } = matrix([1, 1]);
    expect(() => csrSoftmax({ rows: 3, pointers }, tf.ones([2, 1]))).toThrow(BackendError);
  });
});
