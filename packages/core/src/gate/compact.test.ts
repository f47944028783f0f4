import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { EVALUATION, GatedClassifier, type GatedClassifierOptions } from "../model/gated-classifier.ts";
import { layersEncoder } from "../model/layers-encoder.ts";
import { Random } from "../random.ts";
import { expectClose, expectNoLeak } from "../testing/index.ts";
import { CompactModel, compact } from "./compact.ts";

beforeAll(() => useBackend(inject("backend")));

function modelOf(gate: GatedClassifierOptions<tf.Tensor>["gate"] = {}): GatedClassifier<tf.Tensor> {
  const encoder = layersEncoder(
    sequential({
      layers: [
        layers.dense({ units: 5, activation: "relu", inputShape: [3] }),
        layers.dense({ units: 8, biasInitializer: "ones" }),
      ],
    }),
  );
  return new GatedClassifier({ encoder, classes: 3, gate, seed: 1 });
}

const batch = (): tf.Tensor2D => tf.tensor2d(Random.from(7).normals(30), [10, 3]);

function setLogAlpha({ gate }: GatedClassifier<tf.Tensor>, values: readonly number[]): void {
  tf.tidy(() => gate?.logAlpha.assign(tf.tensor1d([...values])));
}

async function expectSameLogits(gated: GatedClassifier<tf.Tensor>, small: GatedClassifier<tf.Tensor>): Promise<void> {
  expectClose(await small.logits(batch()).data(), await gated.logits(batch()).data(), { absolute: 1e-5 });
}

describe("logits equal the gated model's", () => {
  test("for any frozen subset", async () => {
    const subset = fc.subarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(
        subset,
        fc.float32Array({ min: -3, max: 5, noNaN: true, minLength: 8, maxLength: 8 }),
        async (kept, alphas) => {
          const model = modelOf();
          setLogAlpha(model, [...alphas]);
          await model.gate?.freeze(kept);
          const small = compact(model);
          expect(small.active).toEqual(kept);
          expect(small.width).toBe(kept.length);
          await expectSameLogits(model, small);
          small.dispose();
          model.dispose();
        },
      ),
      { numRuns: 25 },
    );
  });

  test.each(["mean", "median"] as const)("for gates that are still learned, by the %s rule", async (rule) => {
    const model = modelOf({ rule });
    setLogAlpha(model, [-5, -2, -1, 0, 1, 2, 5, -5]);
    const small = compact(model);
    expect(small.active).toEqual(rule === "mean" ? [1, 2, 3, 4, 5, 6] : [2, 3, 4, 5, 6]);
    await expectSameLogits(model, small);
  });

  test("for group gates, whose dimensions go together", async () => {
    const model = modelOf({ groups: [0, 1, 2, 3, 0, 1, 2, 3] });
    setLogAlpha(model, [3, -5, 1, -5]);
    const small = compact(model);
    expect(small.active).toEqual([0, 2, 4, 6]);
    await expectSameLogits(model, small);
  });

  test("for a dense model, and for a compact model once more", async () => {
    const dense = modelOf(false);
    await expectSameLogits(dense, compact(dense));
    const model = modelOf();
    await model.gate?.freeze([2, 3]);
    const small = compact(model);
    const again = compact(small);
    expect(again.active).toEqual([0, 1]);
    await expectSameLogits(small, again);
  });

  test("and its embedding has the kept columns, unscaled: the gates' values are in the head", async () => {
    const model = modelOf();
    await model.gate?.freeze([6, 1]);
    const small = compact(model);
    const h = await model.encoder.encode(batch(), EVALUATION).array();
    expectClose(
      await small.embed(batch()).data(),
      h.flatMap((row) => [row[1] ?? Number.NaN, row[6] ?? Number.NaN]),
    );
  });
});

test("savings are counted exactly", async () => {
  const model = modelOf();
  await model.gate?.freeze([0, 7]);
  const small = compact(model);
  // Encoder 3 -> 5 -> d, head d -> 3.
  const parameters = (d: number): number => 3 * 5 + 5 + 5 * d + d + d * 3 + 3;
  const macs = (d: number): number => 3 * 5 + 5 * d + d * 3;
  expect(small.savings).toEqual({
    parameters: { dense: parameters(8), compacted: parameters(2) },
    embeddingBytes: { dense: 32, compacted: 8 },
    macs: { dense: macs(8), compacted: macs(2) },
  });
  expect(small.parameters.reduce((sum, { variable }) => sum + variable.size, 0)).toBe(parameters(2));
});

test("the compact model is a dense classifier with weights of its own; the gated one stays as it was", async () => {
  const model = modelOf();
  await model.gate?.freeze([1, 2, 3]);
  const before = await model.logits(batch()).data();
  const small = compact(model);
  expect(small).toBeInstanceOf(CompactModel);
  expect(small.gate).toBeUndefined();
  const expected = await small.logits(batch()).data();
  expect(await model.logits(batch()).data()).toEqual(before);
  model.dispose();
  expect(await small.logits(batch()).data()).toEqual(expected);
});

test("compacting and disposing leaves no tensor behind", async () => {
  const model = modelOf();
  await model.gate?.freeze([1, 2, 3]);
  await expectNoLeak(() => compact(model).dispose());
});

describe("refuses", () => {
  test("an encoder that cannot be narrowed", () => {
    const encoder = layersEncoder(
      sequential({ layers: [layers.dense({ units: 4, activation: "relu", inputShape: [3] })] }),
    );
    const before = tf.memory().numTensors;
    expect(() => compact(new GatedClassifier({ encoder, classes: 2, gate: false }))).toThrow(/a linear projection/);
    // Only the new classifier's head is alive.
    expect(tf.memory().numTensors).toBe(before + 2);
  });

  test("a model whose gates are all closed", async () => {
    const model = modelOf();
    await model.gate?.freeze([]);
    expect(() => compact(model)).toThrow(ConfigError);
    expect(() => compact(model)).toThrow(/at least one open gate, received 8 closed gates/);
  });
});
