import {
  backend as activeBackend,
  add,
  div,
  engine,
  mul,
  type NamedTensorMap,
  Optimizer,
  scalar,
  slice,
  sqrt,
  square,
  sub,
  type Tensor,
  tidy,
  type Variable,
  variable,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { assemblyOf } from "../kernels/assembly.ts";
import { SHARED_ELEMENTS } from "../kernels/map.ts";
import { addressOf, renew, type WasmBackend } from "../kernels/memory.ts";
import { ADAM } from "../kernels/tasks.ts";
import { FUSED_PRODUCT } from "./dense.ts";
import { canFuse, requireShape, runFused } from "./fused.ts";

/** The kernel of a moment's step, for backends that do not compute in place. */
export const ADAM_MOMENT = "L0gmAdamMoment";
/** The kernel of a variable's step, for the same. */
export const ADAM_UPDATE = "L0gmAdamUpdate";

/** Settings of {@link AdamW}. */
export interface AdamWOptions {
  /** Default 0.001. */
  readonly learningRate?: number;
  /** Decay of the gradient's mean; default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of its square; default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Each step first multiplies a variable by `1 - learningRate * weightDecay`; default 0, which is Adam. */
  readonly weightDecay?: number;
  /** Which variables decay, by name; default all. */
  readonly decays?: (name: string) => boolean;
}

/** What Adam remembers of a variable: the means of its gradient and of the gradient's square, both 0 at first. */
export interface Moments {
  readonly mean: Variable;
  readonly square: Variable;
}

/** Moments of 0 for a variable; the caller's. */
export function zeroMoments(value: Variable): Moments {
  const zeros = (): Variable => tidy(() => variable(zerosLike(value), false));
  return { mean: zeros(), square: zeros() };
}

/** Settings of {@link adamWStep}. */
export interface AdamWStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Number of the step, from 1. */
  readonly step: number;
  /** Factor on the gradient, as clipping wants it; default 1. */
  readonly scale?: number;
}

/**
 * One step of Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter, 2019) on one variable: the formula behind
 * {@link AdamW}, for optimizers that keep their state in another way. On our kernels all is read and written once, in place; where other
 * tensors share the data, as clones kept for early stopping do, they are copied first.
 *
 * @param value - changed, as are the moments
 * @throws BackendError when the gradient has another size than the variable
 */
export function adamWStep(value: Variable, gradient: Tensor, { mean, square: squares }: Moments, by: AdamWStep): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step, scale = 1 } = by;
  requireShape("adamWStep", gradient.size === value.size, "a gradient of the variable's shape", gradient, value);
  const keep = 1 - learningRate * weightDecay;
  const [rest1, rest2] = [(1 - beta1) * scale, (1 - beta2) * scale * scale];
  // The moments' corrections for their start at 0 move into the rate and the root's factor.
  const rate = learningRate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  if (canFuse(FUSED_PRODUCT, value, gradient)) {
    const backend = activeBackend() as unknown as WasmBackend;
    const written = [value, mean, squares];
    for (const tensor of written) own(backend, tensor);
    const [p, m, v] = written.map((tensor) => addressOf(backend, tensor)) as [number, number, number];
    const g = addressOf(backend, gradient);
    const settings = [beta1, rest1, beta2, rest2, keep, rate, correction, epsilon];
    assemblyOf(backend).run(ADAM, value.size, SHARED_ELEMENTS, p, g, m, v, ...settings);
    renew(backend, value);
    return;
  }
  if (canFuse(ADAM_MOMENT, value, gradient)) {
    tidy(() => {
      const moments = { decay: beta1, rest: rest1, squared: 0 };
      mean.assign(runFused(ADAM_MOMENT, { moment: mean, gradient }, moments));
      const ofSquares = { decay: beta2, rest: rest2, squared: 1 };
      squares.assign(runFused(ADAM_MOMENT, { moment: squares, gradient }, ofSquares));
      const settings = { keep, rate, correction, epsilon };
      value.assign(runFused(ADAM_UPDATE, { weight: value, mean, squares }, settings));
    });
    return;
  }
  tidy(() => {
    mean.assign(add(mul(mean, beta1), mul(gradient, rest1)));
    squares.assign(add(mul(squares, beta2), mul(square(gradient), rest2)));
    const divisor = add(mul(sqrt(squares), correction), epsilon);
    value.assign(sub(mul(value, keep), div(mul(mean, rate), divisor)));
  });
}

/**
 * Adam with decoupled weight decay as an optimizer of TensorFlow.js: {@link adamWStep} on each variable.
 *
 * @example
 * ```ts
 * import { AdamW } from "@l0gm/backend";
 * import { mean, scalar, square, sub, variable } from "@tensorflow/tfjs-core";
 *
 * const x = variable(scalar(0));
 * const optimizer = new AdamW({ learningRate: 0.1 });
 * for (let step = 0; step < 100; step++) optimizer.minimize(() => mean(square(sub(x, 3))));
 * optimizer.dispose();
 * ```
 */
export class AdamW extends Optimizer {
  static readonly className = "AdamW";
  /** May be changed between steps. */
  learningRate: number;
  readonly #options: Required<Omit<AdamWOptions, "learningRate">>;
  readonly #moments = new Map<string, Moments>();

  /** @throws BackendError when a setting is out of range */
  constructor(options: AdamWOptions = {}) {
    super();
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
    const { decays = () => true } = options;
    const holds =
      learningRate >= 0 && beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon >= 0 && weightDecay >= 0;
    if (!holds) {
      const expected = "betas in [0, 1) and no negative setting";
      throw new BackendError({ where: "AdamW", expected, received: options });
    }
    this.learningRate = learningRate;
    this.#options = { beta1, beta2, epsilon, weightDecay, decays };
  }

  override applyGradients(variableGradients: NamedTensorMap | { name: string; tensor: Tensor }[]): void {
    const gradients = Array.isArray(variableGradients)
      ? variableGradients.map(({ name, tensor }) => [name, tensor] as const)
      : Object.entries(variableGradients);
    this.incrementIterations();
    for (const [name, gradient] of gradients) {
      const value = engine().registeredVariables[name];
      if (value === undefined || gradient === null || gradient === undefined) continue;
      const { decays, weightDecay, ...rest } = this.#options;
      adamWStep(value, gradient, this.#momentsOf(name, value), {
        ...rest,
        weightDecay: decays(name) ? weightDecay : 0,
        learningRate: this.learningRate,
        step: this.iterations,
      });
    }
  }

  #momentsOf(name: string, value: Variable): Moments {
    const known = this.#moments.get(name);
    if (known !== undefined) return known;
    const made = zeroMoments(value);
    this.#moments.set(name, made);
    return made;
  }

  /** The state: the number of steps, then all means, then all means of squares, in the order in which the variables came. */
  override async getWeights(): Promise<{ name: string; tensor: Tensor }[]> {
    const all = [...this.#moments];
    return [
      await this.saveIterations(),
      ...all.map(([name, { mean }]) => ({ name: `${name}/mean`, tensor: mean })),
      ...all.map(([name, { square }]) => ({ name: `${name}/square`, tensor: square })),
    ];
  }

  /** Takes up the state of {@link getWeights}. */
  override async setWeights(weights: { name: string; tensor: Tensor }[]): Promise<void> {
    const rest = await this.extractIterations(weights);
    this.#disposeMoments();
    const count = rest.length / 2;
    rest.slice(0, count).forEach(({ name, tensor }, i) => {
      const other = rest[count + i];
      if (other === undefined) return;
      const moments = { mean: variable(tensor, false), square: variable(other.tensor, false) };
      this.#moments.set(name.replace(/\/mean$/, ""), moments);
    });
  }

  override getConfig(): { [key: string]: number } {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    return { learningRate: this.learningRate, beta1, beta2, epsilon, weightDecay };
  }

  override dispose(): void {
    super.dispose();
    this.#disposeMoments();
  }

  #disposeMoments(): void {
    for (const { mean, square } of this.#moments.values()) {
      mean.dispose();
      square.dispose();
    }
    this.#moments.clear();
  }
}

/** Gives a variable data of its own where it shares them, so that they can be changed in place. */
function own(backend: WasmBackend, value: Variable): void {
  if (backend.dataIdMap.get(value.dataId).refCount === 1) return;
  const copy =
    value.rank === 0
      ? add(value, scalar(0))
      : slice(
          value,
          value.shape.map(() => 0),
        );
  value.assign(copy);
  copy.dispose();
}
