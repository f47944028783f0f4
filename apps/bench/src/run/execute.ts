import {
  assignWeights,
  type Callback,
  type EpochRecord,
  encodeSafetensors,
  type FitResult,
  fit,
  GatedClassifier,
  type Predictions,
  type Protocol,
  predict,
  type SafeTensor,
  type Seeds,
  type SegmentResult,
  save,
  seedsFrom,
  useBackend,
} from "@l0gm/core";
import { directory } from "@l0gm/core/node";
import { type RunResult, resultSchema } from "../result.ts";
import type { RunConfig } from "../tasks/config.ts";
import { taskNamed } from "../tasks/registry.ts";
import type { TaskData } from "../tasks/task.ts";
import { controllerFor, epochsOf, learningRateCourse } from "./controller.ts";
import { measureCost } from "./cost.ts";
import { measure, measureSplits, type SplitPredictions, selectRows } from "./evaluate.ts";
import { EpochLog } from "./log.ts";
import { methodName, type PlannedRun } from "./spec.ts";
import { versions } from "./versions.ts";
import type { Workspace } from "./workspace.ts";

/** Called along the way. */
export interface RunHooks {
  onEpoch?(record: EpochRecord, epochs: number): void;
  readonly signal?: AbortSignal;
}

/** The test split is the publisher's, or is drawn once: seeds vary everything but this. */
const SPLIT_SEED = 0;

/**
 * One run in this process, from data to results: one result, or one a fraction in path mode. Everything is kept in the workspace; a
 * run found there half done goes on from its checkpoint and ends with the same numbers.
 *
 * @throws L0gmError when config or data are wrong or a number stops being finite
 */
export async function executeRun(run: PlannedRun, workspace: Workspace, hooks: RunHooks = {}): Promise<RunResult[]> {
  const { config, method, split, source } = run;
  const seeds = seedsFrom(run.seed, { split: SPLIT_SEED });
  const { backend } = await useBackend(config.backend);
  const task = taskNamed(run.benchmark);
  const data = await task.load({ config, source, split, seed: seeds.split });
  const model = new GatedClassifier({
    encoder: data.encoder(seeds.initial),
    classes: data.classes.length,
    gate: method.kind === "dense" ? false : gateOptions(config),
    seed: seeds.initial,
  });
  try {
    // The first file: a run whose data are wrong leaves nothing behind.
    const { source: _, folder: __, ...identity } = run;
    await workspace.writeJson("config.json", identity);
    const log = await EpochLog.open(workspace.folder);
    const fitted = await train(run, model, data, seeds, workspace, log, hooks);
    for (const [name, json] of Object.entries(data.artefacts)) await workspace.writeJson(name, json);
    const results: RunResult[] = [];
    for (const [i, segment] of fitted.segments.entries()) {
      const folder = segment.fraction !== undefined && method.kind === "path" ? String(segment.fraction) : "";
      const started = performance.now();
      const evaluated = await evaluateSegment(model, data, segment);
      const trace = fitted.history.filter((record) => record.segment === i);
      // Parsed before it is written, so that what is kept can be read: a NaN, for example, would become null.
      const result = resultSchema.parse({
        format: "l0gm-result",
        version: 1,
        benchmark: run.benchmark,
        ...(task.standInFor === undefined ? {} : { standInFor: task.standInFor }),
        method: methodName(method),
        seed: run.seed,
        seeds,
        split,
        config,
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
          seconds: log.seconds(trace) + (performance.now() - started) / 1000,
          peakRssBytes: process.resourceUsage().maxRSS * 1024,
          backend,
        },
        trace: trace.map(({ segment: _, openProbabilities, ...record }) => ({
          ...record,
          // Four digits show all that a figure can.
          openProbabilities: openProbabilities.map((p) => Math.round(p * 1e4) / 1e4),
        })),
        warnings: [...fitted.warnings, ...evaluated.warnings],
        data: run.data,
        versions: versions(run.code),
      } satisfies RunResult);
      await keep(workspace.at(folder), model, seeds, run, evaluated.predictions);
      await workspace.at(folder).writeJson("result.json", result);
      results.push(result);
    }
    return results;
  } finally {
    model.dispose();
  }
}

function gateOptions({ gate: { initialOpen, noise, rule } }: RunConfig): object {
  return { initialOpen, noise, rule };
}

async function train<Batch>(
  run: PlannedRun,
  model: GatedClassifier<Batch>,
  data: TaskData<Batch>,
  seeds: Seeds,
  workspace: Workspace,
  log: EpochLog,
  hooks: RunHooks,
): Promise<FitResult> {
  const { config, method } = run;
  const epochs = epochsOf(method, config);
  const controller = controllerFor(method, config);
  const { weights, gate, clipNorm, earlyStopping } = config;
  log.start();
  return fit(model, data, {
    epochs,
    batchSize: config.batchSize === "auto" ? automaticBatchSize(data.train.rows) : config.batchSize,
    ...(controller === undefined ? {} : { controller }),
    weights: { learningRate: weights.learningRate, decay: weights.decay, schedule: learningRateCourse(config) },
    gates: { learningRate: gate.learningRate },
    clipNorm,
    ...(earlyStopping === undefined ? {} : { earlyStopping }),
    seeds,
    checkpoint: { handler: directory(workspace.folder) },
    ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
    callbacks: [
      breathe(),
      {
        onEpochEnd: async (record) => {
          await log.add(record);
          hooks.onEpoch?.(record, epochs);
        },
      },
    ],
  });
}

/** A power of two near a 128th of the rows: some 100 steps an epoch, whatever the size of the table. */
export function automaticBatchSize(rows: number): number {
  return Math.min(256, Math.max(16, 2 ** Math.round(Math.log2(rows / 128))));
}

/**
 * On WebAssembly a step awaits nothing that waits, so signals and messages would go unheard for as long as training lasts. This lets
 * them through some ten times a second.
 */
function breathe(): Callback<unknown> {
  let last = performance.now();
  return {
    onStepEnd: async () => {
      if (performance.now() - last < 100) return;
      await new Promise((resolve) => setImmediate(resolve));
      last = performance.now();
    },
  };
}

interface Evaluated {
  readonly measures: Pick<RunResult, "metrics" | "protocols" | "subsets" | "subgroups">;
  readonly cost: RunResult["cost"];
  readonly predictions: Readonly<Record<Protocol, SplitPredictions>>;
  readonly warnings: string[];
}

/** Leaves the model with the weights of the best validation epoch. */
async function evaluateSegment<Batch>(
  model: GatedClassifier<Batch>,
  data: TaskData<Batch>,
  segment: SegmentResult,
): Promise<Evaluated> {
  const apply = async (protocol: Protocol): Promise<SplitPredictions> => {
    assignWeights(model, segment[protocol].weights);
    return { validation: await predict(model, data.validation), test: await predict(model, data.test) };
  };
  const predictions = { equalBudget: await apply("equalBudget"), bestValidation: await apply("bestValidation") };
  const { validation, test } = predictions.bestValidation;
  const bestValidation = measureSplits(predictions.bestValidation);
  const { temperature } = bestValidation.validation;
  const ofRows = (rows: readonly number[]) => measure(selectRows(test, rows), temperature);
  const subsets = Object.entries(data.subsets).map(([name, rows]) => [name, ofRows(rows)]);
  return {
    measures: {
      metrics: bestValidation,
      protocols: { equalBudget: measureSplits(predictions.equalBudget), bestValidation },
      subsets: Object.fromEntries(subsets),
      subgroups: data.subgroups.map(({ rows, ...group }) => ({ ...group, metrics: ofRows(rows) })),
    },
    predictions,
    ...(await measureCost(model, data.validation, validation)),
  };
}

/** Model and predictions, beside the result. */
async function keep<Batch>(
  workspace: Workspace,
  model: GatedClassifier<Batch>,
  seeds: Seeds,
  { config, data, method, seed }: PlannedRun,
  predictions: Evaluated["predictions"],
): Promise<void> {
  await save(model, directory(`${workspace.folder}/model`), {
    seeds,
    config,
    data: { [data.name]: data.checksum },
    extra: { method, seed },
  });
  const tensors = Object.entries(predictions).flatMap(([protocol, splits]) =>
    Object.entries(splits).flatMap(([split, p]) => predictionTensors(`${protocol}/${split}`, p)),
  );
  await workspace.writeBytes("predictions.safetensors", encodeSafetensors(new Map(tensors)));
}

function predictionTensors(name: string, { logits, labels, classes }: Predictions): [string, SafeTensor][] {
  return [
    [`${name}/logits`, { dtype: "F32", shape: [labels.length, classes], data: Float32Array.from(logits) }],
    [`${name}/labels`, { dtype: "I32", shape: [labels.length], data: labels }],
  ];
}
