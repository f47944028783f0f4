import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { BackendError } from "../errors.ts";
import { streamAt } from "../random-stream.ts";
import { useBackend } from "../select.ts";
import { dropout, randomNormal, randomUniform } from "./random.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

const anything = plain([1]);
const seed = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

describe("randomUniform", () => {
  it("gives the same bits on both backends", async () => {
    await fc.assert(
      fc.asyncProperty(anything, seed, axis(40), (x, seed, length) =>
        expectLikeCpu([x], () => randomUniform([length], [seed, "gate", 3], -2, 5)),
      ),
    );
  });

  it("gives the numbers of its address", () => {
    tf.tidy(() => {
      const a = randomUniform([3, 5], [7, "a", 1]).dataSync();
      expect(randomUniform([4, 5], [7, "a", 1]).dataSync().subarray(0, 15)).toEqual(a);
      expect(randomUniform([3, 5], [7, "a", "1"]).dataSync()).not.toEqual(a);
      expect(randomUniform([3, 5], [8, "a", 1]).dataSync()).not.toEqual(a);
    });
  });

  it("refuses a seed that is no integer", () => {
    expect(() => randomUniform([2], [0.5])).toThrow(BackendError);
  });
});

describe("randomNormal", () => {
  it("gives the same numbers on both backends, up to the last bit", async () => {
    await fc.assert(
      fc.asyncProperty(anything, seed, axis(40), (x, seed, length) =>
        expectLikeCpu([x], () => randomNormal([length], [seed], 1, 3), 2e-7),
      ),
    );
  });

  it("has the moments of a normal distribution", () => {
    tf.tidy(() => {
      const z = randomNormal([200_001], [11, "moments"]);
      const moments = [1, 2, 3, 4].map((k) => tf.mean(tf.pow(z, k)).dataSync()[0] ?? Number.NaN);
      [0, 1, 0, 3].forEach((expected, i) => {
        expect(Math.abs((moments[i] ?? Number.NaN) - expected)).toBeLessThan(0.06);
      });
    });
  });
});

describe("a place in a stream", () => {
  const source = (first: number) => ({ ...streamAt(7, ["gate", 3]), first });

  it("is that of the numbers that are drawn before it", () => {
    tf.tidy(() => {
      const whole = randomUniform([40], [7, "gate", 3]).dataSync();
      for (const first of [0, 1, 6, 33]) {
        expect(randomUniform([40 - first], source(first)).dataSync()).toEqual(whole.subarray(first));
      }
      const normals = randomNormal([20], [7, "gate", 3]).dataSync();
      expect(randomNormal([15], source(10)).dataSync()).toEqual(normals.subarray(5));
    });
  });

  it("gives the same bits on both backends, up to the end of what a kernel can count", async () => {
    const first = fc.oneof(fc.nat(1000), fc.integer({ min: 2 ** 31 - 50, max: 2 ** 32 - 50 }));
    const x = plain([47]);
    await fc.assert(
      fc.asyncProperty(x, first, (x, first) =>
        expectLikeCpu([x], ([a]) => [randomUniform([47], source(first)), dropout(a, 0.4, source(first))]),
      ),
    );
  });

  it.each([-1, 0.5, 2 ** 32 - 2])("is refused from number %d on", (first) => {
    expect(() => randomUniform([3], source(first))).toThrow(BackendError);
    expect(() => randomNormal([2], source(first))).toThrow(BackendError);
    expect(() => tf.tidy(() => dropout(tf.ones([3]), 0.5, source(first)))).toThrow(BackendError);
  });
});

describe("dropout", () => {
  it("gives the same bits on both backends", async () => {
    const cases = fc.record({ x: fc.array(axis(7), { maxLength: 2 }).chain((shape) => plain(shape)), seed });
    await fc.assert(
      fc.asyncProperty(cases, ({ x, seed }) => expectLikeCpu([x], ([a]) => dropout(a, 0.4, [seed, "dropout"]))),
    );
  });

  it("drops the asked share, and its gradient has the same mask", () => {
    tf.tidy(() => {
      const x = tf.ones([100_003]);
      const { value, grad } = tf.valueAndGrad((x) => dropout(x, 0.3, [5]))(x);
      expect(grad.dataSync()).toEqual(value.dataSync());
      expect(tf.mean(value).dataSync()[0]).toBeCloseTo(1, 1);
      expect(new Set(value.dataSync())).toEqual(new Set([0, Math.fround(1 / 0.7)]));
    });
  });

  it("refuses a rate of 1", () => {
    expect(() => tf.tidy(() => dropout(tf.ones([2]), 1, [5]))).toThrow(BackendError);
  });
});
