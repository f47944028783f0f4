/** Made-up runs with the shape of real ones, for tests and for looking at the report. No number here was measured. */

import { Random } from "@l0gm/core";
import type { Metrics, RunResult } from "../result.ts";

export interface SyntheticOptions {
  readonly benchmark?: string;
  readonly standInFor?: string;
  readonly simulated?: boolean;
  readonly seeds?: number;
  readonly fractions?: readonly number[];
  readonly methods?: readonly string[];
  /** Methods without a gate and a fraction. */
  readonly comparators?: readonly string[];
  readonly dimensions?: number;
  readonly classes?: number;
}

const EPOCHS = 30;
const CONSOLIDATION = 8;
const ROWS = 16_281;
const BINS = 15;

/** Accuracy lost per halving beyond an eighth, a method. */
const LOSS: Readonly<Record<string, number>> = {
  dense: 0,
  l0gm: 0.0014,
  "l0gm-path": 0.0019,
  "magnitude-topk": 0.004,
  "random-mask": 0.012,
  "l1-gate": 0.006,
  "stochastic-gates": 0.0022,
};

function reliability(random: Random, classes: number, overconfidence: number, rows: number): Metrics["reliability"] {
  const lowest = 1 / classes;
  const weights = Array.from({ length: BINS }, (_, i) => ((i + 1) / BINS <= lowest ? 0 : Math.exp((4 * i) / BINS)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, i) => {
    const count = Math.round((rows * weight) / total);
    const confidence = (i + 0.5) / BINS;
    const noise = count === 0 ? 0 : Math.sqrt((confidence * (1 - confidence)) / count) * random.normal();
    const accuracy = Math.min(1, Math.max(0, confidence - overconfidence * (1 - confidence) * 2 + noise));
    return {
      lower: i / BINS,
      upper: (i + 1) / BINS,
      count,
      confidence: count === 0 ? 0 : confidence,
      accuracy: count === 0 ? 0 : accuracy,
    };
  });
}

function gapOf(bins: Metrics["reliability"]): number {
  const rows = bins.reduce((sum, bin) => sum + bin.count, 0);
  return bins.reduce((sum, bin) => sum + (bin.count / rows) * Math.abs(bin.accuracy - bin.confidence), 0);
}

function calibration(random: Random, bins: Metrics["reliability"], nll: number): Metrics["temperatureScaled"] {
  const ece = gapOf(bins);
  return {
    nll,
    brier: 0.65 * nll + 0.001 * random.normal(),
    ece,
    eceEqualMass: ece * (1 + 0.05 * random.normal()),
    eceClasswise: ece * 0.9,
    mce: 4 * ece + 0.02 * random.next(),
    rmsDebiased: Math.max(0, ece * 0.9 - 0.003 + 0.0008 * random.normal()),
    smoothEce: ece * 0.85,
    reliability: bins,
  };
}

function metrics(random: Random, accuracy: number, overconfidence: number, classes: number, rows = ROWS): Metrics {
  const nll = 0.31 + (0.852 - accuracy) * 1.4 + overconfidence * 0.2 + 0.0006 * random.normal();
  const raw = calibration(random, reliability(random, classes, overconfidence, rows), nll);
  const scaled = calibration(random, reliability(random, classes, 0.003, rows), nll - 0.1 * overconfidence);
  return {
    ...raw,
    rows,
    accuracy,
    macroF1: accuracy - 0.065 + 0.001 * random.normal(),
    auroc: 0.905 + (accuracy - 0.852) + 0.0005 * random.normal(),
    ...(classes === 2 ? { averagePrecision: 0.765 + (accuracy - 0.852) } : {}),
    temperature: 1 + 4 * overconfidence + 0.01 * random.normal(),
    temperatureScaled: scaled,
  };
}

interface TraceShape {
  readonly dimensions: number;
  /** Open dimensions at the start and at the end. */
  readonly from: number;
  readonly to: number;
  readonly firstEpoch: number;
  readonly epochs: number;
  readonly consolidation: number;
  readonly gated: boolean;
}

/** `order` fixes which dimensions close first, so that the segments of one path agree. */
function trace(random: Random, order: Random, shape: TraceShape): RunResult["trace"] {
  const { dimensions, from, to, firstEpoch, epochs, consolidation, gated } = shape;
  const strength = Array.from({ length: dimensions }, (_, j) => j + dimensions * 0.15 * order.normal());
  const rank = strength.map((own) => strength.filter((other) => other < own).length);
  return Array.from({ length: epochs }, (_, i) => {
    const epoch = firstEpoch + i;
    const progress = Math.min(1, i / (epochs - consolidation));
    const target = from + (to - from) * progress;
    const open = rank.map((place) => 1 / (1 + Math.exp((place - target) / (2 + 10 * (1 - progress)))));
    const frozen = i >= epochs - consolidation;
    return {
      epoch,
      multiplier: gated && !frozen ? 0.4 * progress * (1 + 0.1 * random.normal()) : 0,
      expected: gated ? open.reduce((sum, p) => sum + p, 0) / dimensions : 1,
      separation: progress,
      trainLoss: 0.4 * Math.exp(-epoch / 6) + 0.29,
      validationNll: 0.14 * Math.exp(-epoch / 4) + 0.312 + (gated ? 0 : 0.0007 * epoch) + 0.0012 * random.normal(),
      learningRate: 0.001 * (1 - i / epochs),
      phase: gated ? (frozen ? ("consolidation" as const) : ("gates" as const)) : ("dense" as const),
      ...(gated ? { openProbabilities: open } : {}),
    };
  });
}

function run(
  options: Required<Omit<SyntheticOptions, "standInFor">> & SyntheticOptions,
  method: string,
  seed: number,
  fraction: number,
): RunResult {
  const { benchmark, dimensions, classes } = options;
  const random = Random.from(seed, benchmark, method, Math.round(fraction * 1000));
  const shared = Random.from(seed, benchmark);
  const gated = method !== "dense" && !options.comparators.includes(method);
  const count = gated ? Math.round(fraction * dimensions) : dimensions;
  const halvings = Math.log2(1 / fraction);
  const loss = (LOSS[method] ?? 0.005) * Math.max(0, halvings - 1.5);
  const accuracy = (): number => 0.8525 + 0.0008 * shared.normal() - loss + 0.0005 * random.normal();
  const over = (base: number): number => base * (gated ? 0.6 + 0.4 * fraction : 1);
  const split = (overconfidence: number): { validation: Metrics; test: Metrics } => ({
    validation: metrics(random, accuracy(), overconfidence, classes, 6513),
    test: metrics(random, accuracy(), overconfidence, classes),
  });
  const bestValidation = split(over(0.03));
  const path = method === "l0gm-path";
  const segment = path ? options.fractions.indexOf(fraction) : 0;
  const before = options.fractions[segment - 1] ?? 1;
  const shape: TraceShape = {
    dimensions,
    from: Math.round(before * dimensions),
    to: count,
    firstEpoch: segment * 8,
    epochs: path ? 8 : EPOCHS,
    consolidation: path ? 3 : CONSOLIDATION,
    gated,
  };
  return {
    format: "l0gm-result",
    version: 1,
    benchmark,
    ...(options.standInFor === undefined ? {} : { standInFor: options.standInFor }),
    method,
    seed,
    seeds: { split: 0, initial: seed + 1, shuffle: seed + 2, gate: seed + 3, dropout: seed + 4 },
    split: "official",
    config: {
      epochs: EPOCHS,
      batchSize: 512,
      optimizer: { weights: { rate: 0.001, decay: 0.01 }, gates: { rate: gated ? 0.02 : 0 } },
      encoder: { kind: "tabular/mlp", layers: [256, 256], dropout: 0.1 },
    },
    dimensions,
    active: {
      ...(gated ? { requested: fraction } : {}),
      expected: gated ? Math.min(1, fraction + 0.01 * random.next()) : 1,
      realised: count / dimensions,
      count,
    },
    gates: Array.from({ length: dimensions }, (_, j) =>
      j >= count ? 0 : gated ? Math.min(1, 0.75 + 0.5 * random.next()) : 1,
    ),
    metrics: bestValidation,
    protocols: { equalBudget: split(over(0.07)), bestValidation },
    subsets: {
      "without fnlwgt": metrics(random, accuracy() - 0.0004, 0.03, classes),
      "without repeated rows": metrics(random, accuracy(), 0.03, classes, ROWS - 23),
    },
    subgroups: [
      ["sex", "Female", 5421],
      ["sex", "Male", 10_860],
      ["race", "Black", 1561],
      ["race", "White", 13_946],
      ["race", "Amer-Indian-Eskimo", 159],
    ].map(([column, value, rows]) => ({
      column: String(column),
      value: String(value),
      metrics: metrics(random, accuracy() + (value === "Female" ? 0.07 : -0.02), 0.03, classes, Number(rows)),
    })),
    cost: {
      parameters: { dense: 151_298, compacted: 118_274 + 258 * count },
      macs: { dense: 149_760, compacted: 116_992 + 256 * count },
      embeddingBytes: { dense: 4 * dimensions, compacted: 4 * count },
      latencyMs: { rows: 256, dense: 0.412, gated: 0.431 + 0.01 * random.next(), compacted: 0.31 + 0.1 * fraction },
    },
    timing: { seconds: (path ? 6 : 21) + random.next(), peakRssBytes: 412_000_000, backend: "wasm" },
    trace: trace(random, Random.from(seed, benchmark, method, "order"), shape),
    warnings: fraction < 0.04 && seed === 1 ? ["collapse: 2 gates stayed saturated"] : [],
    data: {
      name: benchmark,
      checksum: "sha256:5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
      ...(options.simulated ? { simulated: true } : {}),
    },
    versions: { "@l0gm/core": "0.1.0", "@tensorflow/tfjs-core": "4.22.0", node: "20.20.2" },
  };
}

/** A whole sweep: dense once a seed, every other method at every fraction. */
export function syntheticRuns(options: SyntheticOptions = {}): RunResult[] {
  const full = {
    benchmark: "synthetic",
    simulated: false,
    seeds: 5,
    fractions: [1, 0.5, 0.25, 0.125, 0.0625, 0.03125],
    methods: ["dense", "l0gm", "l0gm-path", "magnitude-topk", "random-mask", "stochastic-gates"],
    comparators: [],
    dimensions: 128,
    classes: 2,
    ...options,
  };
  const ungated = ["dense", ...full.comparators];
  return [...full.methods, ...full.comparators].flatMap((method) =>
    Array.from({ length: full.seeds }, (_, seed) => seed).flatMap((seed) =>
      (ungated.includes(method) ? [1] : full.fractions).map((fraction) => run(full, method, seed, fraction)),
    ),
  );
}
