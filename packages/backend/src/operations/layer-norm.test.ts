import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { layerNorm } from "./layer-norm.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

describe("layerNorm", () => {
  it("equals plain operations on the cpu backend", async () => {
    const cases = fc
      .record({ outer: fc.array(axis(7), { minLength: 1, maxLength: 2 }), width: axis(19, 1) })
      .chain(({ outer, width }) =>
        fc.record({ x: plain([...outer, width]), gain: plain([width]), offset: plain([width]) }),
      );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, gain, offset }) =>
        expectLikeCpu([x, gain, offset], ([a, b, c]) => layerNorm(a, b as tf.Tensor1D, c as tf.Tensor1D, 0.01), 1e-5),
      ),
    );
  });

  it.each([
    [[3, 2, 7], 7],
    [[70, 5], 5],
  ])("has the right gradient for %j", (shape, width) => {
    expectGradient([shape, [width], [width]], ([x, gain, offset]) => {
      const weights = tf.cos(tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape));
      return tf.sum(tf.mul(layerNorm(x, gain as tf.Tensor1D, offset as tf.Tensor1D), weights));
    });
  });

  it("refuses shapes that do not fit", () => {
    expect(() => tf.tidy(() => layerNorm(tf.ones([2, 3]), tf.ones([4]), tf.ones([3])))).toThrow(BackendError);
  });
});
