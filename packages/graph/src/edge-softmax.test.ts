import { Random, ShapeError, useBackend } from "@l0gm/core";
import { checkGradient, expectClose, expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { Csr } from "./csr.ts";
import { edgeSoftmax } from "./edge-softmax.ts";

await useBackend("cpu");
afterEach(async () => {
  await useBackend("cpu");
});

/** Node 3 receives nothing. */
const csr = Csr.fromEdges([0, 1, 2, 3, 4, 2], [1, 0, 0, 2, 2, 4], { nodes: 5 });

function expected(scores: Float32Array, heads: number): number[] {
  const out = new Array<number>(scores.length).fill(0);
  for (let i = 0; i < csr.rows; i++) {
    for (let head = 0; head < heads; head++) {
      const places = Array.from(csr.neighborsOf(i), (_, k) => ((csr.offsets[i] ?? 0) + k) * heads + head);
      const most = Math.max(...places.map((place) => scores[place] ?? 0));
      const total = places.reduce((sum, place) => sum + Math.exp((scores[place] ?? 0) - most), 0);
      for (const place of places) out[place] = Math.exp((scores[place] ?? 0) - most) / total;
    }
  }
  return out;
}

describe.each(["cpu", "wasm"] as const)("edgeSoftmax on %s", (backend) => {
  test.each([1, 3, 8])("is the softmax of each row and head, %i heads", async (heads) => {
    await useBackend(backend);
    const scores = Random.from(heads).normals(csr.entries * heads, 0, 3);
    const y = edgeSoftmax(csr, tf.tensor2d(scores, [csr.entries, heads])).dataSync();
    expectClose(y, expected(scores, heads), { absolute: 1e-6 });
  });

  test("is safe where scores of rows are far apart, and huge", async () => {
    await useBackend(backend);
    const star = Csr.fromEdges([1, 2, 0, 0], [0, 0, 1, 2], { nodes: 3 });
    const y = edgeSoftmax(star, tf.tensor2d([1e4, 1e4 + 1, -1e4, -3e38], [4, 1])).dataSync();
    expectClose(y, [1 / (1 + Math.E), Math.E / (1 + Math.E), 1, 1], { absolute: 1e-6 });
  });

  test("has the gradient of finite differences", async () => {
    await useBackend(backend);
    const scores = tf.tensor2d(Random.from(5).normals(csr.entries * 2), [csr.entries, 2]);
    await checkGradient((x) => tf.square(edgeSoftmax(csr, x as tf.Tensor2D)), scores);
  });
});

test("edgeSoftmax leaves no tensors behind, and refuses other shapes", async () => {
  const scores = tf.ones<tf.Rank.R2>([csr.entries, 2]);
  await expectNoLeak(() => edgeSoftmax(csr, scores).dispose());
  expect(() => edgeSoftmax(csr, tf.ones([csr.entries + 1, 2]))).toThrow(ShapeError);
});
