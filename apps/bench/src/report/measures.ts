import type { Metrics, RunResult } from "../result.ts";

/** The two rules by which a run's final epoch is chosen. */
export type Protocol = "bestValidation" | "equalBudget";

/** Before or after temperature scaling. */
export type Stage = "raw" | "scaled";

export const PROTOCOLS: readonly Protocol[] = ["equalBudget", "bestValidation"];
export const STAGES: readonly Stage[] = ["raw", "scaled"];

export const PROTOCOL_LABELS: Readonly<Record<Protocol, string>> = {
  equalBudget: "equal budget",
  bestValidation: "best validation",
};

export const STAGE_LABELS: Readonly<Record<Stage, string>> = {
  raw: "before temperature scaling",
  scaled: "after temperature scaling",
};

/** How one measure is named and written. */
export interface Measure {
  readonly label: string;
  /** 100 where the measure is shown in per cent and its differences in points, else 1. */
  readonly scale: 1 | 100;
  readonly digits: number;
}

const measure = (label: string, scale: 1 | 100, digits: number): Measure => ({ label, scale, digits });

/** Measures of the predicted probabilities: temperature changes them. */
export type ProbabilityMeasure =
  | "nll"
  | "brier"
  | "ece"
  | "eceEqualMass"
  | "eceClasswise"
  | "mce"
  | "rmsDebiased"
  | "smoothEce";

export type MeasureKey = "accuracy" | "macroF1" | "auroc" | "averagePrecision" | ProbabilityMeasure | "temperature";

/** Measures whose difference to dense is also bootstrapped over test rows. */
export type RowMeasure = "accuracy" | "nll" | "ece";

export const MEASURES: Readonly<Record<MeasureKey, Measure>> = {
  accuracy: measure("Accuracy", 100, 2),
  macroF1: measure("Macro-F1", 100, 2),
  auroc: measure("AUROC", 1, 4),
  averagePrecision: measure("Avg. precision", 1, 4),
  nll: measure("NLL", 1, 4),
  brier: measure("Brier", 1, 4),
  ece: measure("ECE", 1, 4),
  eceEqualMass: measure("ECE, equal mass", 1, 4),
  eceClasswise: measure("ECE, classwise", 1, 4),
  mce: measure("MCE", 1, 3),
  rmsDebiased: measure("RMS, debiased", 1, 4),
  smoothEce: measure("Smooth ECE", 1, 4),
  temperature: measure("T", 1, 3),
};

const PROBABILITY_MEASURES: readonly ProbabilityMeasure[] = [
  "nll",
  "brier",
  "ece",
  "eceEqualMass",
  "eceClasswise",
  "mce",
  "rmsDebiased",
  "smoothEce",
];

function isProbabilityMeasure(key: MeasureKey): key is ProbabilityMeasure {
  return PROBABILITY_MEASURES.some((name) => name === key);
}

export function isRowMeasure(key: MeasureKey): key is RowMeasure {
  return key === "accuracy" || key === "nll" || key === "ece";
}

/** A measure of one split; undefined where the run does not have it or it is not finite. */
export function readMeasure(metrics: Metrics, key: MeasureKey, stage: Stage = "raw"): number | undefined {
  const value = stage === "scaled" && isProbabilityMeasure(key) ? metrics.temperatureScaled[key] : metrics[key];
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

/** A run's test metrics under one protocol. */
export function testMetrics(run: RunResult, protocol: Protocol): Metrics {
  return run.protocols[protocol].test;
}
