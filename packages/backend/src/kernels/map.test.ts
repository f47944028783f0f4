import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { anyFloat, axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { useBackend } from "../select.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

const FUNCTIONS: readonly (readonly [name: string, f: (x: tf.Tensor) => tf.Tensor])[] = [
  ["tanh", (x) => tf.tanh(x)],
  ["exp", (x) => tf.exp(x)],
  ["log", (x) => tf.log(x)],
  ["erf", (x) => tf.erf(x)],
  ["sigmoid", (x) => tf.sigmoid(x)],
];

describe.each(FUNCTIONS)("%s", (_, f) => {
  it("equals the cpu backend, NaN and infinities included", async () => {
    const wide = fc.oneof(anyFloat, fc.float({ min: -90, max: 88, noNaN: true }), fc.constantFrom(0, 1, 1e-40, 1e38));
    const cases = axis(37).chain((length) => plain([length], wide));
    await fc.assert(
      fc.asyncProperty(cases, (x) => expectLikeCpu([x], ([a]) => f(a), 2e-6)),
      { numRuns: 60 },
    );
  });

  it("keeps its accuracy over its whole range", () => {
    tf.tidy(() => {
      const x = tf.linspace(-30, 30, 60_001);
      const y = f(x).dataSync();
      const exact = { tanh: Math.tanh, exp: Math.exp, log: Math.log }[_];
      if (exact === undefined) {
        expect(y.every((value) => Math.abs(value) <= 1)).toBe(true);
        return;
      }
      let worst = 0;
      x.dataSync().forEach((value, i) => {
        const expected = exact(value);
        if (Number.isNaN(expected)) expect(y[i]).toBeNaN();
        else if (expected !== 0) worst = Math.max(worst, Math.abs(((y[i] ?? 0) - expected) / expected));
      });
      expect(worst).toBeLessThan(1e-6);
    });
  });
});

it("exp takes truth values for 0 and 1", async () => {
  const truth = axis(37).chain((length) => plain([length], fc.constantFrom(0, 1), "bool"));
  await fc.assert(
    fc.asyncProperty(truth, (x) => expectLikeCpu([x], ([a]) => tf.exp(a), 2e-6)),
    { numRuns: 30 },
  );
});
