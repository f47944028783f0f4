import { ConfigError } from "@l0gm/core";
import { notYet } from "../data/catalogue.ts";
import { adult } from "./adult.ts";
import { csvTable } from "./csv-table.ts";
import type { Task } from "./task.ts";

/** Every benchmark and kind of own data, by name. */
export const TASKS: readonly Task<unknown>[] = [adult, csvTable];

/** @throws ConfigError that lists the names when there is no such task */
export function taskNamed(name: string): Task<unknown> {
  const task = TASKS.find((candidate) => candidate.name === name);
  if (task !== undefined) return task;
  throw new ConfigError({
    where: "benchmark",
    expected: `one of ${TASKS.map((candidate) => candidate.name).join(", ")}`,
    received: name,
    ...notYet(name),
  });
}

/** @throws ConfigError when the task has no split of that name */
export function splitOf(task: Task<unknown>, name: string | undefined): string {
  const split = name ?? task.splits[0];
  if (task.splits.includes(split)) return split;
  throw new ConfigError({
    where: `--split of ${task.name}`,
    expected: `one of ${task.splits.join(", ")}`,
    received: split,
  });
}
