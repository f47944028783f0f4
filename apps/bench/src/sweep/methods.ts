import { ConfigError } from "@l0gm/core";
import type { Method } from "../run/spec.ts";
import { comparatorOf } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";

const METHODS = ["dense", "l0gm", "l0gm-path"];

/**
 * The methods that a list of names stands for. A comparator's name stands for all of its levels; with a level, as in `drop-edge-0.5`,
 * for that one.
 *
 * @param targets - active fractions of `l0gm`
 * @throws ConfigError when the task has no method of a name
 */
export function methodsNamed(names: readonly string[], targets: readonly number[], task: Task<unknown>): Method[] {
  return names.flatMap((name): Method[] => {
    switch (name) {
      case "dense":
        return [{ kind: "dense" }];
      case "l0gm":
        return targets.map((fraction) => ({ kind: "target", fraction }));
      case "l0gm-path":
        return [{ kind: "path" }];
      default:
        return comparatorsNamed(name, task);
    }
  });
}

function comparatorsNamed(text: string, task: Task<unknown>): Method[] {
  const known = Object.keys(task.comparators ?? {});
  const name = known.find((candidate) => text === candidate || text.startsWith(`${candidate}-`));
  const { levels } = name === undefined ? {} : comparatorOf(task, name);
  if (name !== undefined && text === name) {
    return levels === undefined
      ? [{ kind: "comparator", name }]
      : levels.map((level) => ({ kind: "comparator", name, level }));
  }
  const level = name === undefined ? Number.NaN : Number(text.slice(name.length + 1));
  if (name !== undefined && levels !== undefined && Number.isFinite(level))
    return [{ kind: "comparator", name, level }];
  throw new ConfigError({
    where: `methods of ${task.name}`,
    expected: `a list out of ${[...METHODS, ...known].join(", ")}`,
    received: text,
    hint: "A level may follow a comparator that has levels, as in drop-edge-0.5.",
  });
}
