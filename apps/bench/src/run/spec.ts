import { createHash } from "node:crypto";
import { join } from "node:path";
import type { RunConfig } from "../tasks/config.ts";
import type { DataIdentity, TaskSource } from "../tasks/task.ts";

/** How a run decides which dimensions stay. */
export type Method =
  | { readonly kind: "dense" }
  | { readonly kind: "target"; readonly fraction: number }
  | { readonly kind: "penalty"; readonly lambda: number }
  | { readonly kind: "path" }
  /** One of the task's comparators, which has already changed the config. */
  | { readonly kind: "comparator"; readonly name: string; readonly level?: number };

/** All that decides a run's numbers, data and code aside. */
export interface RunSpec {
  readonly benchmark: string;
  readonly method: Method;
  readonly seed: number;
  readonly split: string;
  readonly config: RunConfig;
  readonly source: TaskSource;
}

/** A run that knows its data, its code and its place. */
export interface PlannedRun extends RunSpec {
  readonly data: DataIdentity;
  /** See `codeVersion`. */
  readonly code: string;
  readonly key: string;
  /** The finished run's folder. */
  readonly folder: string;
}

/** The method's name in results. */
export function methodName(method: Method): string {
  if (method.kind === "comparator") {
    return method.level === undefined ? method.name : `${method.name}-${method.level}`;
  }
  const names = { dense: "dense", target: "l0gm", penalty: "l0gm-penalty", path: "l0gm-path" } as const;
  return names[method.kind];
}

/** `l0gm-0.125-seed3`: what a run is called in progress lines and folder names. */
export function runLabel({ method, seed }: Pick<RunSpec, "method" | "seed">): string {
  const setting = method.kind === "target" ? [method.fraction] : method.kind === "penalty" ? [method.lambda] : [];
  return [methodName(method), ...setting, `seed${seed}`].join("-");
}

/** What of a config a method reads: settings of another method decide nothing, so that changing them repeats no run. */
function settingsRead({ kind }: Method, config: RunConfig): object {
  const { target, penalty, path, ...shared } = config;
  const own = { dense: {}, target: { target }, penalty: { penalty }, path: { path }, comparator: {} };
  return { ...shared, ...own[kind] };
}

/**
 * Gives a run its key and its folder below `out`. Two runs with one key have the same numbers: the key hashes the settings that the
 * method reads, method, seed, split, the data's checksum and the code.
 */
export function planRun(spec: RunSpec, data: DataIdentity, code: string, out: string): PlannedRun {
  const { benchmark, method, seed, split, config } = spec;
  const identity = JSON.stringify([benchmark, method, seed, split, settingsRead(method, config), data, code]);
  const key = createHash("sha256").update(identity).digest("hex");
  const folder = join(out, benchmark, `${runLabel(spec)}-${key.slice(0, 8)}`);
  return { ...spec, data, code, key, folder };
}
