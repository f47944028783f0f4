import { budgetOf, ConfigError } from "@l0gm/core";
import { z } from "zod";
import { codeVersion } from "../run/code-version.ts";
import { controllerFor, epochsOf } from "../run/controller.ts";
import { type Method, methodName, type PlannedRun, planRun } from "../run/spec.ts";
import { parseConfig, type RunConfig } from "../tasks/config.ts";
import { comparatorOf, splitOf, taskNamed } from "../tasks/registry.ts";
import type { Task, TaskSource } from "../tasks/task.ts";

/** Runs of one benchmark, before defaults are filled in and names are checked. */
export interface RunRequest {
  readonly benchmark: string;
  readonly methods: readonly Method[];
  readonly seeds: readonly number[];
  readonly split?: string;
  /** Settings that differ from the benchmark's defaults. */
  readonly config: unknown;
  /** Where the settings came from, for messages. */
  readonly configName: string;
  readonly source: TaskSource;
}

/**
 * Checks all that can be checked without training and gives every run its place: a mistake in a grid shows before its first run.
 *
 * @throws L0gmError when a name, a setting, a fraction or the data is wrong
 */
export async function planRuns(requests: readonly RunRequest[], out: string): Promise<PlannedRun[]> {
  const code = codeVersion();
  const planned: PlannedRun[] = [];
  for (const { benchmark, methods, seeds, split, config: given, configName, source } of requests) {
    const task = taskNamed(benchmark);
    const spec = { benchmark, split: splitOf(task, split), source };
    const config = parseConfig(task.configFor?.(spec.split, given) ?? task.config, given, configName);
    if (methods.some(({ kind }) => kind === "path")) checkPathEpochs(given, configName);
    const settings = methods.map((method) => ({ method, config: configFor(task, method, config) }));
    for (const { method, config } of settings) checkSegments(method, config);
    for (const method of methods) {
      if (method.kind !== "comparator") continue;
      await comparatorOf(task, method.name).check?.(config, method.level ?? Number.NaN, source);
    }
    const data = await task.identify(source, config);
    for (const seed of seeds)
      for (const { method, config } of settings)
        planned.push(planRun({ ...spec, method, config, seed }, data, code, out));
  }
  // A list can say one thing twice (`--targets 1/2,0.5`); two workers in one folder would undo each other's work.
  return [...new Map(planned.map((run) => [run.key, run])).values()];
}

const epochsGiven = z.object({ epochs: z.number(), path: z.object({ epochs: z.number().optional() }).optional() });

/**
 * A path has a count of epochs of its own; who changes the one and leaves out the other would compare unlike budgets unawares.
 *
 * @throws ConfigError
 */
function checkPathEpochs(given: unknown, configName: string): void {
  const { data } = epochsGiven.safeParse(given);
  if (data === undefined || data.path?.epochs !== undefined) return;
  throw new ConfigError({
    where: configName,
    expected: "path.epochs beside epochs, which a path does not read",
    received: `epochs ${data.epochs} alone`,
    hint: "Set path.epochs to the passes over the training rows of the whole path.",
  });
}

/**
 * What `fit` would refuse once it has begun: fractions that leave no dimension, and too few epochs for all of them.
 *
 * @throws ConfigError
 */
export function checkSegments(method: Method, config: RunConfig): void {
  const segments = controllerFor(method, config)?.segments ?? [];
  for (const { fraction } of segments) if (fraction !== undefined) budgetOf(fraction, config.width);
  const epochs = epochsOf(method, config);
  if (epochs >= 2 * segments.length) return;
  throw new ConfigError({
    where: method.kind === "path" ? "path.epochs" : "epochs",
    expected: `at least ${2 * segments.length}, since gates are learnt and then frozen for each of ${segments.length} fractions`,
    received: epochs,
    hint: "Raise it, or ask for fewer fractions.",
  });
}

/**
 * A comparator is a dense run with other settings.
 *
 * @throws ConfigError when the comparator does not take its level with these
 */
export function configFor(task: Task<unknown>, method: Method, config: RunConfig): RunConfig {
  if (method.kind !== "comparator") return config;
  const changed = comparatorOf(task, method.name).configure(config, method.level ?? Number.NaN);
  // A level that the user named can be out of range.
  return parseConfig(task.config, changed, methodName(method));
}
