import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { dense } from "./dense.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

const activation = fc.constantFrom("linear", "relu", "gelu");

describe("dense", () => {
  it("equals plain operations on the cpu backend", async () => {
    const cases = fc
      .record({ outer: fc.array(axis(6), { minLength: 1, maxLength: 2 }), inputs: axis(19, 1), outputs: axis(21, 1) })
      .chain(({ outer, inputs, outputs }) =>
        fc.record({
          x: plain([...outer, inputs]),
          kernel: plain([inputs, outputs]),
          bias: plain([outputs]),
          addend: plain([...outer, outputs]),
          activation,
        }),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ({ x, kernel, bias, addend, activation }) => {
        await expectLikeCpu(
          [x, kernel, bias],
          ([a, b, c]) => dense(a, b as tf.Tensor2D, c as tf.Tensor1D, activation as "relu"),
          1e-5,
        );
        await expectLikeCpu(
          [x, kernel, bias, addend],
          ([a, b, c, d]) => dense(a, b as tf.Tensor2D, c as tf.Tensor1D, activation as "relu", d),
          1e-5,
        );
      }),
    );
  });

  it("adds to every block of a long product once", async () => {
    const cases = fc.record({
      x: plain([9, 700]),
      kernel: plain([700, 21]),
      bias: plain([21]),
      addend: plain([9, 21]),
    });
    await fc.assert(
      fc.asyncProperty(cases, ({ x, kernel, bias, addend }) =>
        expectLikeCpu(
          [x, kernel, bias, addend],
          ([a, b, c, d]) => dense(a, b as tf.Tensor2D, c as tf.Tensor1D, "linear", d),
          1e-4,
        ),
      ),
      { numRuns: 5 },
    );
  });

  it("is bias and addend where there are no inputs", () => {
    tf.tidy(() => {
      const y = dense(
        tf.ones([2, 0]),
        tf.ones([0, 2]),
        tf.tensor1d([1, -4]),
        "relu",
        tf.tensor2d([
          [1, 2],
          [3, 5],
        ]),
      );
      expect(y.arraySync()).toEqual([
        [2, 0],
        [4, 1],
      ]);
    });
  });

  it.each(["linear", "relu", "gelu"] as const)("has the right gradient with %s", (activation) => {
    expectGradient([[2, 5, 7], [7, 9], [9]], ([x, kernel, bias]) =>
      tf.sum(tf.square(dense(x, kernel as tf.Tensor2D, bias as tf.Tensor1D, activation))),
    );
  });

  it.each(["linear", "relu", "gelu"] as const)("has the right gradient with an addend and %s", (activation) => {
    expectGradient([[2, 5, 7], [7, 9], [9], [2, 5, 9]], ([x, kernel, bias, addend]) =>
      tf.sum(tf.square(dense(x, kernel as tf.Tensor2D, bias as tf.Tensor1D, activation, addend))),
    );
  });

  it("carries NaN through the activation", () => {
    tf.tidy(() => {
      const y = dense(tf.tensor2d([[Number.NaN, 1]]), tf.ones([2, 9]), tf.zeros([9]), "relu");
      expect(Array.from(y.dataSync())).toEqual(Array(9).fill(Number.NaN));
    });
  });

  it("refuses shapes that do not fit", () => {
    expect(() => tf.tidy(() => dense(tf.ones([2, 3]), tf.ones([4, 5]), tf.ones([5])))).toThrow(BackendError);
  });
});
