import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, type Plain, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { hardConcreteGate } from "./gate.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

describe("hardConcreteGate", () => {
  it("equals plain operations on the cpu backend, with noise for all rows and for each", async () => {
    const cases = fc
      .record({ rows: axis(6, 1), width: axis(13, 1), shared: fc.boolean() })
      .chain(({ rows, width, shared }) =>
        fc.record({
          x: plain([rows, width]),
          logAlpha: plain([width]),
          u: plain(
            shared ? [width] : [rows, width],
            fc.integer({ min: 1, max: 255 }).map((i) => i / 256),
          ),
        }),
      );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, logAlpha, u }) =>
        expectLikeCpu(
          [x, logAlpha, u],
          ([a, b, c]) => {
            const { output, penalty } = hardConcreteGate(a as tf.Tensor2D, b as tf.Tensor1D, c);
            return [output, penalty];
          },
          1e-5,
        ),
      ),
    );
  });

  it.each([[[6]], [[4, 6]]])("has the right gradient with noise %j", (shape) => {
    const u = tf.reshape(tf.linspace(0.2, 0.7, tf.util.sizeFromShape(shape)), shape);
    expectGradient([[4, 6], [6]], ([x, logAlpha]) => {
      const { output, penalty } = hardConcreteGate(x as tf.Tensor2D, logAlpha as tf.Tensor1D, u);
      return tf.add(tf.sum(tf.square(output)), tf.mul(penalty, 5));
    });
    u.dispose();
  });

  const fixedOf = (width: number): fc.Arbitrary<Plain> => plain([width], fc.constantFrom(-1, 0, 0.25, 1));

  it("holds fixed gates at their values and weighs the penalty by shares, as on the cpu backend", async () => {
    const cases = fc
      .record({ rows: axis(6, 1), width: axis(13, 1), shared: fc.boolean() })
      .chain(({ rows, width, shared }) =>
        fc.record({
          x: plain([rows, width]),
          logAlpha: plain([width]),
          u: plain(
            shared ? [1, width] : [rows, width],
            fc.integer({ min: 1, max: 255 }).map((i) => i / 256),
          ),
          fixed: fixedOf(width),
          shares: plain([width]),
        }),
      );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, logAlpha, u, fixed, shares }) =>
        expectLikeCpu(
          [x, logAlpha, u, fixed, shares],
          ([a, b, c, d, e]) => {
            const settings = { fixed: d as tf.Tensor1D, shares: e as tf.Tensor1D };
            const { output, penalty } = hardConcreteGate(a as tf.Tensor2D, b as tf.Tensor1D, c, settings);
            return [output, penalty];
          },
          1e-5,
        ),
      ),
    );
  });

  it.each(["wasm", "cpu"] as const)("has no gradient of log alpha where a gate is fixed, on %s", async (backend) => {
    await useBackend(backend);
    const u = tf.linspace(0.3, 0.6, 6);
    const [fixed, shares] = [tf.tensor1d([-1, 0, 0.5, -1, 1, -1]), tf.tensor1d([0.1, 0.2, 0.3, 0.1, 0.1, 0.2])];
    const loss = (x: tf.Tensor, logAlpha: tf.Tensor): tf.Scalar => {
      const { output, penalty } = hardConcreteGate(x as tf.Tensor2D, logAlpha as tf.Tensor1D, u, { fixed, shares });
      return tf.add(tf.sum(tf.square(output)), tf.mul(penalty, 5));
    };
    expectGradient([[4, 6], [6]], ([x, logAlpha]) => loss(x, logAlpha));
    tf.tidy(() => {
      const gradient = tf.grads(loss as (...xs: tf.Tensor[]) => tf.Scalar)([tf.ones([4, 6]), tf.zeros([6])])[1];
      const values = Array.from(gradient?.dataSync() ?? []);
      expect(values.map((value) => value !== 0)).toEqual([true, false, false, true, false, true]);
    });
    tf.dispose([u, fixed, shares]);
    await useBackend("wasm");
  });

  it("refuses noise of another shape", () => {
    const [x, logAlpha, u] = [tf.ones<tf.Rank.R2>([3, 4]), tf.ones<tf.Rank.R1>([4]), tf.ones([3])];
    expect(() => hardConcreteGate(x, logAlpha, u)).toThrow(BackendError);
    tf.dispose([x, logAlpha, u]);
  });
});
