import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { anyFloat, axis, expectLikeCpu, finite, plain, toTensor } from "../../test/against-cpu.ts";
import { useBackend } from "../select.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

const cases = fc
  .record({
    shape: fc.oneof(
      fc.tuple(axis(90, 1), axis(90, 1)),
      fc.tuple(axis(70, 60), axis(90, 70)),
      fc.tuple(axis(30, 20), axis(16, 14), axis(20, 18)),
      fc.tuple(axis(4, 1), axis(4, 1), axis(4, 1), axis(4, 1)),
    ),
    keep: fc.boolean(),
    average: fc.boolean(),
  })
  .chain(({ shape, ...rest }) =>
    fc.record({
      x: fc.oneof({ weight: 3, arbitrary: plain(shape, finite) }, { weight: 1, arbitrary: plain(shape, anyFloat) }),
      axes: fc.subarray([...shape.keys()], { minLength: 1 }),
      keep: fc.constant(rest.keep),
      average: fc.constant(rest.average),
    }),
  );

describe("Sum and Mean", () => {
  it("equal the cpu backend over every choice of axes", async () => {
    await fc.assert(
      fc.asyncProperty(cases, ({ x, axes, keep, average }) =>
        expectLikeCpu([x], ([a]) => (average ? tf.mean(a, axes, keep) : tf.sum(a, axes, keep)), 1e-5),
      ),
      { numRuns: 40 },
    );
  });

  it("of nothing are 0 and NaN, of floats and integers", async () => {
    const empty = fc
      .tuple(fc.array(axis(3), { minLength: 1, maxLength: 4 }), fc.nat(3))
      .map(([shape, at]) => shape.map((length, i) => (i === at % shape.length ? 0 : length)))
      .chain((shape) =>
        fc.record({
          x: fc.oneof(plain(shape), plain(shape, finite, "int32")),
          axes: fc.subarray([...shape.keys()], { minLength: 1 }),
          keep: fc.boolean(),
        }),
      );
    await fc.assert(
      fc.asyncProperty(empty, async ({ x, axes, keep }) => {
        await expectLikeCpu([x], ([a]) => tf.sum(a, axes, keep));
        // The cpu backend divides before it adds, and so has 0.
        await useBackend("wasm");
        const mean = tf.tidy(() => tf.mean(toTensor(x), axes, keep));
        expect(mean.dataSync().every(Number.isNaN)).toBe(true);
        mean.dispose();
      }),
    );
  });

  it("carry NaN and infinities", async () => {
    await useBackend("wasm");
    tf.tidy(() => {
      const values = new Float32Array(101 * 64).fill(1);
      values[64 * 50] = Number.NaN;
      values[64 * 100 + 1] = Number.POSITIVE_INFINITY;
      const sums = tf.sum(tf.tensor2d(values, [101, 64]), 0).dataSync();
      expect(Array.from(sums.subarray(0, 3))).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 101]);
    });
  });
});
