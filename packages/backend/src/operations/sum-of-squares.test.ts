import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { useBackend } from "../select.ts";
import { sumOfSquares } from "./sum-of-squares.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

const squared = (...tensors: tf.Tensor[]): number => tf.tidy(() => sumOfSquares(tensors).dataSync()[0] ?? Number.NaN);

describe("sumOfSquares", () => {
  it("equals plain operations on the cpu backend", async () => {
    const tensors = fc.array(
      fc.array(axis(40), { maxLength: 2 }).chain((shape) => plain(shape)),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(tensors, (all) => expectLikeCpu(all, (given) => sumOfSquares(given.slice(0, all.length)), 1e-5)),
    );
  });

  it("has the right gradient of every tensor", () => {
    expectGradient([[3, 2], [4]], ([a, b]) => tf.mul(sumOfSquares([a, b]), tf.sum(a)));
  });

  it("sums more elements than one block, each once", () => {
    tf.tidy(() => {
      expect(squared(tf.ones([3, 4099]), tf.fill([4096], 2), tf.scalar(3))).toBe(3 * 4099 + 4 * 4096 + 9);
      expect(squared()).toBe(0);
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e30])("is not finite where an element is %d", (wrong) => {
    tf.tidy(() => {
      const last = tf.concat([tf.zeros([5001]), tf.tensor1d([wrong])]);
      expect(Number.isFinite(squared(tf.ones([7]), last, tf.ones([7])))).toBe(false);
    });
  });
});
