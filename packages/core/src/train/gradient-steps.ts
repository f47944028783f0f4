import { softmaxCrossEntropy, sumOfSquares } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { DataError, NumericalError, ShapeError } from "../errors.ts";
import { LOG_ALPHA_LIMIT } from "../gate/hard-concrete.ts";
import type { Predictions } from "../metrics/predictions.ts";
import type { LabelledBatch, Parameter } from "../model/encoder.ts";
import type { GatedClassifier } from "../model/gated-classifier.ts";
import { Random, type Seeds } from "../random.ts";
import { AdamW, type AdamWOptions } from "./adamw.ts";

/** One step's settings. */
export interface StepSettings {
  /** Steps of the run before this one: the address of its random numbers. */
  readonly step: number;
  /** For messages. */
  readonly epoch: number;
  /** Of the weights. */
  readonly learningRate: number;
  /** The penalty's weight and the learning rate of log alpha; absent when the gates are constants. */
  readonly gates?: { readonly multiplier: number; readonly learningRate: number };
}

/** What a step saw before it changed the weights. */
export interface StepReport {
  /** The batch's mean cross-entropy, in nats. */
  readonly loss: number;
  /** Expected active fraction; 1 when the gates are constants. */
  readonly expected: number;
}

/** Sums over the batches since the last step, each batch counting as often as it has rows. */
interface Accumulated {
  batches: number;
  rows: number;
  readonly sums: (tf.Tensor | undefined)[];
}

/** Takes gradient steps on a model: one optimizer for its weights, one for its gates. */
export class GradientSteps<Batch> {
  readonly #model: GatedClassifier<Batch>;
  readonly #seeds: Seeds;
  readonly #clipNorm: number;
  readonly #weightOptimizer: AdamW;
  readonly #gateOptimizer: AdamW | undefined;
  readonly #accumulation: number;
  readonly #accumulated: Accumulated = { batches: 0, rows: 0, sums: [] };

  constructor(
    model: GatedClassifier<Batch>,
    options: { weights: AdamWOptions; gates: AdamWOptions; clipNorm: number; accumulation: number; seeds: Seeds },
  ) {
    this.#model = model;
    this.#seeds = options.seeds;
    this.#clipNorm = options.clipNorm;
    this.#accumulation = options.accumulation;
    this.#weightOptimizer = new AdamW(model.parameters, options.weights);
    if (model.gate !== undefined) {
      const logAlpha: Parameter = { name: "gate/log_alpha", variable: model.gate.logAlpha, decay: false };
      this.#gateOptimizer = new AdamW([logAlpha], options.gates);
    }
  }

  /** The optimizers: weights first, then gates. */
  get optimizers(): readonly AdamW[] {
    return this.#gateOptimizer === undefined ? [this.#weightOptimizer] : [this.#weightOptimizer, this.#gateOptimizer];
  }

  /**
   * Looks at a batch, and takes a step when it is the last of those that a step is made of.
   *
   * @throws NumericalError when the loss or a gradient is not finite; the weights are as before then
   */
  async take(batch: LabelledBatch<Batch>, settings: StepSettings): Promise<StepReport> {
    const model = this.#model;
    const gate = settings.gates === undefined ? undefined : model.gate;
    const { multiplier } = settings.gates ?? { multiplier: 0 };
    const context = {
      training: true,
      random: Random.from(this.#seeds.dropout, "dropout", settings.step),
      ...(gate === undefined ? {} : { gateNoise: Random.from(this.#seeds.gate, "gate", settings.step) }),
    };
    const logAlpha = gate?.logAlpha;
    const weights = model.parameters.map(({ variable }) => variable);
    let taken: ReturnType<typeof tf.variableGrads> | undefined;
    const observed: tf.Tensor[] = [];
    try {
      taken = tf.variableGrads(
        () => {
          const { logits, expected } = model.forward(batch.inputs, context);
          const loss = crossEntropy(logits, batch.labels);
          observed.push(tf.keep(tf.clone(loss)));
          if (expected === undefined) return loss;
          observed.push(tf.keep(tf.clone(expected)));
          return tf.add(loss, tf.mul(expected, multiplier));
        },
        logAlpha === undefined ? weights : [...weights, logAlpha],
      );
      const { grads } = taken;
      // A parameter that the batch did not touch has no gradient.
      const gradients = weights.map((variable): tf.Tensor | undefined => grads[variable.name]);
      const gateGradient = logAlpha === undefined ? undefined : grads[logAlpha.name];
      observed.push(sumOfSquares(present(gradients)), sumOfSquares(present([gateGradient])));
      const numbers = await Promise.all(observed.map(readScalar));
      const [loss = Number.NaN, expected = 1] = gate === undefined ? numbers.slice(0, 1) : numbers;
      if (!numbers.every(Number.isFinite)) {
        await this.#explain(`loss ${loss}`, [...gradients, gateGradient], settings);
      }
      if (this.#accumulation === 1) {
        this.#apply(gradients, gateGradient, settings, Math.sqrt(numbers.at(-2) ?? 0), 1);
      } else {
        this.#accumulate([...gradients, gateGradient], batch.labels.length);
        if (this.#accumulated.batches === this.#accumulation) await this.flush(settings);
      }
      return { loss, expected };
    } finally {
      tf.dispose([...observed, ...(taken === undefined ? [] : [taken.value, ...Object.values(taken.grads)])]);
    }
  }

  /** Takes the step for the batches since the last one, if there are any: at the end of an epoch they may be too few. */
  async flush(settings: StepSettings): Promise<void> {
    const { rows, sums } = this.#accumulated;
    if (rows === 0) return;
    const gradients = sums.slice(0, -1);
    const squares = sumOfSquares(present(gradients));
    const norm = Math.sqrt(await readScalar(squares)) / rows;
    this.#apply(gradients, sums.at(-1), settings, norm, 1 / rows);
    tf.dispose(squares);
    this.#forget();
  }

  /** @param share - factor that makes a mean of the gradients; `norm` is that of the mean */
  #apply(
    gradients: readonly (tf.Tensor | undefined)[],
    gateGradient: tf.Tensor | undefined,
    { learningRate, gates }: StepSettings,
    norm: number,
    share: number,
  ): void {
    this.#weightOptimizer.step(gradients, learningRate, share * Math.min(1, this.#clipNorm / norm));
    const logAlpha = this.#model.gate?.logAlpha;
    if (gates === undefined || logAlpha === undefined) return;
    this.#gateOptimizer?.step([gateGradient], gates.learningRate, share);
    tf.tidy(() => logAlpha.assign(tf.clipByValue(logAlpha, -LOG_ALPHA_LIMIT, LOG_ALPHA_LIMIT)));
  }

  #accumulate(gradients: readonly (tf.Tensor | undefined)[], rows: number): void {
    const { sums } = this.#accumulated;
    gradients.forEach((gradient, i) => {
      const sum = sums[i];
      sums[i] =
        gradient === undefined
          ? sum
          : tf.tidy(() => {
              const share = tf.mul(gradient, rows);
              return sum === undefined ? share : tf.add(sum, share);
            });
      if (sums[i] !== sum) sum?.dispose();
    });
    this.#accumulated.rows += rows;
    this.#accumulated.batches++;
  }

  #forget(): void {
    tf.dispose(present(this.#accumulated.sums));
    this.#accumulated.sums.length = 0;
    this.#accumulated.rows = 0;
    this.#accumulated.batches = 0;
  }

  /**
   * Looks at logits that were computed after the last step.
   *
   * @throws NumericalError when one is not finite
   */
  async checkLogits(logits: Predictions["logits"], settings: Pick<StepSettings, "step" | "epoch">): Promise<void> {
    if (!logits.every(Number.isFinite)) await this.#explain("validation logits", [], settings);
  }

  /** Names what is not finite. */
  async #explain(
    seen: string,
    gradients: readonly (tf.Tensor | undefined)[],
    { step, epoch }: Pick<StepSettings, "step" | "epoch">,
  ): Promise<never> {
    const { parameters, gate } = this.#model;
    const names = [...parameters.map(({ name }) => name), "gate/log_alpha"];
    const broken = async (tensors: readonly (tf.Tensor | undefined)[]): Promise<string | undefined> => {
      for (const [i, tensor] of tensors.entries()) {
        const values = await tensor?.data<"float32">();
        if (values?.every(Number.isFinite) === false) return names[i];
      }
      return undefined;
    };
    const weight = await broken([...parameters.map(({ variable }) => variable), gate?.logAlpha]);
    const gradient = await broken(gradients);
    const sums = gradients.length === 0 ? "sums in the forward pass" : "the sum of all gradients' squares";
    const named = gradient === undefined ? sums : `gradient of "${gradient}"`;
    throw new NumericalError({
      where: `fit, step ${step} (epoch ${epoch})`,
      expected: "finite numbers",
      received: `${seen}, not finite: ${weight === undefined ? named : `weight "${weight}"`}`,
      hint: "lower the learning rate, clip gradients, or look for NaN and huge values in the inputs",
    });
  }

  /** Frees the optimizers' moments, and gradients that no step was taken for. */
  dispose(): void {
    this.#forget();
    for (const optimizer of this.optimizers) optimizer.dispose();
  }
}

function present(tensors: readonly (tf.Tensor | undefined)[]): tf.Tensor[] {
  return tensors.flatMap((tensor) => (tensor === undefined ? [] : [tensor]));
}

/**
 * Mean over the rows, in nats.
 *
 * @throws ShapeError unless there is one label a row, DataError when a label is no class
 */
function crossEntropy(logits: tf.Tensor2D, labels: Int32Array): tf.Scalar {
  return tf.tidy(() => {
    const [rows, classes] = logits.shape;
    const where = "fit: train";
    if (labels.length !== rows) {
      throw new ShapeError({
        where,
        expected: `${rows} labels, one for each row of the batch`,
        received: labels.length,
      });
    }
    const row = labels.findIndex((label) => !(label >= 0 && label < classes));
    if (row >= 0) {
      const received = `${labels[row]} in row ${row} of a batch`;
      throw new DataError({ where, expected: `labels from 0 to ${classes - 1}`, received });
    }
    return tf.mean(softmaxCrossEntropy(logits, tf.tensor1d(labels, "int32")));
  });
}

async function readScalar(scalar: tf.Tensor): Promise<number> {
  return (await scalar.data())[0] ?? Number.NaN;
}
