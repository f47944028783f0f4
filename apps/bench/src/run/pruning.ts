import {
  type Encoder,
  type EpochRecord,
  type FitResult,
  GatedClassifier,
  type Protocol,
  Random,
  type Seeds,
  type SegmentResult,
} from "@l0gm/core";

/** Of the epochs, after pruning: as many as L0GM trains with frozen gates by default. */
const SHARE_AFTER = 0.4;

/** Epochs of one call of `fit`, when two make a run. */
export interface Part {
  readonly epochs: number;
  /** Number of its first epoch in the run. */
  readonly first: number;
  readonly seeds: Seeds;
  /** Below the run's folder, with a checkpoint of its own; "" is that folder. */
  readonly folder: string;
  /** Whose weights the model has at the end. */
  readonly restore: Protocol;
}

/** Where the checkpoint of the epochs after pruning is. */
export const AFTER_PRUNING = "after-pruning";

/** How a run's epochs are divided: the sum is the dense run's, so that both have the same budget. */
export function partsAroundPruning(epochs: number, seeds: Seeds): readonly [before: Part, after: Part] {
  const rest = Math.max(1, Math.round(SHARE_AFTER * epochs));
  const first = epochs - rest;
  const fresh = (seed: number): number => Random.from(seed, AFTER_PRUNING).nextUint32();
  return [
    // From its last epoch training goes on, as L0GM's does from the one in which gates are frozen.
    { epochs: first, first: 0, seeds, folder: "", restore: "equalBudget" },
    {
      epochs: rest,
      first,
      seeds: { ...seeds, shuffle: fresh(seeds.shuffle), dropout: fresh(seeds.dropout) },
      folder: AFTER_PRUNING,
      restore: "bestValidation",
    },
  ];
}

/** The same model with another encoder; the one that it had is freed. */
export function replaceEncoder<Batch>(model: GatedClassifier<Batch>, encoder: Encoder<Batch>): GatedClassifier<Batch> {
  const { head, classes } = model;
  model.encoder.dispose();
  return new GatedClassifier({ encoder, head, classes });
}

/** What two parts arrived at: the pruned model's weights, and the history of both, epochs counted through. */
export function joinParts(before: FitResult, after: FitResult, first: number): FitResult {
  const shifted = <Record extends { readonly epoch: number }>(record: Record): Record => ({
    ...record,
    epoch: record.epoch + first,
  });
  const moved = (segment: SegmentResult): SegmentResult => ({
    ...segment,
    equalBudget: shifted(segment.equalBudget),
    bestValidation: shifted(segment.bestValidation),
    warnings: [...new Set([...before.warnings, ...segment.warnings])],
  });
  const [segment, ...others] = after.segments;
  return {
    history: [...before.history, ...after.history.map((record): EpochRecord => shifted(record))],
    segments: [moved(segment), ...others.map(moved)],
    warnings: [...new Set([...before.warnings, ...after.warnings])],
  };
}
