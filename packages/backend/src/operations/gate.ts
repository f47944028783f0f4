import {
  add,
  cast,
  clipByValue,
  div,
  type GradConfig,
  greater,
  less,
  log,
  mean,
  mul,
  relu,
  type Scalar,
  sigmoid,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type TensorInfo,
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

/** Settings of {@link hardConcreteGate}. */
export interface GateSettings extends GateConstants {
  /** `[width]`: where it is not negative, the gate is a constant of that value. By default all gates are sampled. */
  readonly fixed?: Tensor1D;
  /** `[width]`: weight of each gate in the penalty; by default `1 / width`. */
  readonly shares?: Tensor1D;
}

/** What {@link hardConcreteGate} gives; both are the caller's. */
export interface Gated {
  /** x times the gates, of x's shape. */
  readonly output: Tensor2D;
  /** The expected active fraction: the mean probability that a gate is not 0. */
  readonly penalty: Scalar;
}

/**
 * Samples hard-concrete gates (Louizos, Welling and Kingma, ICLR 2018) by plain operations:
 * `z = clip(sigmoid((log u - log(1 - u) + logAlpha) / beta) (zeta - gamma) + gamma, 0, 1)`.
 *
 * @param u - uniform noise in (0, 1), of a shape that broadcasts with logAlpha's
 * @returns gate values, the caller's; a tidy has to be around it
 */
export function sampleHardConcrete(logAlpha: Tensor, u: Tensor, constants: GateConstants = {}): Tensor {
  const { temperature = 2 / 3, gamma = -0.1, zeta = 1.1 } = constants;
  const s = sigmoid(div(add(sub(log(u), log(sub(1, u))), logAlpha), temperature));
  return clipByValue(add(mul(s, zeta - gamma), gamma), 0, 1);
}

/**
 * Multiplies features with hard-concrete gates, as {@link sampleHardConcrete} samples them, and gives the penalty on them:
 * `penalty = mean(sigmoid(logAlpha - beta log(-gamma / zeta)))`. A gate that is fixed counts as 0 or 1. Noise, fixed values and shares have
 * no gradient.
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
export function hardConcreteGate(x: Tensor2D, logAlpha: Tensor1D, u: Tensor, settings: GateSettings = {}): Gated {
  const { temperature = 2 / 3, gamma = -0.1, zeta = 1.1, fixed, shares } = settings;
  const [rows, width] = x.shape;
  const noise = u.size === width || (u.rank === 2 && u.shape[0] === rows && u.shape[1] === width);
  const optional = { ...(fixed === undefined ? {} : { fixed }), ...(shares === undefined ? {} : { shares }) };
  const perGate = [logAlpha, ...Object.values(optional)];
  const expected = "x [rows, width], noise [width] or [rows, width], and log alpha, fixed values and shares [width]";
  const fits = x.rank === 2 && noise && perGate.every(({ size }) => size === width);
  requireShape("hardConcreteGate", fits, expected, x, u, ...perGate);
  const shift = temperature * Math.log(-gamma / zeta);
  if (canFuse(FORWARD, x, u, ...perGate)) {
    const attrs = { temperature, gamma, zeta, shift };
    const [output, penalty] = runFusedMany(FORWARD, { x, logAlpha, u, ...optional }, attrs);
    return { output: output as Tensor2D, penalty: penalty as Scalar };
  }
  let z = sampleHardConcrete(logAlpha, u, { temperature, gamma, zeta });
  let open = sigmoid(sub(logAlpha, shift));
  if (fixed !== undefined) {
    const live = cast(less(fixed, 0), "float32");
    z = add(mul(z, live), relu(fixed));
    open = add(mul(open, live), cast(greater(fixed, 0), "float32"));
  }
  return { output: mul(x, z), penalty: shares === undefined ? mean(open) : sum(mul(open, shares)) };
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const { backend, assembly } = call;
    const [x, logAlpha, u] = [input(call, "x"), input(call, "logAlpha"), input(call, "u")];
    const { fixed, shares } = call.inputs;
    const [rows, width] = x.shape as [number, number];
    const samples = u.shape.length === 2 ? (u.shape[0] ?? 1) : 1;
    const [output, penalty] = [allocate(backend, x.shape), allocate(backend, [])];
    const [z, slope, steepness] = [allocate(backend, u.shape), allocate(backend, u.shape), allocate(backend, [width])];
    const constants = ["temperature", "gamma", "zeta"].map((key) => Number(call.attrs[key]));
    const shift = Number(call.attrs["shift"]);
    const grain = SHARED_ELEMENTS / width;
    const [constant = 0] = fixed === undefined ? [] : addressesOf(call, fixed);
    assembly.run(GATE, samples, grain, ...addressesOf(call, logAlpha, u, z, slope), constant, width, ...constants);
    assembly.run(MULTIPLY_ROWS, rows, grain, ...addressesOf(call, x, z, output), width, samples === 1 ? 1 : 0);
    const { HEAPF32 } = backend.wasm;
    const [alpha, steep] = [wordOffset(backend, logAlpha), wordOffset(backend, steepness)];
    const read = (tensor: TensorInfo | undefined, otherwise: number): ((j: number) => number) => {
      if (tensor === undefined) return () => otherwise;
      const start = wordOffset(backend, tensor);
      return (j) => HEAPF32[start + j] as number;
    };
    const [fixedAt, shareAt] = [read(fixed, -1), read(shares, 1 / width)];
    let total = 0;
    for (let j = 0; j < width; j++) {
      const open = 1 / (1 + Math.exp(shift - (HEAPF32[alpha + j] as number)));
      const live = fixedAt(j) < 0;
      total += shareAt(j) * (live ? open : Number(fixedAt(j) > 0));
      HEAPF32[steep + j] = live ? shareAt(j) * open * (1 - open) : 0;
    }
    HEAPF32[wordOffset(backend, penalty)] = total;
    return [output, penalty, z, slope, steepness];
  },
};

/** dx, and dlogAlpha from both the output and the penalty. */
const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const [x, z, slope, steepness] = [
      input(call, "x"),
      input(call, "z"),
      input(call, "slope"),
      input(call, "steepness"),
    ];
    const [dy, dPenalty] = [input(call, "dy"), input(call, "dPenalty")];
    const [rows, width] = x.shape as [number, number];
    const shared = z.shape.length !== 2 || z.shape[0] === 1;
    const [dx, dLogAlpha] = [allocate(call.backend, x.shape), allocate(call.backend, [width])];
    const grain = SHARED_ELEMENTS / width;
    call.assembly.run(MULTIPLY_ROWS, rows, grain, ...addressesOf(call, dy, z, dx), width, shared ? 1 : 0);
    const [from = 0, by = 0, steep = 0, to = 0] = addressesOf(call, dy, x, slope, dLogAlpha);
    const quads = Math.ceil(width / 4);
    call.assembly.run(PRODUCT_SUMS, quads, SHARED_ELEMENTS / rows, from, by, shared ? 0 : steep, to, rows, width);
    const { HEAPF32 } = call.backend.wasm;
    const offsets = [dLogAlpha, steepness, slope].map((tensor) => wordOffset(call.backend, tensor));
    const [out, penalised, factor] = offsets as [number, number, number];
    const scale = HEAPF32[wordOffset(call.backend, dPenalty)] as number;
    for (let j = 0; j < width; j++) {
      const sum = HEAPF32[out + j] as number;
      const sampled = shared ? sum * (HEAPF32[factor + j] as number) : sum;
      HEAPF32[out + j] = sampled + scale * (HEAPF32[penalised + j] as number);
    }
    return [dx, dLogAlpha];
  },
};

const gradient: GradConfig = {
  kernelName: FORWARD,
  inputsToSave: ["x"],
  outputsToSave: [false, false, true, true, true],
  gradFunc(dys, saved) {
    const [x, z, slope, steepness] = [0, 1, 2, 3].map((i) => nth(saved, i)) as [Tensor, Tensor, Tensor, Tensor];
    const [dy, dPenalty] = dys as Tensor[] as [Tensor, Tensor];
    const [dx, dLogAlpha] = runFusedMany(BACKWARD, { x, z, slope, steepness, dy, dPenalty });
    const none = (): Tensor => zerosLike(steepness);
    return {
      x: () => dx as Tensor,
      logAlpha: () => dLogAlpha as Tensor,
      u: () => zerosLike(z),
      fixed: none,
      shares: none,
    };
  },
};

export const gateOperation: FusedOperation = { kernels: [forward, backward], gradient };
