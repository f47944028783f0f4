import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, type Plain, plain, toTensor } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { useBackend } from "../select.ts";

interface Product {
  readonly a: Plain;
  readonly b: Plain;
  readonly ta: boolean;
  readonly tb: boolean;
}

const BATCHES: readonly (readonly [a: readonly number[], b: readonly number[]])[] = [
  [[], []],
  [[1], [1]],
  [[3], [3]],
  [[3], []],
  [[], [2]],
  [[1], [4]],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [2, 1],
    [1, 3],
  ],
  [[2, 3], [3]],
  [[0], [0]],
];

function operands(
  batchA: readonly number[],
  batchB: readonly number[],
  [m, k, n]: readonly [number, number, number],
): fc.Arbitrary<Product> {
  return fc.record({ ta: fc.boolean(), tb: fc.boolean() }).chain(({ ta, tb }) =>
    fc.record({
      a: plain([...batchA, ...(ta ? [k, m] : [m, k])]),
      b: plain([...batchB, ...(tb ? [n, k] : [k, n])]),
      ta: fc.constant(ta),
      tb: fc.constant(tb),
    }),
  );
}

/** The product by its definition, because tfjs's own backends do not broadcast every pair of batches. */
function definition({ a, b, ta, tb }: Product): { shape: number[]; values: number[] } {
  const [rowsA = 0, columnsA = 0] = a.shape.slice(-2);
  const [rowsB = 0, columnsB = 0] = b.shape.slice(-2);
  const [m, k, n] = [ta ? columnsA : rowsA, ta ? rowsA : columnsA, tb ? rowsB : columnsB];
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const shape = [...batch, m, n];
  const count = tf.util.sizeFromShape(batch);
  const matrixOf = (outer: number[], index: number): number => {
    const position = tf.util.indexToLoc(index, batch.length, tf.util.computeStrides(batch)).slice(-outer.length);
    return outer.reduce((flat, length, i) => flat * length + (length === 1 ? 0 : (position[i] ?? 0)), 0);
  };
  const values: number[] = [];
  for (let matrix = 0; matrix < count; matrix++) {
    const startA = matrixOf(outerA, matrix) * m * k;
    const startB = matrixOf(outerB, matrix) * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) {
          const x = a.values[startA + (ta ? p * m + i : i * k + p)] ?? Number.NaN;
          const y = b.values[startB + (tb ? j * k + p : p * n + j)] ?? Number.NaN;
          sum += x * y;
        }
        values.push(sum);
      }
    }
  }
  return { shape, values };
}

beforeAll(async () => {
  await useBackend("wasm");
});

describe("BatchMatMul", () => {
  it("equals the definition for all transposes, batches and broadcasts", () => {
    const small = fc
      .record({ batches: fc.constantFrom(...BATCHES), sizes: fc.tuple(axis(), axis(), axis()) })
      .chain(({ batches: [a, b], sizes }) => operands(a, b, sizes));
    fc.assert(
      fc.property(small, (product) => {
        tf.tidy(() => {
          const received = tf.matMul(toTensor(product.a), toTensor(product.b), product.ta, product.tb);
          const expected = definition(product);
          expect(received.shape).toEqual(expected.shape);
          // Products of sixteenths below 64 are exact in float32, so the sums are equal.
          expect(Array.from(received.dataSync(), (v) => v + 0)).toEqual(expected.values.map((v) => v + 0));
        });
      }),
      { numRuns: 300 },
    );
  });

  it("equals the cpu backend where a batch's matrices are large enough to be multiplied one by one", async () => {
    const size = fc.integer({ min: 33, max: 41 });
    const large = fc
      .record({ batches: fc.constantFrom(...BATCHES.slice(2, 6)), sizes: fc.tuple(size, size, size) })
      .chain(({ batches: [a, b], sizes }) => operands(a.length ? a : [1], b.length ? b : [1], sizes));
    await fc.assert(
      fc.asyncProperty(large, async ({ a, b, ta, tb }) => {
        await expectLikeCpu([a, b], ([x, y]) => tf.matMul(x, y, ta, tb), 1e-5);
      }),
      { numRuns: 12 },
    );
  });

  it("equals the definition for long products with small results, which are made in parts", () => {
    const long = fc
      .tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1000, max: 2600 }), fc.integer({ min: 1, max: 21 }))
      .chain((sizes) => operands([], [], sizes));
    fc.assert(
      fc.property(long, (product) => {
        tf.tidy(() => {
          const received = tf.matMul(toTensor(product.a), toTensor(product.b), product.ta, product.tb);
          expect(Array.from(received.dataSync(), (v) => v + 0)).toEqual(definition(product).values.map((v) => v + 0));
        });
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("carries NaN and infinities, transposed %s and %s", (ta, tb) => {
    tf.tidy(() => {
      const a = tf.tensor2d([Number.NaN, 1, 2, 3, Number.POSITIVE_INFINITY, 1, 4, 5, 6], [3, 3]);
      const b = tf.fill([3, 9], 2);
      const y = tf.matMul(ta ? tf.transpose(a) : a, tb ? tf.transpose(b) : b, ta, tb).arraySync() as number[][];
      expect(y[0]).toEqual(Array(9).fill(Number.NaN));
      expect(y[1]).toEqual(Array(9).fill(Number.POSITIVE_INFINITY));
      expect(y[2]).toEqual(Array(9).fill(30));
    });
  });

  it("refuses operands that do not fit", () => {
    expect(() => tf.matMul(tf.zeros([2, 3]), tf.zeros([2, 3]))).toThrow(/inner shapes/i);
  });

  it.each([
    [
      [5, 4],
      [4, 3],
    ],
    [
      [2, 5, 4],
      [2, 4, 3],
    ],
    [
      [12, 9],
      [9, 2],
    ],
  ])("has the right gradient for %o x %o and every transpose", (shapeA, shapeB) => {
    const swapped = (shape: number[], swap: boolean): number[] =>
      swap ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape;
    for (const ta of [false, true]) {
      for (const tb of [false, true]) {
        const a = swapped(shapeA, ta);
        const b = swapped(shapeB, tb);
        expectGradient([a, b], ([x, y]) => tf.sum(tf.square(tf.matMul(x, y, ta, tb))));
      }
    }
  });
});

describe("_FusedMatMul", () => {
  it("equals the cpu backend with bias and activation", async () => {
    const cases = fc.record({ m: axis(7, 1), k: axis(9, 1), n: axis(11, 1) }).chain(({ m, k, n }) =>
      fc.record({
        a: plain([m, k]),
        b: plain([k, n]),
        bias: plain([n]),
        activation: fc.constantFrom("linear", "relu", "sigmoid", "elu", "relu6"),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, ({ a, b, bias, activation }) =>
        expectLikeCpu(
          [a, b, bias],
          ([x, y, z]) => tf.fused.matMul({ a: x, b: y, bias: z, activation: activation as "relu" }),
          1e-5,
        ),
      ),
    );
  });
});

describe("every product", () => {
  const any = fc.constantFrom(1, -2, 0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

  it.each([2, 13])("carries NaN and infinities to %i columns", async (n) => {
    const cases = fc.record({ a: plain([5, 7], any), b: plain([7, n], any) });
    await fc.assert(
      fc.asyncProperty(cases, ({ a, b }) => expectLikeCpu([a, b], ([x, y]) => tf.matMul(x, y))),
      { numRuns: 30 },
    );
  });

  it("is the bias where there is nothing to sum", async () => {
    await useBackend("wasm");
    tf.tidy(() => {
      const y = tf.fused.matMul({
        a: tf.zeros([2, 0]),
        b: tf.zeros([0, 3]),
        bias: tf.tensor1d([1, -2, 3]),
        activation: "relu",
      });
      expect(Array.from(y.dataSync())).toEqual([1, 0, 3, 1, 0, 3]);
    });
  });

  it("needs no fused multiply-add", async () => {
    const values = (length: number): number[] => Array.from({ length }, (_, i) => Math.sin(i));
    const compute = async (fma: boolean): Promise<Float32Array> => {
      const { kernels } = await useBackend("wasm", { fma });
      if (!fma) expect(kernels.fma).toBe(false);
      return tf.tidy(() =>
        tf.matMul(tf.tensor2d(values(33 * 300), [33, 300]), tf.tensor2d(values(300 * 17), [300, 17])).dataSync(),
      ) as Float32Array;
    };
    const plainSums = await compute(false);
    const fusedSums = await compute(true);
    plainSums.forEach((value, i) => {
      expect(Math.abs(value - (fusedSums[i] ?? Number.NaN))).toBeLessThan(1e-4);
    });
  });
});
