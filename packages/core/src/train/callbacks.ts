import type { GatedClassifier } from "../model/gated-classifier.ts";

/** What a segment is doing: learning gates, training with frozen gates, or training without any. */
export type Phase = "gates" | "consolidation" | "dense";

/** One epoch of training, as recorded in `FitResult.history`. */
export interface EpochRecord {
  /** From 0. */
  readonly epoch: number;
  /** Index into the controller's segments; 0 for a dense model. */
  readonly segment: number;
  readonly phase: Phase;
  /** Mean cross-entropy over the epoch's training steps, in nats, penalty excluded. */
  readonly trainLoss: number;
  /** Mean negative log-likelihood of the validation rows with deterministic gates, in nats. */
  readonly validationNll: number;
  /** The penalty's weight at the epoch's last step. */
  readonly multiplier: number;
  /** Expected active fraction after the epoch; 1 for a dense model. */
  readonly expected: number;
  /** Share of gates whose open probability lies outside [0.1, 0.9]; 1 for a dense model. */
  readonly separation: number;
  /** Of the weights, at the epoch's last step. */
  readonly learningRate: number;
  /** P(z != 0) of every gate after the epoch; empty for a dense model. */
  readonly openProbabilities: readonly number[];
}

/** Called along the way; a returned promise is awaited. */
export interface Callback<Batch> {
  onStepEnd?(progress: {
    step: number;
    steps: number;
    epoch: number;
    epochs: number;
    loss: number;
  }): void | Promise<void>;
  onEpochEnd?(record: EpochRecord, model: GatedClassifier<Batch>): void | Promise<void>;
}
