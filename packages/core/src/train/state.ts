import type { Weights } from "../model/weights.ts";
import type { EpochRecord } from "./callbacks.ts";
import type { Protocol } from "./options.ts";

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
  /** Collapse and other things in this segment that should not go unseen, each once. */
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
  /** The epoch from which early stopping counts its patience: the last one that was better by enough. */
  improved: { epoch: number; validationNll: number } | undefined;
  last: ProtocolResult | undefined;
  history: EpochRecord[];
  segments: SegmentResult[];
  /** Of the segment. */
  warnings: string[];
  model: Weights;
  moments: Weights;
  optimizerSteps: readonly number[];
}

/** Before the first step. */
export function freshState(): FitState {
  return {
    epoch: 0,
    step: 0,
    segment: 0,
    local: 0,
    multiplier: 0,
    expected: 1,
    frozen: undefined,
    best: undefined,
    improved: undefined,
    last: undefined,
    history: [],
    segments: [],
    warnings: [],
    model: new Map(),
    moments: new Map(),
    optimizerSteps: [],
  };
}

/** Adds a warning unless it is there already. */
export function warnOnce(state: FitState, warning: string): void {
  if (!state.warnings.includes(warning)) state.warnings.push(warning);
}
