import {
  add,
  customGrad,
  mean,
  mul,
  rsqrt,
  square,
  sub,
  type Tensor,
  type Tensor1D,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { allocate, sizeOf } from "../kernels/memory.ts";
import { COLUMN_SUMS, LAYER_NORM, LAYER_NORM_GRADIENT } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFusedMany } from "./fused.ts";

/** The kernel of {@link layerNorm}: gives the result, and the mean and the scale of each row. */
export const LAYER_NORM_FORWARD = "L0gmLayerNorm";
/** The kernel of its gradients. */
export const LAYER_NORM_BACKWARD = "L0gmLayerNormGradient";

/** Elements that are worth a second thread. */
const SHARED_ELEMENTS = 8192;

/** Blocks of rows whose gradients of gain and offset are summed apart; more would cost memory, fewer threads. */
const BLOCKS = 32;

/**
 * Layer normalisation over the last axis (Ba, Kiros and Hinton, 2016): `(x - mean) / sqrt(variance + epsilon) * gain + offset`.
 *
 * @param x - `[..., width]`
 * @param gain - `[width]`
 * @param offset - `[width]`
 * @param epsilon - added to the variance
 * @returns a tensor of x's shape, the caller's
 * @throws BackendError when the shapes do not fit
 *
 * @example
 * ```ts
 * import { layerNorm } from "@l0gm/backend";
 * import { ones, randomNormal, zeros } from "@tensorflow/tfjs-core";
 *
 * const y = layerNorm(randomNormal([32, 14, 64]), ones([64]), zeros([64]));
 * ```
 */
export function layerNorm<T extends Tensor>(x: T, gain: Tensor1D, offset: Tensor1D, epsilon = 1e-5): T {
  const width = x.shape.at(-1);
  const fits = x.rank >= 1 && gain.size === width && offset.size === width;
  requireShape("layerNorm", fits, "x [..., width], gain [width] and offset [width]", x, gain, offset);
  if (!canFuse(LAYER_NORM_FORWARD, x, gain, offset) || x.size === 0) {
    const centred = sub(x, mean(x, -1, true));
    const scale = rsqrt(add(mean(square(centred), -1, true), epsilon));
    return add(mul(mul(centred, scale), gain), offset) as T;
  }
  const run = customGrad((...args) => {
    const [x, gain, offset, save] = args as unknown as [Tensor, Tensor, Tensor, (tensors: Tensor[]) => void];
    const [y, means, scales] = runFusedMany(LAYER_NORM_FORWARD, { x, gain, offset }, { epsilon }) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    save([x, gain, means, scales]);
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [x, gain, means, scales] = [0, 1, 2, 3].map((i) => nth(saved, i)) as [Tensor, Tensor, Tensor, Tensor];
      return runFusedMany(LAYER_NORM_BACKWARD, { x, gain, means, scales, dy });
    };
    return { value: y, gradFunc };
  });
  return run(x, gain, offset) as T;
}

const forward: Kernel = {
  name: LAYER_NORM_FORWARD,
  added: true,
  run(call) {
    const [x, gain, offset] = [input(call, "x"), input(call, "gain"), input(call, "offset")];
    const width = x.shape.at(-1) ?? 1;
    const rows = sizeOf(x.shape.slice(0, -1));
    const y = allocate(call.backend, x.shape);
    const means = allocate(call.backend, [rows]);
    const scales = allocate(call.backend, [rows]);
    const addresses = addressesOf(call, x, gain, offset, y, means, scales);
    call.assembly.run(LAYER_NORM, rows, SHARED_ELEMENTS / width, ...addresses, width, Number(call.attrs["epsilon"]));
    return [y, means, scales];
  },
};

const backward: Kernel = {
  name: LAYER_NORM_BACKWARD,
  added: true,
  run(call) {
    const [x, gain, dy] = [input(call, "x"), input(call, "gain"), input(call, "dy")];
    const width = x.shape.at(-1) ?? 1;
    const rows = sizeOf(x.shape.slice(0, -1));
    const size = Math.max(1, Math.ceil(rows / BLOCKS));
    const blocks = Math.ceil(rows / size);
    const dx = allocate(call.backend, x.shape);
    const partials = [0, 1].map(() => allocate(call.backend, [blocks, width]));
    const addresses = addressesOf(call, x, gain, dy, input(call, "means"), input(call, "scales"), dx, ...partials);
    const grain = SHARED_ELEMENTS / (size * width);
    call.assembly.run(LAYER_NORM_GRADIENT, blocks, grain, ...addresses, rows, width, size);
    const [dGain, dOffset] = partials.map((partial) => {
      const total = allocate(call.backend, [width]);
      call.assembly.run(
        COLUMN_SUMS,
        Math.ceil(width / 4),
        width,
        ...addressesOf(call, partial, total),
        blocks,
        width,
        1,
      );
      call.backend.disposeData(partial.dataId);
      return total;
    }) as [TensorInfo, TensorInfo];
    return [dx, dGain, dOffset];
  },
};

export const layerNormOperation: FusedOperation = { kernels: [forward, backward] };
