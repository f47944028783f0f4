import {
  cast,
  customGrad,
  logSoftmax,
  mul,
  neg,
  oneHot,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { allocate, wordOffset } from "../kernels/memory.ts";
import { CROSS_ENTROPY, CROSS_ENTROPY_GRADIENT } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFused, runFusedMany } from "./fused.ts";

const FORWARD = "L0gmCrossEntropy";
const BACKWARD = "L0gmCrossEntropyGradient";

/** Elements that are worth a second thread. */
const SHARED_ELEMENTS = 8192;

/**
 * The cross-entropy of a softmax with the true class, row by row: `log(sum exp(logits)) - logits[label]`, in nats.
 *
 * @param logits - `[rows, classes]`
 * @param labels - `[rows]`, int32, from 0 to classes - 1; they have no gradient
 * @returns `[rows]`, the caller's; take its mean for the usual loss
 * @throws BackendError when the shapes or types do not fit, or, on our kernels, when a label is out of range
 *
 * @example
 * ```ts
 * import { softmaxCrossEntropy } from "@l0gm/backend";
 * import { mean, tensor1d, tensor2d } from "@tensorflow/tfjs-core";
 *
 * const loss = mean(softmaxCrossEntropy(tensor2d([[0, 0], [3, 0]]), tensor1d([1, 0], "int32")));
 * ```
 */
export function softmaxCrossEntropy(logits: Tensor2D, labels: Tensor1D): Tensor1D {
  const fits = logits.rank === 2 && labels.rank === 1 && labels.shape[0] === logits.shape[0];
  requireShape("softmaxCrossEntropy", fits, "logits [rows, classes] and labels [rows]", logits, labels);
  if (labels.dtype !== "int32") {
    throw new BackendError({
      where: "softmaxCrossEntropy",
      expected: "labels of type int32",
      received: labels.dtype,
      hint: "convert them with tf.cast first",
    });
  }
  if (!canFuse(FORWARD, logits)) {
    const truth = cast(oneHot(labels, logits.shape[1]), "float32");
    return neg(sum(mul(truth, logSoftmax(logits)), -1)) as Tensor1D;
  }
  const run = customGrad((...args) => {
    const [logits, save] = args as unknown as [Tensor, (tensors: Tensor[]) => void];
    const [losses, probabilities] = runFusedMany(FORWARD, { logits, labels });
    save([probabilities as Tensor, labels]);
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor =>
      runFused(BACKWARD, { probabilities: nth(saved, 0), labels: nth(saved, 1), dy });
    return { value: losses as Tensor, gradFunc };
  });
  return run(logits) as Tensor1D;
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const [logits, labels] = [input(call, "logits"), input(call, "labels")];
    const [rows, classes] = logits.shape as [number, number];
    const start = wordOffset(call.backend, labels);
    for (let i = 0; i < rows; i++) {
      const label = call.backend.wasm.HEAP32[start + i] as number;
      if (label >= 0 && label < classes) continue;
      const expected = `labels from 0 to ${classes - 1}`;
      throw new BackendError({ where: "softmaxCrossEntropy", expected, received: `${label} in row ${i}` });
    }
    const losses = allocate(call.backend, [rows]);
    const probabilities = allocate(call.backend, logits.shape);
    const addresses = addressesOf(call, logits, labels, losses, probabilities);
    call.assembly.run(CROSS_ENTROPY, rows, SHARED_ELEMENTS / classes, ...addresses, classes);
    return [losses, probabilities];
  },
};

const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const p = input(call, "probabilities");
    const [rows, classes] = p.shape as [number, number];
    const dx = allocate(call.backend, p.shape);
    const addresses = addressesOf(call, p, input(call, "labels"), input(call, "dy"), dx);
    call.assembly.run(CROSS_ENTROPY_GRADIENT, rows, SHARED_ELEMENTS / classes, ...addresses, classes);
    return dx;
  },
};

export const crossEntropyOperation: FusedOperation = { kernels: [forward, backward] };
