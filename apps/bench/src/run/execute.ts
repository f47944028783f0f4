import {
  type EpochRecord,
  type FitResult,
  FormatError,
  fit,
  GatedClassifier,
  type GateOptions,
  seedsFrom,
  useBackend,
} from "@l0gm/core";
import { directory } from "@l0gm/core/node";
import type { RunResult } from "../result.ts";
import type { RunConfig } from "../tasks/config.ts";
import { taskNamed } from "../tasks/registry.ts";
import type { Preparation, Pruning, TaskData } from "../tasks/task.ts";
import { controllerFor, epochsOf, learningRateCourse } from "./controller.ts";
import { EpochLog } from "./log.ts";
import { joinParts, type Part, partsAroundPruning, replaceEncoder } from "./pruning.ts";
import { concludeSegment, concludeUntrained } from "./segment.ts";
import type { PlannedRun } from "./spec.ts";
import type { Workspace } from "./workspace.ts";

/** Called along the way, and what a run may use. */
export interface RunHooks {
  /** Threads of the WebAssembly backend; left out, its default. Results do not depend on them. */
  readonly threads?: number;
  onEpoch?(record: EpochRecord, epochs: number): void;
  onPrepare?(step: Preparation): void;
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
  const { backend } = await useBackend(config.backend, hooks.threads === undefined ? {} : { threads: hooks.threads });
  const task = taskNamed(run.benchmark);
  const { onPrepare, signal } = hooks;
  const data = await task.load({
    config,
    source,
    split,
    seed: seeds.split,
    ...(onPrepare === undefined ? {} : { onPrepare }),
    ...(signal === undefined ? {} : { signal }),
  });
  const untrained = method.kind === "comparator" ? data.untrained?.[method.name] : undefined;
  if (untrained !== undefined) {
    const context = { run, standInFor: task.standInFor, seeds, backend, warnings: data.warnings ?? [] };
    return [await concludeUntrained(untrained(), data, context, workspace)];
  }
  let model = new GatedClassifier({
    encoder: await data.encoder(seeds.initial),
    classes: data.classes.length,
    gate: method.kind === "dense" || method.kind === "comparator" ? false : gateOptions(config),
    seed: seeds.initial,
  });
  try {
    const pruning =
      method.kind === "comparator" ? data.pruned?.[method.name]?.(model, method.level ?? Number.NaN) : undefined;
    // The first file: a run whose data are wrong leaves nothing behind.
    const { source: _, folder: __, ...identity } = run;
    await workspace.writeJson("config.json", identity);
    const log = await EpochLog.open(workspace.folder);
    log.start();
    const trainPart = (part: Part): Promise<FitResult> => train(run, model, data, part, workspace, log, hooks);
    const prune = async (by: Pruning<unknown>): Promise<void> => {
      model = replaceEncoder(model, await by(seeds.shuffle));
    };
    const epochs = epochsOf(method, config);
    const fitted =
      pruning === undefined
        ? await trainPart({ epochs, first: 0, seeds, folder: "", restore: "bestValidation" })
        : await trainAroundPruning(partsAroundPruning(epochs, seeds), trainPart, () => prune(pruning));
    for (const [name, json] of Object.entries(data.artefacts)) await workspace.writeJson(name, json);
    const results: RunResult[] = [];
    for (const [i, segment] of fitted.segments.entries()) {
      const place = method.kind === "path" ? workspace.at(String(segment.fraction)) : workspace;
      const trace = fitted.history.filter((record) => record.segment === i);
      const context = {
        run,
        standInFor: task.standInFor,
        seeds,
        backend,
        trace,
        warnings: [...(data.warnings ?? []), ...segment.warnings],
      };
      const result = await concludeSegment(
        model,
        data,
        segment,
        { ...context, trainingSeconds: log.seconds(trace) },
        place,
        signal,
      );
      results.push(result);
    }
    return results;
  } finally {
    model.dispose();
  }
}

function gateOptions({ gate: { initialOpen, noise, rule } }: RunConfig): GateOptions {
  return { initialOpen, noise, rule };
}

/** Trains, prunes and trains on; with a checkpoint of the latter, the first part is at its end at once and pruned alike. */
async function trainAroundPruning(
  [before, after]: ReturnType<typeof partsAroundPruning>,
  trainPart: (part: Part) => Promise<FitResult>,
  prune: () => Promise<void>,
): Promise<FitResult> {
  const whole = await trainPart(before);
  await prune();
  return joinParts(whole, await trainPart(after), after.first);
}

async function train<Batch>(
  run: PlannedRun,
  model: GatedClassifier<Batch>,
  data: TaskData<Batch>,
  { epochs, first, seeds, folder, restore }: Part,
  workspace: Workspace,
  log: EpochLog,
  hooks: RunHooks,
): Promise<FitResult> {
  const { config, method } = run;
  const controller = controllerFor(method, config);
  const { weights, gate, clipNorm, earlyStopping } = config;
  const all = epochsOf(method, config);
  const fitted = fit(model, data, {
    epochs,
    batchSize: config.batchSize === "auto" ? (data.batchSize ?? automaticBatchSize(data.train.rows)) : config.batchSize,
    ...(controller === undefined ? {} : { controller }),
    weights: { learningRate: weights.learningRate, decay: weights.decay, schedule: learningRateCourse(config) },
    gates: { learningRate: gate.learningRate },
    clipNorm,
    accumulation: config.accumulation,
    ...(earlyStopping === undefined ? {} : { earlyStopping }),
    seeds,
    restore,
    checkpoint: { handler: directory(workspace.at(folder).folder) },
    ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
    callbacks: [
      {
        onEpochEnd: async (ofPart) => {
          const record = { ...ofPart, epoch: first + ofPart.epoch };
          await log.add(record);
          hooks.onEpoch?.(record, all);
        },
      },
    ],
  });
  return fitted.catch((cause: unknown) => {
    if (!(cause instanceof FormatError)) throw cause;
    const { where, expected, received } = cause;
    const hint = `The run's checkpoint is damaged; remove ${workspace.folder} to start the run anew.`;
    throw new FormatError({ where, expected, received, hint }, { cause });
  });
}

/** A power of two near a 64th of the rows: some 60 steps an epoch, whatever the size of the table. */
export function automaticBatchSize(rows: number): number {
  return Math.min(512, Math.max(16, 2 ** Math.round(Math.log2(rows / 64))));
}
