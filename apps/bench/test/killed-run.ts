import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { RunResult } from "../src/result.ts";
import { readResults } from "../src/run/store.ts";
import { start, temporaryFolder } from "./command-line.ts";

/** Times differ between two runs of the same numbers; nothing else may. */
export function numbers({ timing: _, cost: { latencyMs: __, ...cost }, ...rest }: RunResult): unknown {
  return { ...rest, cost };
}

/** Epochs in the log of a benchmark's one run below `out`. */
export function loggedEpochs(out: string, benchmark: string): number {
  const runs = join(out, benchmark);
  const logs = existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name, "log.jsonl")) : [];
  const [log] = logs.filter((path) => existsSync(path));
  return log === undefined ? 0 : readFileSync(log, "utf8").split("\n").length - 1;
}

/** Removes what locks of killed runs are left, so that a test need not wait the half minute until they count as such. */
export function unlock(out: string, benchmark: string): void {
  const runs = join(out, benchmark);
  for (const name of readdirSync(runs)) if (name.endsWith(".lock")) rmSync(join(runs, name), { recursive: true });
}

/**
 * Runs a benchmark to a quarter of its dimensions twice, once killed during training and resumed. Caches go where nothing else is.
 *
 * @param epochs - of the run: it is killed before the last one ends
 */
export async function killedAndNot(
  benchmark: string,
  options: readonly string[],
  epochs: number,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ readonly killed: RunResult; readonly whole: RunResult; readonly printed: unknown }> {
  const folder = temporaryFolder();
  const [whole, cut] = [join(folder, "whole"), join(folder, "cut")];
  const run = (out: string, ...more: readonly string[]) =>
    start(["run", benchmark, "--target", "1/4", ...options, "--out", out, ...more], {
      XDG_CACHE_HOME: folder,
      ...environment,
    });
  const logged = (): number => loggedEpochs(cut, benchmark);
  const child = run(cut);
  await expect.poll(logged, { timeout: 90_000, interval: 10 }).toBeGreaterThan(2);
  child.process.kill("SIGKILL");
  await child.ended;
  expect(logged()).toBeLessThan(epochs);
  unlock(cut, benchmark);
  const [resumed, uninterrupted] = await Promise.all([run(cut, "--json").ended, run(whole).ended]);
  for (const { code, stderr } of [resumed, uninterrupted]) expect(code, stderr).toBe(0);
  // An epoch whose checkpoint was lost is trained again; all others only once.
  expect(logged()).toBeLessThanOrEqual(epochs + 1);
  const [[one], [other]] = await Promise.all([readResults(cut), readResults(whole)]);
  return { killed: one as RunResult, whole: other as RunResult, printed: JSON.parse(resumed.stdout) };
}
