import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { piecewiseLinear } from "./piecewise-linear.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

const EDGES = [
  [-1, 0, 0.5, 2],
  [0, 1],
];

describe("piecewiseLinear", () => {
  it("equals plain operations on the cpu backend, with its gradients, within the bins, on their borders and beyond", async () => {
    const edges = fc
      .uniqueArray(fc.integer({ min: -24, max: 24 }), { minLength: 2, maxLength: 7 })
      .map((all) => all.sort((a, b) => a - b).map((edge) => edge / 8));
    const cases = fc
      .record({
        rows: axis(6),
        edges: fc.array(edges, { minLength: 1, maxLength: 3 }),
        more: fc.nat(1),
        outputs: axis(5),
      })
      .chain(({ rows, edges, more, outputs }) => {
        const bins = Math.max(...edges.map((of) => of.length - 1)) + more;
        return fc.record({
          edges: fc.constant(edges),
          x: plain([rows, edges.length]),
          kernel: plain([edges.length, bins, outputs]),
          dy: plain([rows, edges.length, outputs]),
        });
      });
    await fc.assert(
      fc.asyncProperty(cases, ({ x, kernel, dy, edges }) =>
        expectLikeCpu(
          [x, kernel, dy],
          ([x, kernel, dy]) => {
            const run = (kernel: tf.Tensor): tf.Tensor =>
              piecewiseLinear(x as tf.Tensor2D, kernel as tf.Tensor3D, edges);
            return [run(kernel), tf.grad(run)(kernel, dy)];
          },
          1e-5,
        ),
      ),
    );
  });

  it.each(["wasm", "cpu"] as const)("has the right gradients on %s", async (backend) => {
    await useBackend(backend);
    // The points at which gradients are taken lie between the borders.
    expectGradient(
      [
        [4, 2],
        [2, 3, 3],
      ],
      ([x, kernel]) => tf.sum(tf.square(piecewiseLinear(x as tf.Tensor2D, kernel as tf.Tensor3D, EDGES))),
    );
    await useBackend("wasm");
  });

  it("passes NaN on", () => {
    tf.tidy(() => {
      const x = tf.tensor2d([Number.NaN, 0.5], [1, 2]);
      const values = Array.from(piecewiseLinear(x, tf.ones([2, 3, 1]), EDGES).dataSync());
      expect(values).toEqual([Number.NaN, 0.5]);
    });
  });

  it.each([
    [[[0, 1]]],
    [[[0, 1], [0]]],
    [
      [
        [0, 1, 2, 3, 4],
        [0, 1],
      ],
    ],
  ])("refuses the edges %j", (edges) => {
    expect(() => tf.tidy(() => piecewiseLinear(tf.ones([2, 2]), tf.ones([2, 3, 1]), edges))).toThrow(BackendError);
  });
});
