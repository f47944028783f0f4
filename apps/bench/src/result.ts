/** One run's document: what `--json` prints and what `result.json` in the run's folder holds. */

import { z } from "zod";

const metricValue = z.number();

const calibration = z.object({
  nll: metricValue,
  brier: metricValue,
  ece: metricValue.describe("15 equal-width bins, top-label, l1"),
  eceEqualMass: metricValue.describe("15 equal-mass bins, top-label, l1"),
  eceClasswise: metricValue,
  mce: metricValue.describe("largest gap over the 15 equal-width bins"),
  rmsDebiased: metricValue.describe("debiased l2 error, 15 equal-mass bins (Kumar, Liang, Ma 2019)"),
  smoothEce: metricValue,
});

const reliabilityBin = z.object({
  lower: z.number(),
  upper: z.number(),
  count: z.number().int(),
  confidence: z.number(),
  accuracy: z.number(),
});

/** Every metric of one split under one protocol. */
export const metricsSchema = calibration.extend({
  rows: z.number().int(),
  accuracy: metricValue,
  macroF1: metricValue,
  auroc: metricValue.optional(),
  averagePrecision: metricValue.optional(),
  reliability: z.array(reliabilityBin).describe("15 equal-width bins; those without rows are left out"),
  temperature: metricValue.describe("fitted on the validation split, used here"),
  temperatureScaled: calibration.extend({ reliability: z.array(reliabilityBin) }),
});

const splits = z.object({ validation: metricsSchema, test: metricsSchema });

/** Test metrics of the rows that share one property, for example one value of `sex`. */
const subgroupSchema = z.object({ column: z.string(), value: z.string(), metrics: metricsSchema });

const gateTrace = z.object({
  epoch: z.number().int(),
  multiplier: z.number(),
  expected: z.number(),
  separation: z.number().describe("share of open probabilities outside [0.1, 0.9]"),
  trainLoss: z.number(),
  validationNll: z.number(),
  learningRate: z.number(),
  phase: z.enum(["gates", "consolidation", "dense"]),
  openProbabilities: z.array(z.number()).optional(),
});

export const resultSchema = z.object({
  format: z.literal("l0gm-result").default("l0gm-result"),
  version: z.literal(1).default(1),
  benchmark: z.string(),
  standInFor: z.string().optional(),
  method: z.string().describe("dense, l0gm, l0gm-path, or a comparator's name"),
  lambda: z.number().optional().describe("weight of the L0 penalty, where a run had one instead of a fraction"),
  seed: z.number().int(),
  seeds: z.object({
    split: z.number().int(),
    initial: z.number().int(),
    shuffle: z.number().int(),
    gate: z.number().int(),
    dropout: z.number().int(),
  }),
  split: z.string(),
  config: z.record(z.string(), z.unknown()),
  dimensions: z.number().int().describe("d, the width of the representation"),
  active: z.object({
    requested: z.number().optional(),
    expected: z.number().describe("mean open probability before the gates were frozen"),
    realised: z.number().describe("open dimensions of the finished model / d"),
    count: z.number().int(),
  }),
  gates: z.array(z.number()).describe("final gate value of each dimension"),
  metrics: splits.describe("the bestValidation protocol"),
  protocols: z.object({ equalBudget: splits, bestValidation: splits }),
  subsets: z.record(z.string(), metricsSchema).describe("test metrics on named subsets of the rows"),
  subgroups: z.array(subgroupSchema),
  cost: z.object({
    parameters: z.object({ dense: z.number().int(), compacted: z.number().int() }),
    macs: z.object({ dense: z.number().int(), compacted: z.number().int() }),
    embeddingBytes: z.object({ dense: z.number().int(), compacted: z.number().int() }),
    latencyMs: z
      .object({
        rows: z.number().int().optional().describe("rows of the batch"),
        dense: z.number().optional(),
        gated: z.number(),
        compacted: z.number(),
      })
      .describe("median time of one batch, from inputs to logits; a dense run has its own time in all three"),
  }),
  timing: z.object({ seconds: z.number(), peakRssBytes: z.number(), backend: z.string() }),
  trace: z.array(gateTrace),
  warnings: z.array(z.string()),
  data: z.object({
    name: z.string(),
    checksum: z.string(),
    simulated: z.boolean().optional().describe("true where rows were generated rather than collected"),
  }),
  versions: z.record(z.string(), z.string()),
});

export type Metrics = z.infer<typeof metricsSchema>;
export type RunResult = z.infer<typeof resultSchema>;
