import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { softmaxCrossEntropy } from "./cross-entropy.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

describe("softmaxCrossEntropy", () => {
  it("equals plain operations on the cpu backend", async () => {
    const cases = fc.record({ rows: axis(9), classes: axis(11, 2) }).chain(({ rows, classes }) =>
      fc.record({
        x: plain([rows, classes], fc.integer({ min: -400, max: 400 })),
        labels: plain([rows], fc.integer({ min: 0, max: classes - 1 }), "int32"),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, labels }) =>
        expectLikeCpu([x, labels], ([a, b]) => softmaxCrossEntropy(a as tf.Tensor2D, b as tf.Tensor1D), 1e-5),
      ),
    );
  });

  it("has the right gradient", () => {
    const labels = tf.tensor1d([4, 0, 2], "int32");
    expectGradient([[3, 5]], ([x]) => tf.sum(tf.square(softmaxCrossEntropy(x as tf.Tensor2D, labels))));
    labels.dispose();
  });

  it("refuses labels out of range and of another type", () => {
    const x = tf.ones<tf.Rank.R2>([2, 3]);
    expect(() => tf.tidy(() => softmaxCrossEntropy(x, tf.tensor1d([0, 3], "int32")))).toThrow(/3 in row 1/);
    expect(() => tf.tidy(() => softmaxCrossEntropy(x, tf.tensor1d([0, 1])))).toThrow(BackendError);
    x.dispose();
  });
});
