import { constant, cosine, rampUp, type Schedule } from "../control/schedules.ts";
import { yieldToEvents } from "../event-loop.ts";
import {
  budgetOf,
  checkBudget,
  frozenValues,
  gateHealth,
  gatesOpenByRule,
  LIVE,
  strongestGates,
} from "../gate/budget.ts";
import { openProbabilityOf } from "../gate/hard-concrete.ts";
import { negativeLogLikelihood } from "../metrics/classification.ts";
import { type GatedClassifier, predict } from "../model/gated-classifier.ts";
import { assignVariables, assignWeights, readVariables, readWeights } from "../model/weights.ts";
import { Random, type Seeds, seedsFrom } from "../random.ts";
import type { EpochRecord, Phase } from "./callbacks.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { GradientSteps, type StepSettings } from "./gradient-steps.ts";
import {
  checkOptions,
  type FitOptions,
  type OptimizerOptions,
  optimizerOptions,
  type TrainingData,
} from "./options.ts";
import { planSegments, type SegmentPlan } from "./plan.ts";
import { type FitState, freshState, type SegmentResult, warnOnce } from "./state.ts";

/** What {@link fit} returns. */
export interface FitResult {
  readonly history: readonly EpochRecord[];
  /** One a segment of the controller; one for a dense model. */
  readonly segments: readonly [SegmentResult, ...SegmentResult[]];
  /** Those of all segments, each once. */
  readonly warnings: readonly string[];
}

const WEIGHTS = { learningRate: 1e-3, schedule: rampUp(0.05, cosine(1, 0.01)) };
const GATES = { learningRate: 0.05, schedule: constant(1) };

/** From this share of separated gates on, freezing changes little. */
const SEPARATED = 0.9;

/** The expected fraction may exceed the requested one by this factor when the gates are frozen. */
const SETTLED = 1.1;

/** How far the realised fraction may be from the expected one before it is said. */
const RULE_MARGIN = 0.25;

/**
 * Trains a gated or dense model. Weights and gates have optimizers of their own. In each segment of the controller the gates are
 * learned, then frozen, and the network is trained on with constant gates (consolidation), which removes the mismatch between
 * training and evaluation. With a fraction exactly round(fraction * d) dimensions stay; with groups of unequal sizes, as many of them
 * as the groups fill. Gates that are fixed when training begins stay as they are.
 *
 * The same seeds, data and backend give the same result, also when the run was interrupted and resumed from a checkpoint.
 *
 * @throws ConfigError when an option is out of range or contradicts another, or the checkpoint is of another run: of other options, seeds,
 * encoder, gate or classes, or another number of rows; the rows themselves are not compared
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
  readonly #steps: GradientSteps<Batch>;

  constructor(model: GatedClassifier<Batch>, data: TrainingData<Batch>, options: FitOptions<Batch>) {
    checkOptions(model, data, options);
    this.#model = model;
    this.#data = data;
    this.#options = options;
    this.#batchSize = options.batchSize ?? 256;
    this.#seeds = options.seeds ?? seedsFrom(0);
    this.#plan = planSegments(options.epochs, options.controller);
    for (const { fraction } of this.#plan) if (fraction !== undefined) budgetOf(fraction, model.width);
    this.#weights = optimizerOptions("fit.weights", WEIGHTS, options.weights);
    this.#gates = optimizerOptions("fit.gates", GATES, options.gates);
    this.#steps = new GradientSteps(model, {
      weights: this.#weights,
      gates: this.#gates,
      clipNorm: options.clipNorm ?? 1,
      accumulation: options.accumulation ?? 1,
      seeds: this.#seeds,
    });
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
    const warnings = [...new Set(state.segments.flatMap((segment) => segment.warnings))];
    return { history: state.history, segments: [first, ...rest], warnings };
  }

  dispose(): void {
    this.#steps.dispose();
  }

  async #start(): Promise<FitState> {
    const handler = this.#options.checkpoint?.handler;
    const saved = handler === undefined ? undefined : await readCheckpoint(handler, this.#fingerprint());
    if (saved === undefined) return this.#begin();
    assignWeights(this.#model, saved.model);
    assignVariables(
      this.#steps.optimizers.flatMap((optimizer) => optimizer.moments),
      saved.moments,
    );
    this.#steps.optimizers.forEach((optimizer, i) => {
      optimizer.steps = saved.optimizerSteps[i] ?? 0;
    });
    return saved;
  }

  async #begin(): Promise<FitState> {
    const { gate, width } = this.#model;
    const state = freshState();
    if (gate === undefined) return state;
    const gateState = await gate.state();
    for (const { fraction } of this.#plan)
      if (fraction !== undefined) checkBudget(gateState, budgetOf(fraction, width));
    if (gateState.fixed.every((value) => value !== LIVE)) {
      warnOnce(
        state,
        "all gates were fixed before training: they are not learned; call gate.thaw() to have them learned",
      );
    }
    return state;
  }

  async #capture(state: FitState): Promise<FitState> {
    return {
      ...state,
      model: await readWeights(this.#model),
      moments: await readVariables(this.#steps.optimizers.flatMap((optimizer) => optimizer.moments)),
      optimizerSteps: this.#steps.optimizers.map((optimizer) => optimizer.steps),
    };
  }

  /** What must agree for a checkpoint to be this run's; functions among the options are known by their values along the way. */
  #fingerprint(): string {
    const { epochs, controller, clipNorm, accumulation = 1, earlyStopping } = this.#options;
    const { encoder, gate, width, classes } = this.#model;
    const sample = (schedule: Schedule): number[] => [0, 0.25, 0.5, 0.75, 1].map(schedule);
    const optimizer = (o: Required<OptimizerOptions>): object => ({ ...o, schedule: sample(o.schedule) });
    return JSON.stringify({
      epochs,
      batchSize: this.#batchSize,
      seeds: this.#seeds,
      rows: [this.#data.train.rows, this.#data.validation.rows],
      weights: optimizer(this.#weights),
      gates: optimizer(this.#gates),
      encoder: withoutNames(encoder.describe?.()),
      width,
      classes,
      gate: gate && { ...gate.params, noise: gate.noise, rule: gate.rule, ...gate.options },
      clipNorm,
      ...(accumulation === 1 ? {} : { accumulation }),
      earlyStopping,
      controller: controller && {
        ...controller,
        multipliers: controller.segments.map((_, segment) =>
          sample((progress) => controller.update({ segment, progress, expected: 1 }, 0)),
        ),
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
    const budget = plan.fraction === undefined ? undefined : budgetOf(plan.fraction, width);
    const kept =
      budget === undefined ? gatesOpenByRule(gateState, gate.params, gate.rule) : strongestGates(gateState, budget);
    const dimensions = kept.reduce((sum, g) => sum + (gateState.sizes[g] ?? 0), 0);
    if (budget !== undefined && dimensions < budget) {
      warnOnce(
        state,
        `${dimensions} of ${budget} dimensions stay in epoch ${state.epoch}: no other group fits the budget`,
      );
    }
    if (kept.length === 0) warnOnce(state, `collapse: the ${gate.rule} rule left no gate open in epoch ${state.epoch}`);
    const realised = dimensions / width;
    if (budget === undefined && kept.length > 0 && Math.abs(realised - expected) > RULE_MARGIN) {
      warnOnce(
        state,
        `gates frozen in epoch ${state.epoch}: the ${gate.rule} rule keeps ${realised.toFixed(3)} of the dimensions while ${expected.toFixed(3)} was expected: train longer, or ask for a number with targetFraction`,
      );
    }
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
    let settings: StepSettings | undefined;
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
      const gateLearningRate = this.#gates.learningRate * this.#gates.schedule(within / plan.epochs);
      settings = {
        step: state.step,
        epoch: state.epoch,
        learningRate,
        ...(phase === "gates" ? { gates: { multiplier: state.multiplier, learningRate: gateLearningRate } } : {}),
      };
      const report = await this.#steps.take(batch, settings);
      if (phase === "gates") state.expected = report.expected;
      state.step++;
      loss += report.loss * batch.labels.length;
      rows += batch.labels.length;
      step++;
      await yieldToEvents();
      for (const callback of this.#options.callbacks ?? []) {
        await callback.onStepEnd?.({
          step,
          steps,
          epoch: state.epoch,
          epochs: this.#options.epochs,
          loss: report.loss,
        });
      }
    }
    if (settings !== undefined) await this.#steps.flush(settings);
    const summary = await this.#gateSummary(phase, state);
    const validation = await predict(this.#model, this.#data.validation, { signal: this.#options.signal });
    await this.#steps.checkLogits(validation.logits, { step: state.step - 1, epoch: state.epoch });
    return {
      epoch: state.epoch,
      segment: state.segment,
      phase,
      trainLoss: loss / rows,
      validationNll: negativeLogLikelihood(validation),
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

  /** @returns whether early stopping ends the segment */
  async #keepProtocols({ phase, epoch, validationNll }: EpochRecord, state: FitState): Promise<boolean> {
    if (phase === "gates") return false;
    const { patience = Number.POSITIVE_INFINITY, minimumDelta = 0 } = this.#options.earlyStopping ?? {};
    state.last = { epoch, validationNll, weights: await readWeights(this.#model) };
    if (state.best === undefined || validationNll < state.best.validationNll) state.best = state.last;
    if (state.improved === undefined || validationNll < state.improved.validationNll - minimumDelta) {
      state.improved = { epoch, validationNll };
    }
    return epoch - state.improved.epoch >= patience;
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
      warnings: state.warnings,
    });
    state.segment++;
    state.local = 0;
    state.best = undefined;
    state.improved = undefined;
    state.last = undefined;
    state.frozen = undefined;
    state.warnings = [];
  }
}

/** Names that tf.layers gives count through the process, and connections refer to them. */
const NAMES: ReadonlySet<string> = new Set(["name", "inboundNodes", "inputLayers", "outputLayers"]);

/** A description in which equal models are equal. */
function withoutNames(description: unknown): unknown {
  if (description === undefined) return undefined;
  return JSON.parse(JSON.stringify(description, (key, value: unknown) => (NAMES.has(key) ? undefined : value)));
}
