import { adamWStep, type Moments, zeroMoments } from "@l0gm/backend";
import type * as tf from "@tensorflow/tfjs-core";
import { ConfigError } from "../errors.ts";
import type { Parameter } from "../model/encoder.ts";

/** Options of {@link AdamW}. */
export interface AdamWOptions {
  /** Decay of the first moment. @defaultValue 0.9 */
  readonly beta1?: number;
  /** Decay of the second moment. @defaultValue 0.999 */
  readonly beta2?: number;
  /** Added to the root of the second moment. @defaultValue 1e-8 */
  readonly epsilon?: number;
  /** Decoupled weight decay: a step subtracts `learningRate * decay * weight` where the parameter decays. @defaultValue 0 */
  readonly decay?: number;
}

/**
 * Fills in the defaults.
 *
 * @throws ConfigError when an option is out of range
 */
export function adamWOptions(options: AdamWOptions): Required<AdamWOptions> {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0 } = options;
  const full = { beta1, beta2, epsilon, decay };
  const fraction = (x: number): boolean => x >= 0 && x < 1;
  if (!fraction(beta1) || !fraction(beta2) || !(epsilon > 0) || !(decay >= 0)) {
    throw new ConfigError({
      where: "AdamW",
      expected: "beta1 and beta2 in [0, 1), epsilon > 0, decay >= 0",
      received: full,
    });
  }
  return full;
}

interface Slot {
  readonly parameter: Parameter;
  readonly moments: Moments;
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019, arXiv:1711.05101) on parameters of which some decay. The
 * learning rate comes with every step, and the moments can be read and set by name, so that a resumed run goes on as if it had never
 * stopped. The step itself is the backend's.
 */
export class AdamW {
  readonly #slots: readonly Slot[];
  readonly #options: Required<AdamWOptions>;
  /** Steps taken. */
  steps = 0;

  /** @throws ConfigError when an option is out of range */
  constructor(parameters: readonly Parameter[], options: AdamWOptions = {}) {
    this.#options = adamWOptions(options);
    this.#slots = parameters.map((parameter) => ({
      parameter,
      moments: zeroMoments(parameter.variable),
    }));
  }

  /** Both moments of every parameter, under names of their own. */
  get moments(): readonly Pick<Parameter, "name" | "variable">[] {
    return this.#slots.flatMap(({ parameter: { name }, moments: { mean, square } }) => [
      { name: `${name}/first-moment`, variable: mean },
      { name: `${name}/second-moment`, variable: square },
    ]);
  }

  /**
   * @param gradients - one a parameter, in the parameters' order, undefined where there is none; they stay the caller's
   * @param scale - factor on every gradient, for clipping
   */
  step(gradients: readonly (tf.Tensor | undefined)[], learningRate: number, scale = 1): void {
    const { decay, ...options } = this.#options;
    this.steps++;
    this.#slots.forEach(({ parameter: { variable, decay: decays, rate = 1 }, moments }, i) => {
      const gradient = gradients[i];
      if (gradient === undefined) return;
      const weightDecay = decays ? decay : 0;
      const settings = { ...options, learningRate: rate * learningRate, weightDecay, step: this.steps, scale };
      adamWStep(variable, gradient, moments, settings);
    });
  }

  /** Frees the moments. */
  dispose(): void {
    for (const { variable } of this.moments) variable.dispose();
  }
}
