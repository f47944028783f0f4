import { ConfigError } from "@l0gm/core";
import { adult } from "./adult.ts";
import type { RunConfig } from "./config.ts";
import { csvTable } from "./csv-table.ts";
import { amazonComputers, cora, ogbnProducts } from "./graph-benchmarks.ts";
import { imdb } from "./imdb.ts";
import { ownGraph } from "./own-graph.ts";
import { ownText } from "./own-text.ts";
import { spamAssassin } from "./spam-assassin.ts";
import type { Comparator, Task } from "./task.ts";

/** Every benchmark and kind of own data, by name. */
export const TASKS: readonly Task<unknown>[] = [
  adult,
  csvTable,
  imdb,
  spamAssassin,
  ownText,
  ogbnProducts,
  amazonComputers,
  cora,
  ownGraph,
];

/** @throws ConfigError that lists the names when there is no such task */
export function taskNamed(name: string): Task<unknown> {
  const task = TASKS.find((candidate) => candidate.name === name);
  if (task !== undefined) return task;
  throw new ConfigError({
    where: "benchmark",
    expected: `one of ${TASKS.map((candidate) => candidate.name).join(", ")}`,
    received: name,
  });
}

/** @throws ConfigError when the task has no split of that name */
export function splitOf(task: Task<unknown>, name: string | undefined): string {
  const split = name ?? task.splits[0];
  if (task.splits.includes(split) || task.ownSplits === true) return split;
  throw new ConfigError({
    where: `--split of ${task.name}`,
    expected: `one of ${task.splits.join(", ")}`,
    received: split,
  });
}

/** @throws ConfigError when the task has no comparator of that name */
export function comparatorOf({ name: task, comparators = {} }: Task<unknown>, name: string): Comparator<RunConfig> {
  const comparator = Object.hasOwn(comparators, name) ? comparators[name] : undefined;
  if (comparator !== undefined) return comparator;
  const names = Object.keys(comparators);
  throw new ConfigError({
    where: `comparators of ${task}`,
    expected: names.length === 0 ? "none, as it has none" : `one of ${names.join(", ")}`,
    received: name,
  });
}
