import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AdamW } from "../operations/adamw.ts";
import { attention } from "../operations/attention.ts";
import { softmaxCrossEntropy } from "../operations/cross-entropy.ts";
import { csrProduct } from "../operations/csr.ts";
import { dense } from "../operations/dense.ts";
import { hardConcreteGate } from "../operations/gate.ts";
import { gelu } from "../operations/gelu.ts";
import { layerNorm } from "../operations/layer-norm.ts";
import { meanOverNeighbors } from "../operations/neighbors.ts";
import { piecewiseLinear } from "../operations/piecewise-linear.ts";
import { dropout, randomNormal, randomUniform } from "../operations/random.ts";
import { sumOfSquares } from "../operations/sum-of-squares.ts";
import { useBackend } from "../select.ts";

/** Hashes of results that are large enough for every kernel to be shared. */
async function compute(threads: number): Promise<string[]> {
  const { kernels } = await useBackend("wasm", { threads });
  expect(kernels.threads).toBe(threads);
  const results = tf.tidy(() => {
    const normal = (shape: number[], name: string): tf.Tensor => randomNormal(shape, [3, name]);
    const matrix = normal([403, 130], "matrix") as tf.Tensor2D;
    const other = normal([130, 301], "other") as tf.Tensor2D;
    const many = normal([37, 66, 35], "many");
    const tokens = normal([13, 40, 48], "tokens") as tf.Tensor3D;
    const ids = tf.cast(tf.floor(tf.mul(randomUniform([6000], [3, "ids"]), 400)), "int32") as tf.Tensor1D;
    const starts = tf.range(0, 6001, 3, "int32");
    const csr = { rows: 2000, columns: 403, pointers: starts, indices: ids };
    const gradients = tf.grads((x, kernel, gain, offset) => {
      const h = layerNorm(
        dense(x, kernel as tf.Tensor2D, offset as tf.Tensor1D, "gelu"),
        gain as tf.Tensor1D,
        offset as tf.Tensor1D,
      );
      return tf.sum(tf.square(h));
    })([matrix, other, tf.ones([301]), tf.zeros([301])]);
    const dropped = { rate: 0.2, source: [3, "attention"] } as const;
    const heads = tf.grads((q, k, v) =>
      tf.sum(
        tf.square(attention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, { heads: 3, dropout: dropped })),
      ),
    )([tokens, tf.mul(tokens, 0.5), tf.add(tokens, 1)]);
    const edges = Array.from({ length: 130 }, (_, j) => [-1, -0.5, 0, 0.4, 2].slice(j % 3));
    const gateNoise = randomUniform([403, 130], [3, "gate"], 0.01, 0.99);
    const fixed = tf.tensor1d(Array.from({ length: 130 }, (_, j) => [-1, 0, 0.7][j % 3] ?? -1));
    const gated = hardConcreteGate(matrix, tf.zeros([130]), gateNoise, { fixed });
    const squared = (y: tf.Tensor): tf.Scalar => tf.sum(tf.square(y));
    const labels = tf.tensor1d(
      Int32Array.from({ length: 403 }, (_, i) => (7 * i) % 130),
      "int32",
    );
    return [
      tf.matMul(matrix, other),
      tf.matMul(other, matrix, true, true),
      tf.matMul(matrix, matrix, true, false),
      tf.matMul(normal([2300, 45], "long"), normal([2300, 70], "long"), true, false),
      tf.matMul(matrix, matrix, false, true),
      tf.matMul(many, many, true, false),
      tf.sum(matrix, 0),
      tf.mean(many, 1),
      tf.sum(many),
      tf.exp(matrix),
      tf.gather(matrix, ids),
      tf.gather(tf.zeros([500, 0]), ids),
      tf.unsortedSegmentSum(tf.gather(matrix, ids), ids, 400),
      tf.where(tf.greater(matrix, 0), matrix, tf.neg(matrix)),
      csrProduct(csr, matrix),
      meanOverNeighbors(normal([6000, 33], "neighbours") as tf.Tensor2D, 3),
      dropout(tokens, 0.3, [3, "dropout"]),
      gated.output,
      gated.penalty,
      ...tf.grads((x, logAlpha) => {
        const { output, penalty } = hardConcreteGate(x as tf.Tensor2D, logAlpha as tf.Tensor1D, gateNoise, { fixed });
        return tf.add(squared(output), penalty);
      })([matrix, normal([130], "log alpha")]),
      ...tf.split(matrix, [30, 60, 40], 1),
      tf.slice(many, [3, 5, 1], [30, 60, 33]),
      tf.pad(matrix, [
        [3, 1],
        [0, 2],
      ]),
      tf.tile(matrix, [3, 2]),
      tf.tanh(matrix),
      tf.log(gateNoise),
      tf.erf(matrix),
      tf.sigmoid(matrix),
      tf.clone(matrix),
      tf.einsum("bij,bik->bjk", many, many),
      tf.grad((x) => squared(tf.gather(x, ids)))(matrix),
      tf.grad((x) => squared(gelu(x)))(matrix),
      tf.grad((x) => squared(softmaxCrossEntropy(x as tf.Tensor2D, labels)))(matrix),
      tf.grad((x) => squared(csrProduct(csr, x as tf.Tensor2D)))(matrix),
      tf.grad((x) => squared(meanOverNeighbors(x as tf.Tensor2D, 3)))(normal([6000, 33], "neighbours")),
      ...tf.grads((x, kernel) => tf.sum(tf.square(piecewiseLinear(x as tf.Tensor2D, kernel as tf.Tensor3D, edges))))([
        matrix,
        normal([130, 7, 9], "columns"),
      ]),
      sumOfSquares([many, matrix, tokens]),
      ...gradients,
      ...heads,
    ];
  });
  const weights = tf.variable(randomNormal([30_001], [3, "weights"]));
  const optimizer = new AdamW();
  for (let step = 0; step < 3; step++) optimizer.minimize(() => tf.sum(tf.square(weights)));
  const bits = [...results, weights].map((tensor) => createHash("sha256").update(tensor.dataSync()).digest("hex"));
  optimizer.dispose();
  tf.dispose([...results, weights]);
  return bits;
}

describe("threads", () => {
  it("do not change a bit of any result, and end with the backend", async () => {
    const threading = process.getBuiltinModule("node:worker_threads");
    const started: Worker[] = [];
    class Watched extends threading.Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        started.push(this);
      }
    }
    const original = threading.Worker;
    threading.Worker = Watched;
    onTestFinished(() => {
      threading.Worker = original;
    });
    const two = await compute(2);
    expect(started.length).toBe(1);
    const one = await compute(1);
    await vi.waitFor(() => expect(started.map(({ threadId }) => threadId)).toEqual([-1]));
    const four = await compute(4);
    expect(started.length).toBe(4);
    one.forEach((bits, i) => {
      expect(two[i], `result ${i} on two threads`).toBe(bits);
      expect(four[i], `result ${i} on four threads`).toBe(bits);
    });
    const factory = tf.findBackendFactory("wasm");
    tf.removeBackend("wasm");
    await vi.waitFor(() => expect(started.map(({ threadId }) => threadId)).toEqual([-1, -1, -1, -1]));
    tf.registerBackend("wasm", factory);
    // A backend that someone else started has memory that threads can not share.
    await tf.setBackend("wasm");
    const { kernels } = await useBackend("wasm", { threads: 3 });
    expect(kernels).toMatchObject({ threads: 1, reason: expect.stringContaining("started before") });
  });

  it("do not keep a process from ending", async () => {
    const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
    const script = `
      import { useBackend } from "./src/index.ts";
      import { matMul, ones } from "@tensorflow/tfjs-core";
      const { kernels } = await useBackend("wasm", { threads: 3 });
      const y = matMul(ones([512, 64]), ones([64, 64])).dataSync();
      console.log(kernels.threads, y[32767]);
    `;
    const flags = ["--conditions=@l0gm/source", "--import", "tsx", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: root, timeout: 50_000 });
    expect(stdout.trim().split("\n").at(-1)).toBe("3 64");
  });
});
