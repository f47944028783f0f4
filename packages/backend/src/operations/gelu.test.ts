import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { useBackend } from "../select.ts";
import { gelu } from "./gelu.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

describe.each(["erf", "tanh"] as const)("gelu by %s", (form) => {
  it("equals plain operations on the cpu backend", async () => {
    const values = fc.oneof(fc.float({ min: -20, max: 20, noNaN: true }), fc.constant(Number.NaN));
    const cases = fc.array(axis(6), { maxLength: 2 }).chain((shape) => plain(shape, values));
    await fc.assert(fc.asyncProperty(cases, (x) => expectLikeCpu([x], ([a]) => gelu(a, form), 2e-6)));
  });

  it("has the right gradient", () => {
    expectGradient([[11]], ([x]) => tf.sum(tf.mul(gelu(tf.mul(x, 3), form), tf.range(1, 12))));
  });

  it("takes published values", () => {
    tf.tidy(() => {
      const [y = 0] = gelu(tf.tensor1d([1]), form).dataSync();
      expect(y).toBeCloseTo(form === "erf" ? 0.841344746 : 0.841191991, 6);
    });
  });
});
