import { Random, useBackend } from "@l0gm/core";
import { expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { golden, smallBert } from "../test/small-bert.ts";
import { bertEncoder } from "./bert.ts";

/** Ours are called after the part and what they are in it. */
function theirName(name: string): string {
  const [part = "", weight = ""] = name.split("/");
  return `${part}.${weight === "bias" || weight === "shift" ? "bias" : "weight"}`;
}

describe.each(["cpu", "wasm"] as const)("a small BERT on %s", (backend) => {
  test("has PyTorch's gradient for every parameter", async () => {
    await useBackend(backend);
    const encoder = await bertEncoder(await smallBert(), { width: 8 });
    const [kernel] = encoder.parameters.filter(({ name }) => name === "projection/kernel");
    tf.tidy(() => kernel?.variable.assign(tf.eye(8)));
    const batch = { ids: tf.tensor2d(golden.ids, undefined, "int32"), mask: tf.tensor2d(golden.mask) };
    const outputs = tf.tensor2d(golden.outputWeights, [3, 8]);
    // Without dropout, which is all that training changes.
    const context = { training: false, random: Random.from(0) };
    const named = encoder.parameters.filter(({ name }) => !name.startsWith("projection/"));
    const { value, grads } = tf.variableGrads(
      () => tf.mean(tf.mul(encoder.encode(batch, context), outputs)) as tf.Scalar,
      named.map(({ variable }) => variable),
    );
    expectClose(await encoder.encode(batch, context).data(), golden.pooled, { absolute: 2e-6 });
    expectClose(await value.data(), [golden.loss], { absolute: 1e-7 });
    expect(named.map(({ name }) => theirName(name)).sort()).toEqual(Object.keys(golden.weights).sort());
    for (const { name, variable } of named) {
      const own = grads[variable.name] as tf.Tensor;
      const gradient = name.endsWith("/kernel") ? tf.transpose(own) : own;
      const expected = golden.weights[theirName(name)]?.gradient ?? [];
      const size = expected.reduce((largest, each) => Math.max(largest, Math.abs(each)), 1e-4);
      // A key's bias moves all of a query's scores alike, so that its gradient is 0 but for rounding.
      expectClose(await gradient.data(), expected, { absolute: 2e-5 * size + 1e-8 }, theirName(name));
    }
    encoder.dispose();
  });
});
