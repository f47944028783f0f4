import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { anyFloat, axis, expectLikeCpu, type Plain, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { useBackend } from "../select.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

const shapes = (min: number): fc.Arbitrary<number[]> =>
  fc.array(fc.oneof({ weight: 8, arbitrary: axis(5, min) }, { weight: 1, arbitrary: axis(40, 30) }), {
    minLength: 1,
    maxLength: 3,
  });

function tensors(min: number): fc.Arbitrary<Plain> {
  return shapes(min).chain((shape) =>
    fc.oneof(
      plain(shape, anyFloat),
      plain(shape, fc.integer({ min: -9, max: 9 }), "int32"),
      plain(shape, fc.nat(1), "bool"),
    ),
  );
}

describe("GatherV2", () => {
  it("equals the cpu backend on every axis and type", async () => {
    const cases = tensors(1).chain((x) =>
      fc.nat(x.shape.length - 1).chain((on) =>
        fc.record({
          x: fc.constant(x),
          on: fc.constantFrom(on, on - x.shape.length),
          ids: fc.array(axis(4), { maxLength: 2 }).chain((s) => plain(s, fc.nat((x.shape[on] ?? 1) - 1), "int32")),
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, ids, on }) =>
        expectLikeCpu([x, ids], ([a, i]) => tf.gather(a, tf.cast(i, "int32"), on)),
      ),
    );
  });

  it("equals the cpu backend with batch axes", async () => {
    const lengths = fc.tuple(axis(3, 1), axis(3, 1), axis(4, 1), axis(4, 1));
    const cases = fc
      .record({ lengths, batchDims: fc.constantFrom(1, 2), more: fc.nat(1), count: axis(3), negative: fc.boolean() })
      .chain(({ lengths, batchDims, more, count, negative }) => {
        const on = Math.min(batchDims + more, 3);
        return fc.record({
          x: plain(lengths, anyFloat),
          ids: plain([...lengths.slice(0, batchDims), count], fc.nat((lengths[on] ?? 1) - 1), "int32"),
          on: fc.constant(negative ? on - 4 : on),
          batchDims: fc.constant(batchDims),
        });
      });
    await fc.assert(
      fc.asyncProperty(cases, ({ x, ids, on, batchDims }) =>
        expectLikeCpu([x, ids], ([a, i]) => tf.gather(a, tf.cast(i, "int32"), on, batchDims)),
      ),
    );
  });

  it.each([-1, 4])("refuses the index %d of 4 rows", async (index) => {
    await useBackend("wasm");
    expect(() => tf.tidy(() => tf.gather(tf.zeros([4, 2]), tf.tensor1d([0, index], "int32")))).toThrow(
      `the index value ${index} is not in [0, 3]`,
    );
  });

  it.each([0, 1])("has the right gradient on axis %d", (on) => {
    expectGradient([[4, 3]], ([x]) => tf.sum(tf.square(tf.gather(x, tf.tensor1d([2, 0, 2], "int32"), on))));
  });
});

describe("Slice", () => {
  it("refuses a box that is not within the tensor", () => {
    expect(() => tf.slice(tf.tensor1d([1, 2, 3]), [1], [9])).toThrow(/begin\[0\] \+ size\[0\] \(10\)/);
  });

  it("equals the cpu backend on every box", async () => {
    const cases = tensors(0).chain((x) =>
      fc
        .tuple(
          ...x.shape.map((length) =>
            fc.nat(length).chain((b) => fc.tuple(fc.constant(b), fc.integer({ min: -1, max: length - b }))),
          ),
        )
        .map((box) => ({ x, begin: box.map(([b]) => b), size: box.map(([, s]) => s) })),
    );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, begin, size }) => expectLikeCpu([x], ([a]) => tf.slice(a, begin, size))),
      { numRuns: 200 },
    );
  });

  it("has the right gradient", () => {
    expectGradient([[4, 3, 2]], ([x]) => tf.sum(tf.square(tf.slice(x, [1, 0, 1], [2, 3, 1]))));
  });
});

describe("Tile", () => {
  it("equals the cpu backend", async () => {
    const cases = tensors(0).chain((x) =>
      fc.record({ x: fc.constant(x), reps: fc.tuple(...x.shape.map(() => axis(3))) }),
    );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, reps }) => expectLikeCpu([x], ([a]) => tf.tile(a, [...reps]))),
      { numRuns: 200 },
    );
  });

  it("has the right gradient", () => {
    expectGradient([[2, 3]], ([x]) => tf.sum(tf.mul(tf.square(tf.tile(x, [2, 3])), tf.range(0, 9))));
  });
});

describe("SplitV", () => {
  it("equals the cpu backend on every axis and type, with empty parts", async () => {
    const cases = tensors(1).chain((x) =>
      fc.nat(x.shape.length - 1).chain((on) =>
        fc.record({
          x: fc.constant(x),
          on: fc.constantFrom(on, on - x.shape.length),
          cuts: fc.array(fc.nat(x.shape[on] ?? 1), { maxLength: 3 }).map((cuts) => {
            const borders = [0, ...cuts.sort((a, b) => a - b), x.shape[on] ?? 1];
            return borders.slice(1).map((border, i) => border - (borders[i] ?? 0));
          }),
        }),
      ),
    );
    await fc.assert(fc.asyncProperty(cases, ({ x, on, cuts }) => expectLikeCpu([x], ([a]) => tf.split(a, cuts, on))));
  });

  it.each([0, 1, 2])("takes the gradient of a concatenation on axis %d apart", (on) => {
    const shapes = [2, 1].map((length) => [2, 3, 4].map((whole, axis) => (axis === on ? length : whole)));
    expectGradient(shapes, ([x, y]) => {
      const joined = tf.concat([x, y], on);
      return tf.sum(tf.mul(tf.square(joined), tf.reshape(tf.range(0, joined.size), joined.shape)));
    });
  });
});

describe("PadV2", () => {
  it("equals the cpu backend on every margin, value and type", async () => {
    const cases = shapes(0)
      .filter((shape) => shape.length > 0)
      .chain((shape) =>
        fc.record({
          x: fc.oneof(plain(shape, anyFloat), plain(shape, fc.integer({ min: -9, max: 9 }), "int32")),
          margins: fc.tuple(...shape.map(() => fc.tuple(axis(3), axis(3)))),
          value: fc.integer({ min: -2, max: 2 }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, margins, value }) => expectLikeCpu([x], ([a]) => tf.pad(a, margins, value))),
    );
  });

  it("has the right gradient", () => {
    expectGradient([[3, 2]], ([x]) =>
      tf.sum(
        tf.square(
          tf.pad(
            x,
            [
              [1, 0],
              [2, 1],
            ],
            3,
          ),
        ),
      ),
    );
  });
});

describe("Select", () => {
  it("equals the cpu backend", async () => {
    const cases = fc.tuple(shapes(0), fc.constantFrom("float32", "int32", "bool")).chain(([shape, dtype]) => {
      const values = { float32: anyFloat, int32: fc.integer({ min: -9, max: 9 }), bool: fc.nat(1) }[dtype];
      return fc.record({
        condition: plain(shape, fc.nat(1), "bool"),
        t: plain(shape, values, dtype),
        e: plain(shape, values, dtype),
      });
    });
    await fc.assert(
      fc.asyncProperty(cases, ({ condition, t, e }) =>
        expectLikeCpu([condition, t, e], ([a, b, c]) => tf.where(a, b, c)),
      ),
    );
  });

  it("has the right gradient", () => {
    expectGradient([[5], [5]], ([a, b]) =>
      tf.sum(tf.where(tf.tensor1d([1, 0, 0, 1, 1], "bool"), tf.square(a), tf.mul(b, 3))),
    );
  });
});
