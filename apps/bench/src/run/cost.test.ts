import { arrayDataset, GatedClassifier, layersEncoder, predict, Random, useBackend } from "@l0gm/core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { measureCost } from "./cost.ts";

beforeAll(async () => {
  await useBackend("cpu");
});

const labels = Int32Array.from({ length: 20 }, (_, row) => row % 2);
const data = arrayDataset(Random.from(1).normals(20 * 3), labels, 2);

test("counts and times what compaction saves, and warns when the logits do not stay", async () => {
  const encoder = layersEncoder(sequential({ layers: [layers.dense({ units: 8, inputShape: [3] })] }));
  const model = new GatedClassifier({ encoder, classes: 2, seed: 1 });
  await model.gate?.freeze([1, 5]);
  const expected = await predict(model, data);
  const { cost, warnings } = await measureCost(model, { validation: data }, expected);
  expect(warnings).toEqual([]);
  expect(cost).toMatchObject({
    parameters: { dense: 4 * 8 + 9 * 2, compacted: 4 * 2 + 3 * 2 },
    embeddingBytes: { dense: 32, compacted: 8 },
    latencyMs: { rows: 20 },
  });
  const counted = await measureCost(model, { validation: data, macs: ({ width }) => 100 * width }, expected);
  expect(counted.cost.macs).toEqual({ dense: 800 + 8 * 2, compacted: 200 + 2 * 2 });
  const moved = { ...expected, logits: expected.logits.map((logit) => logit + 0.01) };
  expect((await measureCost(model, { validation: data }, moved)).warnings).toEqual([
    expect.stringMatching("logits differ"),
  ]);
  model.dispose();
});

test("a dense model has its own latency in all three places", async () => {
  const encoder = layersEncoder(sequential({ layers: [layers.dense({ units: 8, inputShape: [3] })] }));
  const model = new GatedClassifier({ encoder, classes: 2, gate: false });
  const { cost } = await measureCost(model, { validation: data }, await predict(model, data));
  expect(cost.latencyMs).toMatchObject({ dense: cost.latencyMs.gated, compacted: cost.latencyMs.gated });
  expect(cost.parameters.compacted).toBe(cost.parameters.dense);
  model.dispose();
});
