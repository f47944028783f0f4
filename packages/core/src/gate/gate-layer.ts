import { hardConcreteGate, randomUniform } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { initializers, type LayerVariable, layers, type Shape } from "@tensorflow/tfjs-layers";
import { ConfigError, ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import { frozenValues, type GateState, gatesOpenByRule, LIVE } from "./budget.ts";
import {
  deterministicGate,
  type EvaluationRule,
  type HardConcreteParams,
  hardConcreteParams,
  logAlphaFor,
  NOISE_MARGIN,
  openProbability,
  sampleGate,
} from "./hard-concrete.ts";

/** Options of {@link HardConcreteGate}. */
export interface GateOptions extends HardConcreteParams {
  /** Initial P(z != 0) of every gate. @defaultValue 0.9 */
  readonly initialOpen?: number;
  /** One noise vector a batch, or one a row. @defaultValue "batch" */
  readonly noise?: "batch" | "row";
  /** Value of a gate at evaluation. @defaultValue "mean" */
  readonly rule?: EvaluationRule;
  /**
   * The gate of each dimension, `[d]` with values 0 to gates - 1: dimensions of one group open and close together.
   * @defaultValue one gate a dimension
   */
  readonly groups?: readonly number[];
  /** Weight of each gate in the penalty, `[gates]`. @defaultValue the gate's number of dimensions */
  readonly costs?: readonly number[];
  /** Weight of the expected active fraction in the loss that `model.fit` of tf.layers sees. @defaultValue 0 */
  readonly penalty?: number;
  /** Seed of initial values and of the noise that the layer draws by itself. @defaultValue 0 */
  readonly seed?: number;
  readonly name?: string;
}

/** What every layer of tf.layers takes: `inputShape` where the gate is a model's first layer, `trainable`, and the like. */
type LayerOptions = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

const PARAMS = ["temperature", "gamma", "zeta"] as const satisfies readonly (keyof GateOptions)[];
const OPTIONS = [
  ...PARAMS,
  "initialOpen",
  "noise",
  "rule",
  "groups",
  "costs",
  "penalty",
  "seed",
  "name",
] as const satisfies readonly (keyof GateOptions)[];

/** The largest open probability after thawing: open beyond doubt, yet with a gradient. */
const THAWED_OPEN = 0.99;

/**
 * Multiplies each column of `[rows, d]` by a hard-concrete gate. In training the gates are sampled, in evaluation they have their
 * deterministic values; once {@link HardConcreteGate.freeze | frozen} they are constants in both.
 *
 * The layer drops into `tf.sequential(...)`: `model.fit` adds `penalty` times the expected active fraction to the loss, and the
 * gate is saved and reloaded with its model. `fit` of this package uses the same layer under its own control of the penalty.
 *
 * @example
 * ```ts
 * import { layers, sequential } from "@tensorflow/tfjs-layers";
 * await useBackend("cpu");
 * const model = sequential({
 *   layers: [
 *     layers.dense({ units: 64, inputShape: [10] }),
 *     new HardConcreteGate({ penalty: 0.01, seed: 7 }),
 *     layers.dense({ units: 2, activation: "softmax" }),
 *   ],
 * });
 * model.compile({ optimizer: "adam", loss: "categoricalCrossentropy" });
 * ```
 */
export class HardConcreteGate extends layers.Layer {
  static readonly className = "HardConcreteGate";

  readonly params: Required<HardConcreteParams>;
  readonly noise: "batch" | "row";
  readonly rule: EvaluationRule;
  /** Weight of the expected active fraction in tf.layers' loss; may be changed during training, for example by a callback. */
  penalty: number;
  readonly #options: GateOptions;
  readonly #random: Random;
  #logAlpha: LayerVariable | undefined;
  #fixed: LayerVariable | undefined;
  /** `[gates]`, adds up to 1 */
  #shares: Float32Array = new Float32Array();
  #sizes: Int32Array = new Int32Array();
  /** `[gates, d]` with a 1 where a gate covers a dimension; spreads values without a gather, whose gradient stock wasm lacks. */
  #membership: Float32Array | undefined;

  /** @throws ConfigError when an option is out of range */
  constructor(options: GateOptions & LayerOptions = {}) {
    super(options);
    this.#options = pick(options, OPTIONS);
    this.params = hardConcreteParams(pick(options, PARAMS));
    this.noise = oneOf("noise", options.noise ?? "batch", ["batch", "row"]);
    this.rule = oneOf("rule", options.rule ?? "mean", ["mean", "median"]);
    this.penalty = options.penalty ?? 0;
    if (!(this.penalty >= 0 && this.penalty < Number.POSITIVE_INFINITY)) {
      throw new ConfigError({ where: "HardConcreteGate.penalty", expected: "a number >= 0", received: this.penalty });
    }
    this.#random = Random.from(options.seed ?? 0, "gate-layer");
    logAlphaFor(options.initialOpen ?? 0.9, this.params);
    this.supportsMasking = true;
  }

  /** Options from which an equal gate can be made; `penalty` as it is now. */
  get options(): GateOptions {
    return { ...this.#options, penalty: this.penalty };
  }

  /** Dimensions that the gates cover; the layer must be built. */
  get width(): number {
    return this.#sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Log alpha, `[gates]`. */
  get logAlpha(): tf.Variable {
    return readVariable(this.#logAlpha);
  }

  /** Fixed gate values, `[gates]`; -1 where a gate is still learned. */
  get fixed(): tf.Variable {
    return readVariable(this.#fixed);
  }

  override build(inputShape: Shape | Shape[]): void {
    const width = inputShape[inputShape.length - 1];
    if (typeof width !== "number" || width < 1) {
      throw new ShapeError({
        where: "HardConcreteGate",
        expected: "an input whose last axis is known",
        received: inputShape,
      });
    }
    const groups = this.#options.groups ?? Array.from({ length: width }, (_, i) => i);
    this.#sizes = groupSizes(groups, width);
    const gates = this.#sizes.length;
    this.#shares = costShares(this.#options.costs ?? [...this.#sizes], gates);
    if (this.#options.groups !== undefined) {
      const membership = new Float32Array(gates * width);
      groups.forEach((g, j) => {
        membership[g * width + j] = 1;
      });
      this.#membership = membership;
    }
    const open = logAlphaFor(this.#options.initialOpen ?? 0.9, this.params);
    const start = Random.from(this.#options.seed ?? 0, "gate-initial").normals(gates, open, 0.01);
    this.#logAlpha = this.addWeight("log_alpha", [gates], "float32", initializers.zeros());
    // Written, not initialised: tfjs's normal initializer takes seed 0 as none.
    tf.tidy(() => this.logAlpha.assign(tf.tensor1d(start)));
    this.#fixed = this.addWeight("fixed", [gates], "float32", initializers.constant({ value: LIVE }), undefined, false);
    this.addLoss([() => tf.tidy(() => tf.mul(this.expectedFraction(), this.penalty))]);
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      if (x === undefined) throw new ShapeError({ where: "HardConcreteGate", expected: "one input", received: "none" });
      const random = kwargs["training"] === true ? this.#random : undefined;
      const z = this.values(random, x.shape[0]);
      // Axes between rows and columns share the gates of their row.
      return tf.mul(x, tf.reshape(z, [z.shape[0], ...x.shape.slice(1, -1).map(() => 1), z.shape[1]]));
    });
  }

  /**
   * Gate value of each dimension: sampled when `random` is given, deterministic otherwise. Fixed gates have their value in both.
   *
   * @param random - gate noise is drawn from it
   * @param rows - rows of the batch; needed with noise a row
   * @returns `[1, d]`, or `[rows, d]` with noise a row; the caller's to dispose
   */
  values(random?: Random, rows = 1): tf.Tensor2D {
    const gates = this.#sizes.length;
    return tf.tidy(() => {
      const noiseRows = random !== undefined && this.noise === "row" ? rows : 1;
      const learned =
        random === undefined
          ? deterministicGate(this.logAlpha, this.params, this.rule)
          : sampleGate(this.logAlpha, this.#draw(random, noiseRows), this.params);
      const live = tf.cast(tf.less(this.fixed, 0), "float32");
      const z = tf.reshape(tf.add(tf.mul(learned, live), tf.relu(this.fixed)), [noiseRows, gates]) as tf.Tensor2D;
      if (this.#membership === undefined) return z;
      return tf.matMul(z, tf.tensor2d(this.#membership, [gates, this.width]));
    });
  }

  /**
   * Multiplies `[rows, d]` by sampled gates. One operation computes the gates, the product and the expected active fraction, where
   * every dimension has a gate of its own.
   *
   * @param random - gate noise is drawn from it
   * @returns the product, `[rows, d]`, and {@link expectedFraction}; both the caller's to dispose
   */
  sample(x: tf.Tensor2D, random: Random): { readonly gated: tf.Tensor2D; readonly expected: tf.Scalar } {
    const rows = x.shape[0];
    const [gated, expected] = tf.tidy(() => {
      if (this.#membership !== undefined) return [tf.mul(x, this.values(random, rows)), this.expectedFraction()];
      const noise = this.#draw(random, this.noise === "row" ? rows : 1);
      const settings = { ...this.params, fixed: this.fixed as tf.Tensor1D, shares: tf.tensor1d(this.#shares) };
      const { output, penalty } = hardConcreteGate(x, this.logAlpha as tf.Tensor1D, noise, settings);
      return [output, penalty];
    }) as [tf.Tensor2D, tf.Scalar];
    return { gated, expected };
  }

  /** Noise of one draw a gate, `[rows, gates]`. */
  #draw(random: Random, rows: number): tf.Tensor {
    const shape = [rows, this.#sizes.length] as const;
    return randomUniform(shape, random.take(rows * shape[1]), NOISE_MARGIN, 1 - NOISE_MARGIN);
  }

  /**
   * The expected active fraction, weighted by `costs`: E[L0] / d for plain gates. A fixed gate counts as 0 or 1.
   *
   * @returns a scalar in [0, 1], the caller's to dispose
   */
  expectedFraction(): tf.Scalar {
    return tf.tidy(() => {
      const live = tf.cast(tf.less(this.fixed, 0), "float32");
      const open = tf.add(
        tf.mul(openProbability(this.logAlpha, this.params), live),
        tf.cast(tf.greater(this.fixed, 0), "float32"),
      );
      return tf.sum(tf.mul(open, tf.tensor1d(this.#shares))) as tf.Scalar;
    });
  }

  /** A copy of the gates' state as plain numbers. */
  async state(): Promise<GateState> {
    const [logAlpha, fixed] = await Promise.all([this.logAlpha.data<"float32">(), this.fixed.data<"float32">()]);
    return { logAlpha: logAlpha.slice(), fixed: fixed.slice(), sizes: this.#sizes.slice() };
  }

  /** Spreads one number a gate over the gate's dimensions: `[gates]` to `[d]`. */
  spread(perGate: ArrayLike<number>): Float32Array {
    const groups = this.#options.groups;
    return Float32Array.from({ length: this.width }, (_, j) => perGate[groups?.[j] ?? j] ?? 0);
  }

  /**
   * Turns the gates into constants: `kept` at their deterministic values (never a vanishing one), all others at 0.
   *
   * @param kept - gates that stay open; those that the evaluation rule leaves open when omitted
   */
  async freeze(kept?: readonly number[]): Promise<void> {
    const state = await this.state();
    this.setFixed(frozenValues(state, kept ?? gatesOpenByRule(state, this.params, this.rule), this.params, this.rule));
  }

  /**
   * Makes open gates learnable again; those at 0 stay shut. Log alphas that have run far into saturation are drawn back in
   * proportion, so that their order stays and the gates can still shut within a few hundred steps. A gate that was kept although it
   * had hardly opened starts half open: the network has come to rely on it.
   */
  async thaw(): Promise<void> {
    const { logAlpha, fixed } = await this.state();
    // With a high gate temperature a gate is that open below log alpha 0 already; drawing back to there would turn the order around.
    const limit = Math.max(1, logAlphaFor(THAWED_OPEN, this.params));
    const factor = Math.min(1, limit / logAlpha.reduce((max, value) => Math.max(max, value), 0));
    const half = logAlphaFor(0.5, this.params);
    const drawnBack = tf.tensor1d(
      logAlpha.map((value, g) => ((fixed[g] ?? 0) > 0 ? Math.max(half, value > 0 ? value * factor : value) : value)),
    );
    this.logAlpha.assign(drawnBack);
    drawnBack.dispose();
    this.setFixed(fixed.map((value) => (value > 0 ? LIVE : value)));
  }

  /** @param values - `[gates]`: -1 for a learned gate, else the value in [0, 1] at which it is fixed */
  setFixed(values: Float32Array): void {
    tf.tidy(() => this.fixed.assign(tf.tensor1d(values)));
  }

  override dispose(): ReturnType<layers.Layer["dispose"]> {
    // tf.layers counts uses by apply(), which a GatedClassifier never calls, and refuses to dispose an unused layer.
    this._refCount ??= 1;
    return super.dispose();
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    return inputShape;
  }

  /** The options from which an equal layer can be made, as tf.layers serialises them. */
  override getConfig(): ReturnType<layers.Layer["getConfig"]> {
    return { ...super.getConfig(), ...(this.options as ReturnType<layers.Layer["getConfig"]>) };
  }
}

function readVariable(weight: LayerVariable | undefined): tf.Variable {
  if (weight === undefined) {
    throw new ConfigError({
      where: "HardConcreteGate",
      expected: "a layer that is built",
      received: "one that has not seen its input's width",
      hint: "call build([null, width]) or apply it first",
    });
  }
  // read() hands out the variable itself, typed as the tensor it extends.
  return weight.read() as tf.Variable;
}

/** The fields of these names that are there. */
function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]])) as Pick<
    T,
    K
  >;
}

function oneOf<T extends string>(option: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) {
    throw new ConfigError({
      where: `HardConcreteGate.${option}`,
      expected: `one of ${allowed.join(", ")}`,
      received: value,
    });
  }
  return value;
}

function groupSizes(groups: readonly number[], width: number): Int32Array {
  const where = "HardConcreteGate.groups";
  if (groups.length !== width) {
    throw new ShapeError({ where, expected: `${width} entries, one a dimension`, received: groups.length });
  }
  const wrong = groups.findIndex((g) => !Number.isInteger(g) || g < 0 || g >= width);
  if (wrong >= 0) {
    throw new ConfigError({
      where,
      expected: `group numbers from 0 to at most ${width - 1}`,
      received: `${groups[wrong]} for dimension ${wrong}`,
    });
  }
  const sizes = new Int32Array(groups.reduce((last, g) => Math.max(last, g), 0) + 1);
  for (const g of groups) sizes[g] = (sizes[g] ?? 0) + 1;
  const empty = sizes.indexOf(0);
  if (empty >= 0)
    throw new ConfigError({ where, expected: "no empty group", received: `group ${empty} has no dimension` });
  return sizes;
}

function costShares(costs: readonly number[], gates: number): Float32Array {
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  if (costs.length !== gates || !costs.every((cost) => cost >= 0) || !(total > 0 && total < Number.POSITIVE_INFINITY)) {
    throw new ConfigError({
      where: "HardConcreteGate.costs",
      expected: `${gates} finite numbers >= 0, one a gate, not all 0`,
      received: costs,
    });
  }
  return Float32Array.from(costs, (cost) => cost / total);
}

tf.serialization.registerClass(HardConcreteGate);
