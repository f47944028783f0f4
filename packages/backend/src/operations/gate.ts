import {
  add,
  clipByValue,
  div,
  type GradConfig,
  log,
  mean,
  mul,
  type Scalar,
  sigmoid,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { allocate, wordOffset } from "../kernels/memory.ts";
import { GATE, MULTIPLY_ROWS, PRODUCT_SUMS } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFusedMany } from "./fused.ts";

const FORWARD = "L0gmGate";
const BACKWARD = "L0gmGateGradient";

/** Elements that are worth a second thread. */
const SHARED_ELEMENTS = 8192;

/** The constants of a hard-concrete gate; their defaults are those of Louizos et al. */
export interface GateConstants {
  /** beta; default 2/3. */
  readonly temperature?: number;
  /** Default -0.1. */
  readonly gamma?: number;
  /** Default 1.1. */
  readonly zeta?: number;
}

/** What {@link hardConcreteGate} gives; both are the caller's. */
export interface Gated {
  /** x times the sampled gates, of x's shape. */
  readonly output: Tensor2D;
  /** The expected active fraction: the mean probability that a gate is not 0. */
  readonly penalty: Scalar;
}

/**
 * Multiplies features with hard-concrete gates (Louizos, Welling and Kingma, ICLR 2018) and gives the penalty on them:
 * `z = clip(sigmoid((log u - log(1 - u) + logAlpha) / beta) (zeta - gamma) + gamma, 0, 1)`,
 * `penalty = mean(sigmoid(logAlpha - beta log(-gamma / zeta)))`. The noise has no gradient.
 *
 * @param x - `[rows, width]`
 * @param logAlpha - `[width]`
 * @param u - uniform noise in (0, 1): `[width]` for gates that all rows share, or `[rows, width]`
 * @throws BackendError when the shapes do not fit
 *
 * @example
 * ```ts
 * import { hardConcreteGate, randomUniform } from "@l0gm/backend";
 * import { ones, zeros } from "@tensorflow/tfjs-core";
 *
 * const u = randomUniform([64], [7, "gate", 0], 1e-6, 1 - 1e-6);
 * const { output, penalty } = hardConcreteGate(ones([32, 64]), zeros([64]), u); // penalty 0.83
 * ```
 */
export function hardConcreteGate(x: Tensor2D, logAlpha: Tensor1D, u: Tensor, constants: GateConstants = {}): Gated {
  const { temperature = 2 / 3, gamma = -0.1, zeta = 1.1 } = constants;
  const [rows, width] = x.shape;
  const noise = u.size === width || (u.rank === 2 && u.shape[0] === rows && u.shape[1] === width);
  const expected = "x [rows, width], log alpha [width] and noise [width] or [rows, width]";
  requireShape("hardConcreteGate", x.rank === 2 && logAlpha.size === width && noise, expected, x, logAlpha, u);
  const shift = temperature * Math.log(-gamma / zeta);
  if (canFuse(FORWARD, x, logAlpha, u)) {
    const [output, penalty] = runFusedMany(FORWARD, { x, logAlpha, u }, { temperature, gamma, zeta, shift });
    return { output: output as Tensor2D, penalty: penalty as Scalar };
  }
  const s = sigmoid(div(add(sub(log(u), log(sub(1, u))), logAlpha), temperature));
  const z = clipByValue(add(mul(s, zeta - gamma), gamma), 0, 1);
  return { output: mul(x, z), penalty: mean(sigmoid(sub(logAlpha, shift))) };
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const { backend, assembly } = call;
    const [x, logAlpha, u] = [input(call, "x"), input(call, "logAlpha"), input(call, "u")];
    const [rows, width] = x.shape as [number, number];
    const samples = u.shape.length === 2 ? (u.shape[0] ?? 1) : 1;
    const [output, penalty] = [allocate(backend, x.shape), allocate(backend, [])];
    const [z, slope] = [allocate(backend, u.shape), allocate(backend, u.shape)];
    const { temperature, gamma, zeta, shift } = call.attrs as Record<string, number>;
    const constants = [temperature, gamma, zeta].map(Number);
    const grain = SHARED_ELEMENTS / width;
    assembly.run(GATE, samples, grain, ...addressesOf(call, logAlpha, u, z, slope), width, ...constants);
    assembly.run(MULTIPLY_ROWS, rows, grain, ...addressesOf(call, x, z, output), width, samples === 1 ? 1 : 0);
    const { HEAPF32 } = backend.wasm;
    const start = wordOffset(backend, logAlpha);
    let total = 0;
    for (let j = 0; j < width; j++) total += 1 / (1 + Math.exp(Number(shift) - (HEAPF32[start + j] as number)));
    HEAPF32[wordOffset(backend, penalty)] = total / width;
    return [output, penalty, z, slope];
  },
};

/** dx, and dlogAlpha from both the output and the penalty. */
const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const { backend, assembly } = call;
    const [x, logAlpha, z, slope] = [input(call, "x"), input(call, "logAlpha"), input(call, "z"), input(call, "slope")];
    const [dy, dPenalty] = [input(call, "dy"), input(call, "dPenalty")];
    const [rows, width] = x.shape as [number, number];
    const shared = z.shape.length !== 2 || z.shape[0] === 1;
    const [dx, dLogAlpha] = [allocate(backend, x.shape), allocate(backend, [width])];
    const grain = SHARED_ELEMENTS / width;
    assembly.run(MULTIPLY_ROWS, rows, grain, ...addressesOf(call, dy, z, dx), width, shared ? 1 : 0);
    const [from = 0, by = 0, steep = 0, to = 0] = addressesOf(call, dy, x, slope, dLogAlpha);
    const quads = Math.ceil(width / 4);
    assembly.run(PRODUCT_SUMS, quads, SHARED_ELEMENTS / rows, from, by, shared ? 0 : steep, to, rows, width);
    const { HEAPF32 } = backend.wasm;
    const [out, alpha, factor] = [dLogAlpha, logAlpha, slope].map((tensor) => wordOffset(backend, tensor));
    const scale = (HEAPF32[wordOffset(backend, dPenalty)] as number) / width;
    const shift = Number(call.attrs["shift"]);
    for (let j = 0; j < width; j++) {
      const sum = HEAPF32[(out ?? 0) + j] as number;
      const open = 1 / (1 + Math.exp(shift - (HEAPF32[(alpha ?? 0) + j] as number)));
      const sampled = shared ? sum * (HEAPF32[(factor ?? 0) + j] as number) : sum;
      HEAPF32[(out ?? 0) + j] = sampled + scale * open * (1 - open);
    }
    return [dx, dLogAlpha];
  },
};

const gradient: GradConfig = {
  kernelName: FORWARD,
  inputsToSave: ["x", "logAlpha"],
  outputsToSave: [false, false, true, true],
  gradFunc(dys, saved, attrs) {
    const [x, logAlpha, z, slope] = [0, 1, 2, 3].map((i) => nth(saved, i)) as [Tensor, Tensor, Tensor, Tensor];
    const [dy, dPenalty] = dys as Tensor[] as [Tensor, Tensor];
    const [dx, dLogAlpha] = runFusedMany(BACKWARD, { x, logAlpha, z, slope, dy, dPenalty }, attrs);
    return { x: () => dx as Tensor, logAlpha: () => dLogAlpha as Tensor, u: () => zerosLike(z) };
  },
};

export const gateOperation: FusedOperation = { kernels: [forward, backward], gradient };
