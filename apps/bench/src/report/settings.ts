/** How the runs were made: what all of a benchmark's runs share, and where they differ. */

import type { RunResult } from "../result.ts";
import { allCells, type BenchmarkGroup } from "./aggregate.ts";
import { formatFraction } from "./format.ts";

function flatten(value: unknown, path: string, out: Map<string, string>): Map<string, string> {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === "" ? key : `${path}.${key}`, out);
  } else out.set(path, typeof value === "string" ? value : (JSON.stringify(value) ?? String(value)));
  return out;
}

/** Settings with one value in all runs, and those with several, each value with the methods that use it. */
export function settingsOf(group: BenchmarkGroup): {
  shared: [string, string][];
  varying: [string, string][];
} {
  const runs = allCells(group).flatMap((cell) => cell.runs);
  const flat = runs.map((run) => ({ method: run.method, settings: flatten(run.config, "", new Map()) }));
  const keys = [...new Set(flat.flatMap(({ settings }) => [...settings.keys()]))].sort();
  const shared: [string, string][] = [];
  const varying: [string, string][] = [];
  for (const key of keys) {
    const methodsByValue = new Map<string, Set<string>>();
    for (const { method, settings } of flat) {
      const value = settings.get(key) ?? "not set";
      methodsByValue.set(value, (methodsByValue.get(value) ?? new Set()).add(method));
    }
    const [only] = methodsByValue.keys();
    if (methodsByValue.size === 1 && only !== undefined) shared.push([key, only]);
    else {
      const text = [...methodsByValue].map(([value, methods]) => `${value} (${[...methods].join(", ")})`).join("; ");
      varying.push([key, text]);
    }
  }
  return { shared, varying };
}

/** Each distinct warning with the runs that gave it. */
export function warningsOf(group: BenchmarkGroup): { text: string; runs: string[] }[] {
  const found = new Map<string, string[]>();
  for (const run of allCells(group).flatMap((cell) => cell.runs)) {
    for (const text of run.warnings) found.set(text, [...(found.get(text) ?? []), runName(run)]);
  }
  return [...found].map(([text, runs]) => ({ text, runs }));
}

function runName(run: RunResult): string {
  const fraction = run.active.requested === undefined ? "" : ` at ${formatFraction(run.active.requested)}`;
  return `${run.method}${fraction}, seed ${run.seed}`;
}

/** The versions that the runs recorded, by name; several where they differ. */
export function versionsOf(runs: readonly RunResult[]): [string, string][] {
  const found = new Map<string, Set<string>>();
  for (const [name, version] of runs.flatMap((run) => Object.entries(run.versions))) {
    found.set(name, (found.get(name) ?? new Set()).add(version));
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, versions]) => [name, [...versions].join(", ")]);
}

/** One row a seed: the seed streams that its runs used. */
export function seedStreamsOf(group: BenchmarkGroup): [string, string][] {
  return group.seeds.map((seed) => {
    const streams = new Set(
      allCells(group)
        .flatMap((cell) => cell.runs)
        .filter((run) => run.seed === seed)
        .map((run) =>
          Object.entries(run.seeds)
            .map(([name, value]) => `${name} ${value}`)
            .join(", "),
        ),
    );
    return [`seed ${seed}`, [...streams].join("; ")];
  });
}
