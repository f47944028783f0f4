import {
  div,
  exp,
  type GradConfig,
  gather,
  sub,
  type Tensor,
  type Tensor2D,
  tensor2d,
  unsortedSegmentSum,
} from "@tensorflow/tfjs-core";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { allocate } from "../kernels/memory.ts";
import { CSR_SOFTMAX, CSR_SOFTMAX_GRADIENT } from "../kernels/tasks.ts";
import { type CsrMatrix, ownersOf, SHARED_ROWS } from "./csr.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFused } from "./fused.ts";

const FORWARD = "L0gmCsrSoftmax";
const BACKWARD = "L0gmCsrSoftmaxGradient";

/**
 * The softmax over the entries of each row of a sparse matrix, for example the attention that a node pays to its neighbours. Scores may be
 * as large as they like.
 *
 * @param a - of which the rows' entries count, not their values
 * @param scores - `[entries, heads]`, each head by itself
 * @returns `[entries, heads]`, the caller's; those of a row sum to 1
 * @throws BackendError when the shapes do not fit
 *
 * @example
 * ```ts
 * import { csrSoftmax } from "@l0gm/backend";
 * import { tensor1d, tensor2d } from "@tensorflow/tfjs-core";
 *
 * const a = { rows: 2, pointers: tensor1d([0, 2, 3], "int32") };
 * console.log(csrSoftmax(a, tensor2d([[0], [0], [7]])).arraySync()); // 0.5, 0.5, 1
 * ```
 */
export function csrSoftmax({ rows, pointers }: Pick<CsrMatrix, "rows" | "pointers">, scores: Tensor2D): Tensor2D {
  const fits = pointers.size === rows + 1 && scores.rank === 2;
  requireShape("csrSoftmax", fits, `pointers [${rows + 1}] and scores [entries, heads]`, pointers, scores);
  if (canFuse(FORWARD, scores)) return runFused(FORWARD, { pointers, scores }) as Tensor2D;
  const starts = pointers.dataSync<"int32">();
  const of = ownersOf(starts, scores.shape[0]);
  // No function of the scores as far as gradients go: however a row's scores are shifted, their softmax is the same.
  const largest = tensor2d(largestOfRows(rows, starts, scores.dataSync<"float32">(), scores.shape[1]), scores.shape);
  const powers = exp(sub(scores, largest));
  return div(powers, gather(unsortedSegmentSum(powers, of, rows), of));
}

/** For every score the largest of its row and head. */
function largestOfRows(rows: number, starts: Int32Array, scores: Float32Array, heads: number): Float32Array {
  const largest = new Float32Array(scores.length);
  for (let i = 0; i < rows; i++) {
    const [start, end] = [(starts[i] as number) * heads, (starts[i + 1] as number) * heads];
    for (let head = 0; head < heads; head++) {
      let most = Number.NEGATIVE_INFINITY;
      for (let e = start + head; e < end; e += heads) most = Math.max(most, scores[e] as number);
      for (let e = start + head; e < end; e += heads) largest[e] = most;
    }
  }
  return largest;
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const [pointers, scores] = [input(call, "pointers"), input(call, "scores")];
    const y = allocate(call.backend, scores.shape);
    const addresses = addressesOf(call, pointers, scores, y);
    call.assembly.run(CSR_SOFTMAX, (pointers.shape[0] ?? 1) - 1, SHARED_ROWS, ...addresses, scores.shape[1] ?? 0);
    return y;
  },
};

const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const [pointers, y, dy] = [input(call, "pointers"), input(call, "y"), input(call, "dy")];
    const dx = allocate(call.backend, y.shape);
    const rows = (pointers.shape[0] ?? 1) - 1;
    const addresses = addressesOf(call, pointers, y, dy, dx);
    call.assembly.run(CSR_SOFTMAX_GRADIENT, rows, SHARED_ROWS, ...addresses, y.shape[1] ?? 0);
    return dx;
  },
};

const gradient: GradConfig = {
  kernelName: FORWARD,
  inputsToSave: ["pointers"],
  outputsToSave: [true],
  gradFunc: (dy, saved) => ({
    scores: () => runFused(BACKWARD, { pointers: nth(saved, 0), y: nth(saved, 1), dy: dy as Tensor }),
  }),
};

export const csrSoftmaxOperation: FusedOperation = { kernels: [forward, backward], gradient };
