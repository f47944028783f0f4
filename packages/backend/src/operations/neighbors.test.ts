import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { meanOverNeighbors } from "./neighbors.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

describe("meanOverNeighbors", () => {
  it("equals plain operations on the cpu backend", async () => {
    const cases = fc
      .record({ nodes: axis(7), fanOut: axis(5, 1), width: axis(35, 1) })
      .chain(({ nodes, fanOut, width }) =>
        fc.record({ x: plain([nodes * fanOut, width]), fanOut: fc.constant(fanOut) }),
      );
    await fc.assert(
      fc.asyncProperty(cases, ({ x, fanOut }) =>
        expectLikeCpu([x], ([a]) => meanOverNeighbors(a as tf.Tensor2D, fanOut), 1e-5),
      ),
    );
  });

  it("has the right gradient", () => {
    expectGradient([[6, 5]], ([x]) => tf.sum(tf.square(meanOverNeighbors(x as tf.Tensor2D, 3))));
  });

  it("refuses rows that are no multiple of the fan-out", () => {
    expect(() => tf.tidy(() => meanOverNeighbors(tf.ones([5, 2]), 2))).toThrow(BackendError);
  });
});
