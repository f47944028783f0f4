import * as tf from "@tensorflow/tfjs-core";
import { AdamW } from "../src/operations/adamw.ts";
import { attention } from "../src/operations/attention.ts";
import { softmaxCrossEntropy } from "../src/operations/cross-entropy.ts";
import { csrProduct } from "../src/operations/csr.ts";
import { dense } from "../src/operations/dense.ts";
import { hardConcreteGate } from "../src/operations/gate.ts";
import { layerNorm } from "../src/operations/layer-norm.ts";
import { meanOverNeighbors } from "../src/operations/neighbors.ts";
import { dropout, randomNormal, randomUniform } from "../src/operations/random.ts";

/** A model in which every operation of ours takes part. */
export interface SmallModel {
  /** One training step; returns the loss. */
  step(number: number): number;
  dispose(): void;
}

/** Made on the backend in force; the caller's to dispose of. */
export function smallModel(): SmallModel {
  const parameter = (shape: number[], name: string): tf.Variable =>
    tf.tidy(() => tf.variable(randomNormal(shape, [1, name], 0, 0.3)));
  const x = randomNormal([12, 4, 8], [1, "x"]) as tf.Tensor3D;
  const labels = tf.tensor1d([0, 1, 2, 0, 1, 2], "int32");
  const pointers = tf.tensor1d([0, 2, 3, 5, 6, 8, 9], "int32");
  const indices = tf.tensor1d([0, 5, 1, 2, 0, 3, 4, 1, 5], "int32");
  const [kernel, bias] = [parameter([8, 8], "kernel"), parameter([8], "bias")] as [tf.Tensor2D, tf.Tensor1D] &
    tf.Variable[];
  const [gain, offset] = [parameter([8], "gain"), parameter([8], "offset")] as [tf.Tensor1D, tf.Tensor1D] &
    tf.Variable[];
  const [head, zero] = [parameter([8, 3], "head"), parameter([3], "zero")] as [tf.Tensor2D, tf.Tensor1D] &
    tf.Variable[];
  const logAlpha = parameter([8], "logAlpha") as tf.Tensor as tf.Tensor1D;
  const optimizer = new AdamW({ learningRate: 0.01, weightDecay: 0.001 });
  const loss = (step: number): tf.Scalar => {
    const tokens = layerNorm(dense(x, kernel, bias, "gelu"), gain, offset) as tf.Tensor3D;
    const mixed = dropout(attention(tokens, tokens, tokens, { heads: 2 }), 0.1, [1, "dropout", step]);
    const pooled = meanOverNeighbors(tf.mean(mixed, 1) as tf.Tensor2D, 2);
    const spread = csrProduct({ rows: 6, columns: 6, pointers, indices }, pooled);
    const u = randomUniform([8], [1, "gate", step], 1e-6, 1 - 1e-6);
    const { output, penalty } = hardConcreteGate(spread, logAlpha, u);
    const losses = softmaxCrossEntropy(dense(output, head, zero) as tf.Tensor2D, labels);
    return tf.add(tf.mean(losses), tf.mul(penalty, 0.01));
  };
  return {
    step(number) {
      const value = optimizer.minimize(() => loss(number), true);
      const [result = Number.NaN] = value?.dataSync() ?? [];
      value?.dispose();
      return result;
    },
    dispose() {
      optimizer.dispose();
      tf.dispose([x, labels, pointers, indices, kernel, bias, gain, offset, head, zero, logAlpha]);
    },
  };
}
