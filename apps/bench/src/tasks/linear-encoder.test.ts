import { ConfigError, GatedClassifier, predict, useBackend } from "@l0gm/core";
import { Csr, type NodeGraph, sampledDataset, wholeGraphDataset } from "@l0gm/graph";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { linearEncoder } from "./linear-encoder.ts";

const graph: NodeGraph = {
  csr: Csr.fromEdges([0, 1], [1, 2], { nodes: 3, undirected: true }),
  features: Float32Array.of(1, 0, 0, 1, 2, -1),
  columns: 2,
  labels: Int32Array.of(0, 1, 0),
  classes: ["a", "b"],
};

beforeAll(async () => {
  await useBackend("cpu");
});

function model(): GatedClassifier<Parameters<ReturnType<typeof linearEncoder>["encode"]>[0]> {
  return new GatedClassifier({ encoder: linearEncoder({ features: 2, width: 4, seed: 1 }), classes: 2, gate: false });
}

test("its logits are an affine map of the nodes' own features, in the order of the nodes", async () => {
  const linear = model();
  const { logits } = await predict(linear, wholeGraphDataset(graph, Int32Array.of(2, 0, 1)));
  // Row 2 is 2 row 0 - row 1: with an affine map f, f(2) = 2 f(0) - f(1).
  for (let k = 0; k < 2; k++) {
    expect(logits[k]).toBeCloseTo(2 * (logits[2 + k] ?? Number.NaN) - (logits[4 + k] ?? Number.NaN), 5);
  }
  linear.dispose();
});

test("leaves no tensor behind and has no use for sampled batches", async () => {
  const linear = model();
  const before = tf.memory().numTensors;
  await predict(linear, wholeGraphDataset(graph, Int32Array.of(0, 1, 2)));
  expect(tf.memory().numTensors).toBe(before);
  const sampled = sampledDataset(graph, Int32Array.of(0, 1), { fanOut: [2] });
  await expect(predict(linear, sampled)).rejects.toThrow(ConfigError);
  await expect(predict(linear, sampled)).rejects.toThrow(/reads no neighbour/);
  linear.dispose();
});
