/**
 * A short training on the accelerated backend, with FMA and on two threads, against the same one on plain JavaScript. It runs in a folder
 * where the packed packages are installed, on each version of Node that they support; see packed.mjs.
 */
import assert from "node:assert/strict";
import {
  AdamW,
  attention,
  dense,
  doctor,
  formatDoctor,
  layerNorm,
  softmaxCrossEntropy,
  useBackend,
} from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";

/** The same numbers everywhere; of no further use. */
function wave(shape, phase) {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(phase + 0.37 * i) / 2),
    shape,
  );
}

/** The losses of 20 steps of a small model, large enough for its kernels to be shared between threads. */
function train() {
  const labels = tf.tensor1d(
    Int32Array.from({ length: 32 }, (_, i) => i % 3),
    "int32",
  );
  // Every class has a mean of its own.
  const x = tf.tidy(() => tf.add(wave([32, 16, 32], 1), tf.mul(tf.reshape(labels, [32, 1, 1]), wave([32], 2))));
  const variables = [[32, 64], [64], [64], [64], [64, 3], [3]].map((shape, i) => {
    // The gain of a layer norm begins at one.
    return tf.tidy(() => tf.variable(i === 2 ? tf.ones(shape) : wave(shape, 10 * i)));
  });
  const [kernel, bias, gain, offset, head, zero] = variables;
  const optimizer = new AdamW({ learningRate: 0.003 });
  const losses = Array.from({ length: 20 }, () => {
    const value = optimizer.minimize(() => {
      const tokens = layerNorm(dense(x, kernel, bias, "gelu"), gain, offset);
      const pooled = tf.mean(attention(tokens, tokens, tokens, { heads: 4 }), 1);
      return tf.mean(softmaxCrossEntropy(dense(pooled, head, zero), labels));
    }, true);
    const [loss] = value.dataSync();
    value.dispose();
    return loss;
  });
  optimizer.dispose();
  tf.dispose([x, labels, ...variables]);
  return losses;
}

await useBackend("cpu");
const expected = train();
const { kernels } = await useBackend("wasm", { threads: 2 });
assert.equal(kernels.threads, 2, kernels.reason);
assert.equal(kernels.fma, true, kernels.reason);
const losses = train();
losses.forEach((loss, step) => {
  assert(Math.abs(loss - expected[step]) < 1e-3, `step ${step}: ${loss} where plain JavaScript has ${expected[step]}`);
});
assert(losses.at(-1) < 0.9 * losses[0], `nothing was learnt: ${losses}`);
assert.match(formatDoctor(await doctor()), new RegExp(`Node ${process.version}[^]*on 2 threads`));
assert.equal(tf.memory().numTensors, 0);
console.log(
  `  Node ${process.version}: ${kernels.reason}; loss ${losses[0].toFixed(4)} to ${losses.at(-1).toFixed(4)}`,
);
