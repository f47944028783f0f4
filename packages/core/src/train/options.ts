import type { Controller } from "../control/controllers.ts";
import type { Schedule } from "../control/schedules.ts";
import { ConfigError, DataError, ShapeError } from "../errors.ts";
import type { Dataset } from "../model/encoder.ts";
import type { GatedClassifier } from "../model/gated-classifier.ts";
import type { Seeds } from "../random.ts";
import { type AdamWOptions, adamWOptions } from "./adamw.ts";
import type { Callback } from "./callbacks.ts";
import type { CheckpointOptions } from "./checkpoint.ts";

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
  /** Batches whose gradients are averaged, row by row, before a step is taken; memory is that of one. @defaultValue 1 */
  readonly accumulation?: number;
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
  /** Stops at the next step, or batch of validation, with the signal's reason; a checkpoint stays. */
  readonly signal?: AbortSignal;
  readonly checkpoint?: CheckpointOptions;
}

/**
 * Which epoch of a segment speaks for it: the last one of a fixed budget, or the one with the lowest validation NLL after the gates
 * were frozen.
 */
export type Protocol = "equalBudget" | "bestValidation";

const PROTOCOLS: readonly Protocol[] = ["equalBudget", "bestValidation"];

/** Fills in an optimizer's defaults. */
export function optimizerOptions(
  where: string,
  defaults: Pick<Required<OptimizerOptions>, "learningRate" | "schedule">,
  options: OptimizerOptions = {},
): Required<OptimizerOptions> {
  const { learningRate = defaults.learningRate, schedule = defaults.schedule } = options;
  if (!(learningRate > 0)) {
    throw new ConfigError({ where: `${where}.learningRate`, expected: "a number above 0", received: learningRate });
  }
  return { learningRate, schedule, ...adamWOptions(options) };
}

/** What can be wrong before the first step. */
export function checkOptions<Batch>(
  { gate, classes }: GatedClassifier<Batch>,
  { train, validation }: TrainingData<Batch>,
  { controller, batchSize = 1, accumulation = 1, clipNorm = 1, earlyStopping, restore, checkpoint }: FitOptions<Batch>,
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
  if (restore !== undefined && !PROTOCOLS.includes(restore)) {
    throw new ConfigError({ where: "fit.restore", expected: `one of ${PROTOCOLS.join(", ")}`, received: restore });
  }
  const every = checkpoint?.every ?? 1;
  const positive = { batchSize, clipNorm, "earlyStopping.patience": earlyStopping?.patience ?? 1 };
  for (const [name, value] of Object.entries({ ...positive, accumulation, "checkpoint.every": every })) {
    if (!(value > 0)) throw new ConfigError({ where: `fit.${name}`, expected: "a number above 0", received: value });
  }
  for (const [name, value] of Object.entries({ batchSize, accumulation, "checkpoint.every": every })) {
    if (!Number.isInteger(value))
      throw new ConfigError({ where: `fit.${name}`, expected: "an integer", received: value });
  }
}
