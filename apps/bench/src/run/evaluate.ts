import {
  accuracy,
  applyTemperature,
  auroc,
  averagePrecision,
  brierScore,
  calibrationError,
  fitTemperature,
  macroF1,
  negativeLogLikelihood,
  type Predictions,
  reliabilityCurve,
  smoothCalibrationError,
  TEMPERATURE_LIMITS,
} from "@l0gm/core";
import type { Metrics } from "../result.ts";

/** Predictions of one model, by split. */
export type SplitPredictions = Readonly<Record<"validation" | "test", Predictions>>;

type Probabilistic = Pick<Metrics, keyof Metrics["temperatureScaled"]>;

function probabilistic(p: Predictions): Probabilistic {
  return {
    nll: negativeLogLikelihood(p),
    brier: brierScore(p),
    ece: calibrationError(p),
    eceEqualMass: calibrationError(p, { binning: "equal-mass" }),
    eceClasswise: calibrationError(p, { target: "classwise" }),
    mce: calibrationError(p, { norm: "max" }),
    rmsDebiased: calibrationError(p, { binning: "equal-mass", norm: "l2", debiased: true }),
    smoothEce: smoothCalibrationError(p),
    reliability: reliabilityCurve(p).flatMap(({ confidence, accuracy, ...bin }) =>
      confidence === null || accuracy === null ? [] : [{ ...bin, confidence, accuracy }],
    ),
  };
}

/** All metrics of some rows, before and after scaling with a temperature that was fitted elsewhere. */
export function measure(p: Predictions, temperature: number): Metrics {
  // A ranking of classes needs rows of more than one; a small subgroup can lack them.
  const ranked = p.labels.some((label) => label !== p.labels[0]);
  return {
    rows: p.labels.length,
    accuracy: accuracy(p),
    macroF1: macroF1(p),
    ...(ranked ? { auroc: auroc(p) } : {}),
    ...(ranked && p.classes === 2 ? { averagePrecision: averagePrecision(p) } : {}),
    ...probabilistic(p),
    temperature,
    temperatureScaled: probabilistic(applyTemperature(p, temperature)),
  };
}

/**
 * The temperature that validation rows decide. Few rows can decide none: where every one of them is classified right, an ever lower
 * temperature is ever better, and probabilities would become 0 and 1 on the word of some dozen rows.
 *
 * @returns undefined where the fit runs to its lower limit; at the upper one nearly uniform probabilities are the right answer
 */
export function decidedTemperature(validation: Predictions): number | undefined {
  const temperature = fitTemperature(validation);
  return temperature > TEMPERATURE_LIMITS.lowest ? temperature : undefined;
}

/** Metrics of both splits with the temperature fitted on validation, 1 where validation decides none. */
export function measureSplits({ validation, test }: SplitPredictions): { validation: Metrics; test: Metrics } {
  const temperature = decidedTemperature(validation) ?? 1;
  return { validation: measure(validation, temperature), test: measure(test, temperature) };
}

/** What makes a split's measures say less than they seem to. */
export function splitWarnings(splits: SplitPredictions, classes: readonly string[]): string[] {
  const absent = Object.entries(splits).flatMap(([split, { labels }]) => {
    const present = new Set(labels);
    const names = classes.filter((_, code) => !present.has(code));
    return names.length === 0 ? [] : [`no ${split} row has the class ${names.join(", ")}`];
  });
  return decidedTemperature(splits.validation) === undefined
    ? [...absent, "the validation rows are too few or too easy to decide a temperature: T stays 1"]
    : absent;
}

/** The predictions of some rows, in the order of `rows`. */
export function selectRows({ logits, labels, classes }: Predictions, rows: readonly number[]): Predictions {
  const selected = new Float64Array(rows.length * classes);
  rows.forEach((row, i) => {
    selected.set(logits.subarray(row * classes, (row + 1) * classes), i * classes);
  });
  return { logits: selected, labels: Int32Array.from(rows, (row) => labels[row] ?? 0), classes };
}
