import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
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

  it("refuses noise of another shape", () => {
    const [x, logAlpha, u] = [tf.ones<tf.Rank.R2>([3, 4]), tf.ones<tf.Rank.R1>([4]), tf.ones([3])];
    expect(() => hardConcreteGate(x, logAlpha, u)).toThrow(BackendError);
    tf.dispose([x, logAlpha, u]);
  });
});
