import * as tf from "@tensorflow/tfjs-core";
import type { Controller } from "../control/controllers.ts";
import { constant, cosine, rampUp, type Schedule } from "../control/schedules.ts";
import { ConfigError, DataError, NumericalError, ShapeError } from "../errors.ts";
import { budgetOf, frozenValues, gateHealth, gatesOpenByRule, LIVE, strongestGates } from "../gate/budget.ts";
import { LOG_ALPHA_LIMIT, openProbabilityOf } from "../gate/hard-concrete.ts";
import { negativeLogLikelihood } from "../metrics/classification.ts";
import type { Dataset, LabelledBatch, Parameter } from "../model/encoder.ts";
import { type GatedClassifier, predict } from "../model/gated-classifier.ts";
import { assignVariables, assignWeights, readVariables, readWeights, type Weights } from "../model/weights.ts";
import { Random, type Seeds, seedsFrom } from "../random.ts";
import { AdamW, type AdamWOptions } from "./adamw.ts";
import type { Callback, EpochRecord, Phase } from "./callbacks.ts";
import { type CheckpointOptions, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { planSegments, type SegmentPlan } from "./plan.ts";

/** Training rows, and the rows that every decision during training looks at. */
export interface TrainingData<Batch> {
  readonly train: Dataset<Batch>;
  readonly validation: Dataset<Batch>;
}

/** An optimizer's step size and its course. */
export interface OptimizerOptions extends AdamWOptions {
  readonly learningRate?: number;
  /** Factor on the learning rate over the progress of a segment. */
  readonly schedule?: Schedule;
}

/** Options of {@link fit}. */
export interface FitOptions<Batch> {
  /** Passes over the training rows, all segments and phases together. */
  readonly epochs: number;
  /** Who decides the penalty. Needed with a gate, refused without. */
  readonly controller?: Controller;
  /** @defaultValue 256 */
  readonly batchSize?: number;
  /** Encoder and head. @defaultValue learning rate 1e-3, ramped up over 5 % and then down a cosine to 1 %; decay 0 */
  readonly weights?: OptimizerOptions;
  /** Log alpha. @defaultValue learning rate 0.05, constant */
  readonly gates?: OptimizerOptions;
  /** Largest global norm of the weights' gradient. @defaultValue 1 */
  readonly clipNorm?: number;
  /** Ends a segment early when its validation NLL has not fallen for `patience` epochs after the gates were frozen. */
  readonly earlyStopping?: { readonly patience: number; readonly minimumDelta?: number };
  /** The protocol whose weights the model holds at the end. @defaultValue "bestValidation" */
  readonly restore?: Protocol;
  /** Fewer open dimensions than this are reported as a collapse. @defaultValue 1 */
  readonly minimumOpen?: number;
  /** @defaultValue seedsFrom(0) */
  readonly seeds?: Seeds;
  readonly callbacks?: readonly Callback<Batch>[];
  /** Stops at the next step with the signal's reason; a checkpoint stays. */
  readonly signal?: AbortSignal;
  readonly checkpoint?: CheckpointOptions;
}

/**
 * Which epoch of a segment speaks for it: the last one of a fixed budget, or the one with the lowest validation NLL after the gates
 * were frozen.
 */
export type Protocol = "equalBudget" | "bestValidation";

/** A segment's weights under one protocol. */
export interface ProtocolResult {
  readonly epoch: number;
  /** In nats. */
  readonly validationNll: number;
  /** For {@link assignWeights}. */
  readonly weights: Weights;
}

/** What a segment arrived at. */
export interface SegmentResult extends Readonly<Record<Protocol, ProtocolResult>> {
  /** Active fraction that was asked for; undefined with a penalty or without a gate. */
  readonly fraction?: number;
  /** Expected active fraction just before the gates were frozen; 1 without a gate. */
  readonly expected: number;
  /** Share of open probabilities outside [0.1, 0.9] just before the gates were frozen; 1 without a gate. */
  readonly separation: number;
  /** Open dimensions / d. */
  readonly realised: number;
  /** Final gate value of each dimension. */
  readonly gates: readonly number[];
}

/** What {@link fit} returns. */
export interface FitResult {
  readonly history: readonly EpochRecord[];
  /** One a segment of the controller; one for a dense model. */
  readonly segments: readonly [SegmentResult, ...SegmentResult[]];
  /** Collapse and other things that should not go unseen, each once. */
  readonly warnings: readonly string[];
}

/** All that a resumed run needs, apart from what its options say. */
export interface FitState {
  epoch: number;
  step: number;
  segment: number;
  /** Epoch within the segment. */
  local: number;
  multiplier: number;
  expected: number;
  frozen: { expected: number; separation: number } | undefined;
  best: ProtocolResult | undefined;
  last: ProtocolResult | undefined;
  history: EpochRecord[];
  segments: SegmentResult[];
  warnings: string[];
  model: Weights;
  moments: Weights;
  optimizerSteps: readonly number[];
}

/** From this share of separated gates on, freezing changes little. */
const SEPARATED = 0.9;

/** The expected fraction may exceed the requested one by this factor when the gates are frozen. */
const SETTLED = 1.1;

/**
 * Trains a gated or dense model. Weights and gates have optimizers of their own. In each segment of the controller the gates are
 * learned, then frozen, and the network is trained on with constant gates (consolidation), which removes the mismatch between
 * training and evaluation. With a fraction exactly round(fraction * d) dimensions stay.
 *
 * The same seeds, data and backend give the same result, also when the run was interrupted and resumed from a checkpoint.
 *
 * @throws ConfigError when an option is out of range or contradicts another
 * @throws DataError when a dataset is empty or has other classes than the model
 * @throws NumericalError when a loss or gradient is NaN or infinite; says at which step, and which tensor
 *
 * @example
 * ```ts
 * declare const model: GatedClassifier<{ x: number }>;
 * declare const data: TrainingData<{ x: number }>;
 * const result = await fit(model, data, { epochs: 10, controller: targetFraction({ fraction: 1 / 8 }) });
 * console.log(result.segments[0].realised); // 0.125
 * ```
 */
export async function fit<Batch>(
  model: GatedClassifier<Batch>,
  data: TrainingData<Batch>,
  options: FitOptions<Batch>,
): Promise<FitResult> {
  const trainer = new Trainer(model, data, options);
  try {
    return await trainer.run();
  } finally {
    trainer.dispose();
  }
}

class Trainer<Batch> {
  readonly #model: GatedClassifier<Batch>;
  readonly #data: TrainingData<Batch>;
  readonly #options: FitOptions<Batch>;
  readonly #batchSize: number;
  readonly #seeds: Seeds;
  readonly #plan: readonly SegmentPlan[];
  readonly #weights: Required<OptimizerOptions>;
  readonly #gates: Required<OptimizerOptions>;
  readonly #weightOptimizer: AdamW;
  readonly #gateOptimizer: AdamW | undefined;

  constructor(model: GatedClassifier<Batch>, data: TrainingData<Batch>, options: FitOptions<Batch>) {
    checkOptions(model, data, options);
    this.#model = model;
    this.#data = data;
    this.#options = options;
    this.#batchSize = options.batchSize ?? 256;
    this.#seeds = options.seeds ?? seedsFrom(0);
    this.#plan = planSegments(options.epochs, options.controller);
    for (const { fraction } of this.#plan) if (fraction !== undefined) budgetOf(fraction, model.width);
    this.#weights = optimizerOptions("fit.weights", options.weights, 1e-3, rampUp(0.05, cosine(1, 0.01)));
    this.#gates = optimizerOptions("fit.gates", options.gates, 0.05, constant(1));
    this.#weightOptimizer = new AdamW(model.parameters, this.#weights);
    if (model.gate !== undefined) {
      const logAlpha: Parameter = { name: "gate/log_alpha", variable: model.gate.logAlpha, decay: false };
      this.#gateOptimizer = new AdamW([logAlpha], this.#gates);
    }
  }

  async run(): Promise<FitResult> {
    const { checkpoint, signal, callbacks = [], restore = "bestValidation" } = this.#options;
    const state = await this.#start();
    while (state.segment < this.#plan.length) {
      signal?.throwIfAborted();
      const plan = this.#plan[state.segment] as SegmentPlan;
      if (state.local === 0 && state.segment > 0) await this.#model.gate?.thaw();
      if (this.#isFreezeDue(plan, state)) await this.#freeze(plan, state);
      const record = await this.#epoch(plan, state);
      state.history.push(record);
      const stopped = await this.#keepProtocols(record, state);
      state.epoch++;
      state.local++;
      if (state.local === plan.epochs || stopped) await this.#finishSegment(plan, state);
      for (const callback of callbacks) await callback.onEpochEnd?.(record, this.#model);
      const done = state.segment === this.#plan.length;
      if (checkpoint !== undefined && (done || state.epoch % (checkpoint.every ?? 1) === 0)) {
        await writeCheckpoint(checkpoint.handler, this.#fingerprint(), await this.#capture(state));
      }
    }
    const [first, ...rest] = state.segments as [SegmentResult, ...SegmentResult[]];
    assignWeights(this.#model, (rest.at(-1) ?? first)[restore].weights);
    return { history: state.history, segments: [first, ...rest], warnings: state.warnings };
  }

  dispose(): void {
    this.#weightOptimizer.dispose();
    this.#gateOptimizer?.dispose();
  }

  get #optimizers(): readonly AdamW[] {
    return this.#gateOptimizer === undefined ? [this.#weightOptimizer] : [this.#weightOptimizer, this.#gateOptimizer];
  }

  async #start(): Promise<FitState> {
    const handler = this.#options.checkpoint?.handler;
    const saved = handler === undefined ? undefined : await readCheckpoint(handler, this.#fingerprint());
    if (saved === undefined) return freshState();
    assignWeights(this.#model, saved.model);
    assignVariables(
      this.#optimizers.flatMap((optimizer) => optimizer.moments),
      saved.moments,
    );
    this.#optimizers.forEach((optimizer, i) => {
      optimizer.steps = saved.optimizerSteps[i] ?? 0;
    });
    return saved;
  }

  async #capture(state: FitState): Promise<FitState> {
    return {
      ...state,
      model: await readWeights(this.#model),
      moments: await readVariables(this.#optimizers.flatMap((optimizer) => optimizer.moments)),
      optimizerSteps: this.#optimizers.map((optimizer) => optimizer.steps),
    };
  }

  /** What must agree for a checkpoint to be this run's; functions among the options are known by their values along the way. */
  #fingerprint(): string {
    const { epochs, controller, clipNorm, earlyStopping } = this.#options;
    const sample = (schedule: Schedule): number[] => [0, 0.25, 0.5, 0.75, 1].map(schedule);
    const optimizer = (o: Required<OptimizerOptions>): object => ({ ...o, schedule: sample(o.schedule) });
    return JSON.stringify({
      epochs,
      batchSize: this.#batchSize,
      seeds: this.#seeds,
      rows: [this.#data.train.rows, this.#data.validation.rows],
      weights: optimizer(this.#weights),
      gates: optimizer(this.#gates),
      clipNorm,
      earlyStopping,
      controller: controller && {
        ...controller,
        multipliers: sample((progress) => controller.update({ segment: 0, progress, expected: 1 }, 0)),
      },
    });
  }

  #isFreezeDue(plan: SegmentPlan, state: FitState): boolean {
    if (this.#model.gate === undefined || state.frozen !== undefined || state.local < plan.gates) return false;
    const { separation = 0, expected = 1 } = state.history.at(-1) ?? {};
    const settled = separation >= SEPARATED && expected <= (plan.fraction ?? 1) * SETTLED;
    return settled || state.local >= plan.latestFreeze;
  }

  async #freeze(plan: SegmentPlan, state: FitState): Promise<void> {
    const { gate, width } = this.#model;
    if (gate === undefined) return;
    const gateState = await gate.state();
    const { expected, separation } = gateHealth(gateState, gate.params);
    const kept =
      plan.fraction === undefined
        ? gatesOpenByRule(gateState, gate.params, gate.rule)
        : strongestGates(gateState, budgetOf(plan.fraction, width));
    if (kept.length === 0) warnOnce(state, `collapse: the ${gate.rule} rule left no gate open in epoch ${state.epoch}`);
    // Where all or none stay there was nothing to decide.
    if (separation < 0.5 && kept.length > 0 && kept.length < gateState.logAlpha.length) {
      const percent = Math.round(100 * separation);
      warnOnce(state, `gates frozen in epoch ${state.epoch} with only ${percent} % of them separated: train longer`);
    }
    if (plan.fraction !== undefined && expected > 2 * plan.fraction) {
      warnOnce(
        state,
        `gates frozen in epoch ${state.epoch} at ${plan.fraction} while ${expected.toFixed(3)} was expected: train longer or raise dualStep`,
      );
    }
    gate.setFixed(frozenValues(gateState, kept, gate.params, gate.rule));
    state.frozen = { expected, separation };
  }

  async #epoch(plan: SegmentPlan, state: FitState): Promise<EpochRecord> {
    const { gate } = this.#model;
    const phase: Phase = gate === undefined ? "dense" : state.frozen === undefined ? "gates" : "consolidation";
    const steps = Math.ceil(this.#data.train.rows / this.#batchSize);
    const shuffle = Random.from(this.#seeds.shuffle, "shuffle", state.epoch);
    let loss = 0;
    let rows = 0;
    let learningRate = 0;
    let step = 0;
    for await (const batch of this.#data.train.batches(this.#batchSize, shuffle)) {
      this.#options.signal?.throwIfAborted();
      const within = state.local + step / steps;
      learningRate = this.#weights.learningRate * this.#weights.schedule(within / plan.epochs);
      if (phase === "gates" && this.#options.controller !== undefined) {
        const observation = {
          segment: state.segment,
          progress: Math.min(1, within / plan.gates),
          expected: state.expected,
        };
        state.multiplier = this.#options.controller.update(
          observation,
          step + state.local === 0 ? 0 : state.multiplier,
        );
      }
      const stepLoss = await this.#step(batch, phase, learningRate, within / plan.epochs, state);
      loss += stepLoss * batch.labels.length;
      rows += batch.labels.length;
      step++;
      for (const callback of this.#options.callbacks ?? []) {
        await callback.onStepEnd?.({ step, steps, epoch: state.epoch, epochs: this.#options.epochs, loss: stepLoss });
      }
    }
    const summary = await this.#gateSummary(phase, state);
    return {
      epoch: state.epoch,
      segment: state.segment,
      phase,
      trainLoss: loss / rows,
      validationNll: negativeLogLikelihood(await predict(this.#model, this.#data.validation)),
      multiplier: phase === "gates" ? state.multiplier : 0,
      learningRate,
      ...summary,
    };
  }

  async #gateSummary(
    phase: Phase,
    state: FitState,
  ): Promise<Pick<EpochRecord, "expected" | "separation" | "openProbabilities">> {
    const { gate } = this.#model;
    if (gate === undefined) return { expected: 1, separation: 1, openProbabilities: [] };
    const gateState = await gate.state();
    const { expected, separation, warnings } = gateHealth(gateState, gate.params, this.#options.minimumOpen);
    if (phase === "gates") for (const warning of warnings) warnOnce(state, warning);
    const openProbabilities = Array.from(gateState.fixed, (fixed, g) =>
      fixed === LIVE ? openProbabilityOf(gateState.logAlpha[g] ?? 0, gate.params) : Number(fixed > 0),
    );
    return { expected, separation, openProbabilities };
  }

  /** @returns the batch's mean cross-entropy */
  async #step(
    batch: LabelledBatch<Batch>,
    phase: Phase,
    learningRate: number,
    progress: number,
    state: FitState,
  ): Promise<number> {
    const model = this.#model;
    const gate = phase === "gates" ? model.gate : undefined;
    const context = {
      training: true,
      random: Random.from(this.#seeds.dropout, "dropout", state.step),
      ...(gate === undefined ? {} : { gateNoise: Random.from(this.#seeds.gate, "gate", state.step) }),
    };
    const weights = model.parameters.map(({ variable }) => variable);
    const observed: tf.Tensor[] = [];
    const { value, grads } = tf.variableGrads(
      () => {
        const loss = crossEntropy(model.logits(batch.inputs, context), batch.labels);
        observed.push(tf.keep(tf.clone(loss)));
        if (gate === undefined) return loss;
        const expected = gate.expectedFraction();
        observed.push(tf.keep(tf.clone(expected)));
        return tf.add(loss, tf.mul(expected, state.multiplier));
      },
      gate === undefined ? weights : [...weights, gate.logAlpha],
    );
    const gradients = weights.map((variable) => grads[variable.name] as tf.Tensor);
    try {
      const norm = tf.tidy(() => tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient))))));
      const numbers = await Promise.all([norm, ...observed].map(readScalar));
      norm.dispose();
      const [gradientNorm = 0, loss = 0, expected = 1] = numbers;
      if (!numbers.every(Number.isFinite)) await this.#explain(loss, gradients, state);
      const limit = this.#options.clipNorm ?? 1;
      this.#weightOptimizer.step(gradients, learningRate, gradientNorm > limit ? limit / gradientNorm : 1);
      const gateGradient = gate && grads[gate.logAlpha.name];
      if (gate !== undefined && gateGradient !== undefined) {
        this.#gateOptimizer?.step([gateGradient], this.#gates.learningRate * this.#gates.schedule(progress));
        tf.tidy(() => gate.logAlpha.assign(tf.clipByValue(gate.logAlpha, -LOG_ALPHA_LIMIT, LOG_ALPHA_LIMIT)));
        state.expected = expected;
      }
      state.step++;
      return loss;
    } finally {
      tf.dispose([value, ...observed, ...Object.values(grads)]);
    }
  }

  /** Names what is not finite. */
  async #explain(loss: number, gradients: readonly tf.Tensor[], state: FitState): Promise<never> {
    const { parameters } = this.#model;
    const broken = async (tensors: readonly tf.Tensor[]): Promise<string | undefined> => {
      for (const [i, tensor] of tensors.entries()) {
        const values = await tensor.data<"float32">();
        if (!values.every(Number.isFinite)) return parameters[i]?.name;
      }
      return undefined;
    };
    const weight = await broken(parameters.map(({ variable }) => variable));
    const gradient = await broken(gradients);
    const culprit =
      weight !== undefined
        ? `weight "${weight}"`
        : gradient !== undefined
          ? `gradient of "${gradient}"`
          : "the sum of all gradients' squares";
    throw new NumericalError({
      where: `fit, step ${state.step} (epoch ${state.epoch})`,
      expected: "finite numbers",
      received: `loss ${loss}, not finite: ${culprit}`,
      hint: "lower the learning rate, clip gradients, or look for NaN and huge values in the inputs",
    });
  }

  /** @returns whether early stopping ends the segment */
  async #keepProtocols({ phase, epoch, validationNll }: EpochRecord, state: FitState): Promise<boolean> {
    if (phase === "gates") return false;
    const { patience = Number.POSITIVE_INFINITY, minimumDelta = 0 } = this.#options.earlyStopping ?? {};
    state.last = { epoch, validationNll, weights: await readWeights(this.#model) };
    if (state.best === undefined || validationNll < state.best.validationNll - minimumDelta) state.best = state.last;
    return epoch - state.best.epoch >= patience;
  }

  async #finishSegment(plan: SegmentPlan, state: FitState): Promise<void> {
    const { gate, width } = this.#model;
    const { best, last, frozen } = state;
    if (best === undefined || last === undefined) throw new Error("a segment ended before its gates were frozen");
    const gates = gate === undefined ? new Float32Array(width).fill(1) : gate.spread((await gate.state()).fixed);
    state.segments.push({
      ...(plan.fraction === undefined ? {} : { fraction: plan.fraction }),
      expected: frozen?.expected ?? 1,
      separation: frozen?.separation ?? 1,
      realised: gates.filter((value) => value > 0).length / width,
      gates: [...gates],
      equalBudget: last,
      bestValidation: best,
    });
    state.segment++;
    state.local = 0;
    state.best = undefined;
    state.last = undefined;
    state.frozen = undefined;
  }
}

function freshState(): FitState {
  return {
    epoch: 0,
    step: 0,
    segment: 0,
    local: 0,
    multiplier: 0,
    expected: 1,
    frozen: undefined,
    best: undefined,
    last: undefined,
    history: [],
    segments: [],
    warnings: [],
    model: new Map(),
    moments: new Map(),
    optimizerSteps: [],
  };
}

/** Mean over the rows, in nats. */
function crossEntropy(logits: tf.Tensor2D, labels: Int32Array): tf.Scalar {
  return tf.tidy(() => {
    const [rows, classes] = logits.shape;
    const oneHot = new Float32Array(rows * classes);
    labels.forEach((label, row) => {
      oneHot[row * classes + label] = -1 / rows;
    });
    return tf.sum(tf.mul(tf.logSoftmax(logits), tf.tensor2d(oneHot, [rows, classes])));
  });
}

async function readScalar(scalar: tf.Tensor): Promise<number> {
  return (await scalar.data())[0] ?? Number.NaN;
}

function warnOnce(state: FitState, warning: string): void {
  if (!state.warnings.includes(warning)) state.warnings.push(warning);
}

function optimizerOptions(
  where: string,
  options: OptimizerOptions = {},
  learningRate: number,
  schedule: Schedule,
): Required<OptimizerOptions> {
  const full = { learningRate, schedule, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, ...options };
  if (!(full.learningRate > 0)) {
    throw new ConfigError({
      where: `${where}.learningRate`,
      expected: "a number above 0",
      received: full.learningRate,
    });
  }
  return full;
}

function checkOptions<Batch>(
  { gate, classes }: GatedClassifier<Batch>,
  { train, validation }: TrainingData<Batch>,
  { controller, batchSize = 1, clipNorm = 1, earlyStopping }: FitOptions<Batch>,
): void {
  for (const [name, data] of [["train", train] as const, ["validation", validation] as const]) {
    if (data.rows < 1)
      throw new DataError({ where: `fit: ${name}`, expected: "at least one row", received: data.rows });
    if (data.classes !== classes) {
      throw new ShapeError({
        where: `fit: ${name}`,
        expected: `${classes} classes, as the model`,
        received: data.classes,
      });
    }
  }
  if (gate === undefined && controller !== undefined) {
    throw new ConfigError({
      where: "fit.controller",
      expected: "no controller for a model without a gate",
      received: controller.mode,
      hint: "leave the controller out to train the dense model",
    });
  }
  if (gate !== undefined && controller === undefined) {
    throw new ConfigError({
      where: "fit.controller",
      expected: "a controller for the model's gate",
      received: "none",
      hint: "pass targetFraction({ fraction }), penalty(schedule) or path({ fractions }), or build the model with gate: false",
    });
  }
  const positive = { batchSize, clipNorm, patience: earlyStopping?.patience ?? 1 };
  for (const [name, value] of Object.entries(positive)) {
    if (!(value > 0)) throw new ConfigError({ where: `fit.${name}`, expected: "a number above 0", received: value });
  }
  if (!Number.isInteger(batchSize)) {
    throw new ConfigError({ where: "fit.batchSize", expected: "an integer", received: batchSize });
  }
}
