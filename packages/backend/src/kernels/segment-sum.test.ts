import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { anyFloat, axis, expectLikeCpu, finite, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

describe("UnsortedSegmentSum", () => {
  it("equals the cpu backend, dropping ids outside the segments", async () => {
    const values = fc.constantFrom(finite, anyFloat);
    const cases = fc
      .record({
        rows: axis(9, 1),
        inner: fc.array(axis(5, 1), { maxLength: 2 }),
        segments: fc.integer({ min: 1, max: 6 }),
        values,
      })
      .chain(({ rows, inner, segments, values }) =>
        fc.record({
          x: plain([rows, ...inner], values),
          ids: plain([rows], fc.integer({ min: -2, max: segments + 1 }), "int32"),
          segments: fc.constant(segments),
        }),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ({ x, ids, segments }) => {
        // tfjs's cpu backend multiplies by a mask, which makes NaN of what a mask of 0 hides; dropped rows must not show.
        if (x.values.every(Number.isFinite)) {
          await expectLikeCpu([x, ids], ([a, b]) => tf.unsortedSegmentSum(a, b as tf.Tensor1D, segments), 1e-6);
          return;
        }
        await useBackend("wasm");
        const width = x.values.length / ids.values.length;
        const expected = new Array<number>(segments * width).fill(0);
        x.values.forEach((value, i) => {
          const at = (ids.values[Math.floor(i / width)] ?? -1) * width + (i % width);
          if (at >= 0 && at < expected.length) expected[at] = (expected[at] ?? 0) + value;
        });
        const sums = tf.tidy(() =>
          tf
            .unsortedSegmentSum(tf.tensor([...x.values], [...x.shape]), tf.tensor1d([...ids.values], "int32"), segments)
            .dataSync(),
        );
        expect(Array.from(sums, (v) => v + 0)).toEqual(expected.map((v) => v + 0));
      }),
    );
  });

  it("gives zeros for no rows", () => {
    tf.tidy(() => {
      const sums = tf.unsortedSegmentSum(tf.zeros([0, 3]), tf.tensor1d([], "int32"), 2);
      expect(sums.arraySync()).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
    });
  });

  it("has the right gradient", () => {
    expectGradient([[5, 3]], ([x]) =>
      tf.sum(tf.square(tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, -1, 2, 1], "int32"), 3))),
    );
  });

  it("refuses other types and ids that do not fit the rows", () => {
    const x = tf.ones([3, 2]);
    expect(() => tf.unsortedSegmentSum(tf.cast(x, "int32"), tf.tensor1d([0, 1, 2], "int32"), 3)).toThrow(/cast/);
    expect(() => tf.unsortedSegmentSum(x, tf.tensor1d([0, 1], "int32"), 3)).toThrow(BackendError);
    x.dispose();
  });
});
