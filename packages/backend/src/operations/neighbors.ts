import { type GradConfig, mean, reshape, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { allocate } from "../kernels/memory.ts";
import { COLUMN_SUMS, SPREAD_ROWS } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, requireShape, runFused } from "./fused.ts";

const FORWARD = "L0gmNeighborMean";
const BACKWARD = "L0gmNeighborMeanGradient";

/** Elements that are worth a second thread. */
const SHARED_ELEMENTS = 8192;

/**
 * The mean over each node's neighbours where all have equally many, sampled one after the other: rows `i * fanOut` to
 * `(i + 1) * fanOut - 1` belong to node i.
 *
 * @param x - `[nodes * fanOut, width]`
 * @returns `[nodes, width]`, the caller's
 * @throws BackendError when the rows are no multiple of `fanOut`
 *
 * @example
 * ```ts
 * import { meanOverNeighbors } from "@l0gm/backend";
 * import { tensor2d } from "@tensorflow/tfjs-core";
 *
 * console.log(meanOverNeighbors(tensor2d([[1], [3], [5], [7]]), 2).arraySync()); // 2, 6
 * ```
 */
export function meanOverNeighbors(x: Tensor2D, fanOut: number): Tensor2D {
  const fits = x.rank === 2 && Number.isInteger(fanOut) && fanOut >= 1 && x.shape[0] % fanOut === 0;
  requireShape("meanOverNeighbors", fits, `[nodes * ${fanOut}, width]`, x);
  if (canFuse(FORWARD, x)) return runFused(FORWARD, { x }, { fanOut }) as Tensor2D;
  return mean(reshape(x, [x.shape[0] / fanOut, fanOut, x.shape[1]]), 1);
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const x = input(call, "x");
    const [rows, width] = x.shape as [number, number];
    const fanOut = Number(call.attrs["fanOut"]);
    const y = allocate(call.backend, [rows / fanOut, width]);
    const units = (rows / fanOut) * Math.ceil(width / 4);
    const addresses = addressesOf(call, x, y);
    call.assembly.run(COLUMN_SUMS, units, SHARED_ELEMENTS / (4 * fanOut), ...addresses, fanOut, width, 1 / fanOut);
    return y;
  },
};

const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const dy = input(call, "dy");
    const [nodes, width] = dy.shape as [number, number];
    const fanOut = Number(call.attrs["fanOut"]);
    const dx = allocate(call.backend, [nodes * fanOut, width]);
    const addresses = addressesOf(call, dy, dx);
    call.assembly.run(SPREAD_ROWS, nodes * fanOut, SHARED_ELEMENTS / width, ...addresses, fanOut, width, 1 / fanOut);
    return dx;
  },
};

const gradient: GradConfig = {
  kernelName: FORWARD,
  gradFunc: (dy, _, attrs) => ({ x: () => runFused(BACKWARD, { dy: dy as Tensor }, attrs) }),
};

export const neighborsOperation: FusedOperation = { kernels: [forward, backward], gradient };
