import {
  assignWeights,
  type EpochRecord,
  encodeSafetensors,
  type GatedClassifier,
  type Predictions,
  type Protocol,
  predict,
  type SafeTensor,
  type Seeds,
  type SegmentResult,
  save,
} from "@l0gm/core";
import { directory } from "@l0gm/core/node";
import { type RunResult, resultSchema } from "../result.ts";
import type { TaskData, UntrainedPredictions } from "../tasks/task.ts";
import { measureCost } from "./cost.ts";
import { measure, measureSplits, type SplitPredictions, selectRows, splitWarnings } from "./evaluate.ts";
import { methodName, type PlannedRun } from "./spec.ts";
import { versions } from "./versions.ts";
import type { Workspace } from "./workspace.ts";

/** What a result tells of its run. */
export interface RunContext {
  readonly run: PlannedRun;
  readonly standInFor: string | undefined;
  readonly seeds: Seeds;
  /** The backend in force. */
  readonly backend: string;
  readonly warnings: readonly string[];
}

/** What a result tells besides what the segment arrived at. */
export interface SegmentContext extends RunContext {
  /** The segment's epochs. */
  readonly trace: readonly EpochRecord[];
  readonly trainingSeconds: number;
}

/**
 * Measures a trained segment on validation and test, and keeps result, predictions and the model of the best validation epoch, whose
 * weights `model` has afterwards.
 */
export async function concludeSegment<Batch>(
  model: GatedClassifier<Batch>,
  data: TaskData<Batch>,
  segment: SegmentResult,
  context: SegmentContext,
  workspace: Workspace,
  signal?: AbortSignal,
): Promise<RunResult> {
  const started = performance.now();
  const { run, seeds, backend, trace, trainingSeconds, warnings } = context;
  const evaluated = await evaluate(model, data, segment, signal);
  // Parsed before it is written, so that what is kept can be read: a NaN, for example, would become null.
  const result = resultSchema.parse({
    ...identity(context),
    dimensions: model.width,
    active: {
      ...(segment.fraction === undefined ? {} : { requested: segment.fraction }),
      expected: segment.expected,
      realised: segment.realised,
      count: segment.gates.filter((value) => value > 0).length,
    },
    gates: [...segment.gates],
    ...evaluated.measures,
    cost: evaluated.cost,
    timing: {
      seconds: trainingSeconds + (performance.now() - started) / 1000,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      backend,
    },
    trace: trace.map(traceEntry),
    warnings: [...warnings, ...evaluated.warnings],
  } satisfies RunResult);
  await save(model, directory(`${workspace.folder}/model`), {
    seeds,
    config: run.config,
    data: { [run.data.name]: run.data.checksum },
    extra: { method: run.method, seed: run.seed },
  });
  await workspace.writeBytes("predictions.safetensors", encodePredictions(evaluated.predictions));
  await workspace.writeJson("result.json", result);
  return result;
}

function identity({ run, standInFor, seeds }: RunContext) {
  return {
    format: "l0gm-result",
    version: 1,
    benchmark: run.benchmark,
    ...(standInFor === undefined ? {} : { standInFor }),
    method: methodName(run.method),
    ...(run.method.kind === "penalty" ? { lambda: run.method.lambda } : {}),
    seed: run.seed,
    seeds,
    split: run.split,
    config: run.config,
    data: run.data,
    versions: versions(run.code),
  } as const;
}

/** The result of a comparator that is no model: it has no representation, no gates and nothing to save. */
export async function concludeUntrained<Batch>(
  { macs, milliseconds, rows, ...splits }: UntrainedPredictions,
  data: TaskData<Batch>,
  context: RunContext,
  workspace: Workspace,
): Promise<RunResult> {
  const started = performance.now();
  const { width } = context.run.config;
  const none = { dense: 0, compacted: 0 };
  const predictions = { equalBudget: splits, bestValidation: splits };
  const result = resultSchema.parse({
    ...identity(context),
    // Of the runs that it is compared with.
    dimensions: width,
    active: { expected: 1, realised: 1, count: width },
    gates: [],
    ...measures(predictions, data),
    cost: {
      parameters: none,
      macs: { dense: macs, compacted: macs },
      embeddingBytes: none,
      latencyMs: { rows, dense: milliseconds, gated: milliseconds, compacted: milliseconds },
    },
    timing: {
      seconds: (milliseconds + performance.now() - started) / 1000,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      backend: "none",
    },
    trace: [],
    warnings: [...context.warnings, ...splitWarnings(splits, data.classes)],
  } satisfies RunResult);
  await workspace.writeBytes("predictions.safetensors", encodePredictions(predictions));
  await workspace.writeJson("result.json", result);
  return result;
}

function traceEntry({ segment: _, openProbabilities, ...record }: EpochRecord): RunResult["trace"][number] {
  if (openProbabilities.length === 0) return record;
  // Four digits show all that a figure can.
  return { ...record, openProbabilities: openProbabilities.map((p) => Math.round(p * 1e4) / 1e4) };
}

interface Evaluated {
  readonly measures: Pick<RunResult, "metrics" | "protocols" | "subsets" | "subgroups">;
  readonly cost: RunResult["cost"];
  readonly predictions: Readonly<Record<Protocol, SplitPredictions>>;
  readonly warnings: string[];
}

/** Leaves the model with the weights of the best validation epoch. */
async function evaluate<Batch>(
  model: GatedClassifier<Batch>,
  data: TaskData<Batch>,
  segment: SegmentResult,
  signal: AbortSignal | undefined,
): Promise<Evaluated> {
  const apply = async (protocol: Protocol): Promise<SplitPredictions> => {
    assignWeights(model, segment[protocol].weights);
    const predictSplit = (split: "validation" | "test") => predict(model, data[split], { signal });
    return { validation: await predictSplit("validation"), test: await predictSplit("test") };
  };
  const equalBudget = await apply("equalBudget");
  // Often one epoch is both.
  const same = segment.bestValidation.epoch === segment.equalBudget.epoch;
  const predictions = { equalBudget, bestValidation: same ? equalBudget : await apply("bestValidation") };
  const { cost, warnings } = await measureCost(model, data, predictions.bestValidation.validation, signal);
  return {
    measures: measures(predictions, data),
    predictions,
    cost,
    warnings: [...splitWarnings(predictions.bestValidation, data.classes), ...warnings],
  };
}

function measures<Batch>(
  predictions: Evaluated["predictions"],
  data: Pick<TaskData<Batch>, "subsets" | "subgroups">,
): Evaluated["measures"] {
  const bestValidation = measureSplits(predictions.bestValidation);
  const { temperature } = bestValidation.validation;
  const { test } = predictions.bestValidation;
  const ofRows = (rows: readonly number[]) => measure(selectRows(test, rows), temperature);
  const subsets = Object.entries(data.subsets).map(([name, rows]) => [name, ofRows(rows)]);
  return {
    metrics: bestValidation,
    protocols: { equalBudget: measureSplits(predictions.equalBudget), bestValidation },
    subsets: Object.fromEntries(subsets),
    subgroups: data.subgroups.map(({ rows, ...group }) => ({ ...group, metrics: ofRows(rows) })),
  };
}

/** Logits and labels of both splits under both protocols, under names such as `bestValidation/test/logits`. */
function encodePredictions(predictions: Evaluated["predictions"]): Uint8Array {
  const tensors = Object.entries(predictions).flatMap(([protocol, splits]) =>
    Object.entries(splits).flatMap(([split, p]) => predictionTensors(`${protocol}/${split}`, p)),
  );
  return encodeSafetensors(new Map(tensors));
}

function predictionTensors(name: string, { logits, labels, classes }: Predictions): [string, SafeTensor][] {
  return [
    [`${name}/logits`, { dtype: "F32", shape: [labels.length, classes], data: Float32Array.from(logits) }],
    [`${name}/labels`, { dtype: "I32", shape: [labels.length], data: labels }],
  ];
}
