import { budgetOf } from "@l0gm/core";
import { codeVersion } from "../run/code-version.ts";
import { controllerFor } from "../run/controller.ts";
import { type Method, type PlannedRun, planRun } from "../run/spec.ts";
import { parseConfig } from "../tasks/config.ts";
import { splitOf, taskNamed } from "../tasks/registry.ts";
import type { TaskSource } from "../tasks/task.ts";

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
  for (const { benchmark, methods, seeds, split, config: settings, configName, source } of requests) {
    const task = taskNamed(benchmark);
    const config = parseConfig(task.config, settings, configName);
    const spec = { benchmark, split: splitOf(task, split), config, source };
    for (const method of methods) {
      for (const { fraction } of controllerFor(method, config)?.segments ?? []) {
        if (fraction !== undefined) budgetOf(fraction, config.width);
      }
    }
    const data = await task.identify(source, config);
    for (const seed of seeds)
      for (const method of methods) planned.push(planRun({ ...spec, method, seed }, data, code, out));
  }
  // A list can say one thing twice (`--targets 1/2,0.5`); two workers in one folder would undo each other's work.
  return [...new Map(planned.map((run) => [run.key, run])).values()];
}
