/**
 * The hard-concrete distribution of Louizos, Welling and Kingma (ICLR 2018, arXiv:1712.01312) as pure operations: noise comes in
 * as an argument, nothing is kept. Tensor forms are differentiable; the forms on numbers serve freezing and reporting.
 */

import { sampleHardConcrete } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { ConfigError } from "../errors.ts";

/** Constants of the distribution. */
export interface HardConcreteParams {
  /** Gate temperature beta, above 0. @defaultValue 2/3 */
  readonly temperature?: number;
  /** Lower stretch limit, below 0. @defaultValue -0.1 */
  readonly gamma?: number;
  /** Upper stretch limit, above 1. @defaultValue 1.1 */
  readonly zeta?: number;
}

/** Which deterministic value stands for a gate at evaluation. */
export type EvaluationRule = "mean" | "median";

/** log alpha is kept within ±10: P(z != 0) from 2e-5 to 0.99999, wide enough for 1 dimension of thousands. */
export const LOG_ALPHA_LIMIT = 10;

/** Gate noise is drawn from [1e-6, 1 - 1e-6]; anything closer to 1 is 1 in float32 and its logit infinite. */
export const NOISE_MARGIN = 1e-6;

const DEFAULTS: Required<HardConcreteParams> = { temperature: 2 / 3, gamma: -0.1, zeta: 1.1 };

/**
 * Fills in the defaults.
 *
 * @throws ConfigError unless temperature > 0, gamma < 0 and zeta > 1
 */
export function hardConcreteParams(params: HardConcreteParams = {}): Required<HardConcreteParams> {
  const full = { ...DEFAULTS, ...params };
  const { temperature, gamma, zeta } = full;
  if (!(temperature > 0 && gamma < 0 && zeta > 1 && Number.isFinite(temperature + gamma + zeta))) {
    throw new ConfigError({
      where: "hard-concrete gate",
      expected: "temperature > 0, gamma < 0, zeta > 1",
      received: full,
    });
  }
  return full;
}

/**
 * One sample of each gate: `clip(sigmoid((ln u - ln(1-u) + logAlpha) / beta) * (zeta - gamma) + gamma, 0, 1)`.
 *
 * @param logAlpha - `[gates]`
 * @param u - uniform noise in (0, 1), any shape that broadcasts with `logAlpha`: `[gates]` for a batch, `[rows, gates]` for rows
 * @returns gate values in [0, 1] of the broadcast shape, the caller's to dispose
 * @throws ConfigError when `params` are out of range
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * await useBackend("cpu");
 * const z = sampleGate(tf.tensor1d([-10, 0, 10]), tf.tensor1d([0.5, 0.5, 0.5]));
 * console.log(await z.data()); // 0, 0.5, 1
 * ```
 */
export function sampleGate(logAlpha: tf.Tensor, u: tf.Tensor, params?: HardConcreteParams): tf.Tensor {
  const full = hardConcreteParams(params);
  return tf.tidy(() => sampleHardConcrete(logAlpha, u, full));
}

/**
 * The value that stands for a gate at evaluation.
 *
 * - `"mean"` (Louizos et al. 2018): `clip(sigmoid(logAlpha) * (zeta - gamma) + gamma, 0, 1)`, zero where P(z != 0) < 0.310
 * - `"median"` (Gallego-Posada et al. 2022): the same with `logAlpha / beta`, zero where P(z != 0) < 0.5
 *
 * @param logAlpha - any shape
 * @returns values in [0, 1] of the same shape, the caller's to dispose
 * @throws ConfigError when `params` are out of range
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * await useBackend("cpu");
 * console.log(await deterministicGate(tf.tensor1d([-3, 0, 3]), {}, "median").data());
 * ```
 */
export function deterministicGate(
  logAlpha: tf.Tensor,
  params?: HardConcreteParams,
  rule: EvaluationRule = "mean",
): tf.Tensor {
  const { temperature, gamma, zeta } = hardConcreteParams(params);
  return tf.tidy(() => {
    const s = tf.sigmoid(rule === "mean" ? logAlpha : tf.div(logAlpha, temperature));
    return tf.clipByValue(tf.add(tf.mul(s, zeta - gamma), gamma), 0, 1);
  });
}

/**
 * P(z != 0) = sigmoid(logAlpha - beta * ln(-gamma / zeta)).
 *
 * @param logAlpha - any shape
 * @returns probabilities of the same shape, the caller's to dispose
 * @throws ConfigError when `params` are out of range
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * await useBackend("cpu");
 * console.log(await openProbability(tf.tensor1d([0])).data()); // 0.832
 * ```
 */
export function openProbability(logAlpha: tf.Tensor, params?: HardConcreteParams): tf.Tensor {
  const shift = openShift(hardConcreteParams(params));
  return tf.tidy(() => tf.sigmoid(tf.sub(logAlpha, shift)));
}

/**
 * Expected number of open gates: the sum of {@link openProbability}. Divide by the number of gates for the expected active fraction.
 *
 * @param logAlpha - any shape
 * @returns a scalar, the caller's to dispose
 * @throws ConfigError when `params` are out of range
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * await useBackend("cpu");
 * console.log((await expectedL0(tf.tensor1d([-10, 10, 10])).data())[0]); // 2.00
 * ```
 */
export function expectedL0(logAlpha: tf.Tensor, params?: HardConcreteParams): tf.Scalar {
  return tf.tidy(() => tf.sum(openProbability(logAlpha, params)) as tf.Scalar);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

function openShift({ temperature, gamma, zeta }: Required<HardConcreteParams>): number {
  return temperature * Math.log(-gamma / zeta);
}

/** {@link deterministicGate} of one log alpha, in Float64. */
export function gateValue(logAlpha: number, params?: HardConcreteParams, rule: EvaluationRule = "mean"): number {
  const { temperature, gamma, zeta } = hardConcreteParams(params);
  const s = sigmoid(rule === "mean" ? logAlpha : logAlpha / temperature);
  return Math.min(1, Math.max(0, s * (zeta - gamma) + gamma));
}

/** {@link openProbability} of one log alpha, in Float64. */
export function openProbabilityOf(logAlpha: number, params?: HardConcreteParams): number {
  return sigmoid(logAlpha - openShift(hardConcreteParams(params)));
}

/** P(z = 1) = sigmoid(logAlpha - beta * ln((1 - gamma) / (zeta - 1))) of one log alpha, in Float64. */
export function saturatedProbabilityOf(logAlpha: number, params?: HardConcreteParams): number {
  const { temperature, gamma, zeta } = hardConcreteParams(params);
  return sigmoid(logAlpha - temperature * Math.log((1 - gamma) / (zeta - 1)));
}

/**
 * The log alpha at which a gate is open with probability `open`: the inverse of {@link openProbabilityOf}.
 *
 * @throws ConfigError unless 0 < open < 1
 */
export function logAlphaFor(open: number, params?: HardConcreteParams): number {
  if (!(open > 0 && open < 1)) {
    throw new ConfigError({
      where: "logAlphaFor",
      expected: "an open probability strictly between 0 and 1",
      received: open,
    });
  }
  return Math.log(open / (1 - open)) + openShift(hardConcreteParams(params));
}
