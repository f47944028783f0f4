import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { PlannedRun } from "../run/spec.ts";
import { finishedRun, keepFailure } from "../run/store.ts";
import type { Preparation } from "../tasks/task.ts";
import type { Assignment, Failure, WorkerMessage } from "./worker.ts";

/** What became of a run. */
export interface Outcome {
  readonly run: PlannedRun;
  /** `reused`: it was finished before. */
  readonly state: "done" | "reused" | "failed";
  readonly failure?: Failure;
}

/** Called along the way. */
export interface SweepHooks {
  onStart?(run: PlannedRun): void;
  onEpoch?(run: PlannedRun, progress: { epoch: number; epochs: number; validationNll: number }): void;
  onPrepare?(run: PlannedRun, step: Preparation): void;
  onEnd?(outcome: Outcome): void;
}

/** Options of {@link runAll}. */
export interface SweepOptions {
  /** Runs side by side. */
  readonly workers: number;
  readonly hooks?: SweepHooks;
  /** Stops all children; what they trained stays in their checkpoints. */
  readonly signal?: AbortSignal;
}

// Sources are .ts, their build is .js.
const WORKER = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));

/** As many runs as there are cores, a thread each. */
export function defaultWorkers(): number {
  return availableParallelism();
}

/**
 * Executes runs side by side, a child process each. Finished ones are taken as they are; one that fails is noted and the rest go on.
 *
 * @returns the outcomes in the order of `runs`
 * @throws the signal's reason when it is aborted, after all children have ended
 */
export async function runAll(
  runs: readonly PlannedRun[],
  { workers, hooks = {}, signal }: SweepOptions,
): Promise<Outcome[]> {
  const outcomes = new Map<PlannedRun, Outcome>();
  const end = (outcome: Outcome): void => {
    outcomes.set(outcome.run, outcome);
    hooks.onEnd?.(outcome);
  };
  const queue: PlannedRun[] = [];
  for (const run of runs) {
    if ((await finishedRun(run)) === undefined) queue.push(run);
    else end({ run, state: "reused" });
  }
  const threads = Math.max(1, Math.floor(availableParallelism() / Math.min(workers, queue.length)));
  const lane = async (): Promise<void> => {
    for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
      signal?.throwIfAborted();
      hooks.onStart?.(run);
      end(await runInChild(run, threads, hooks, signal));
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(workers, queue.length) }, lane));
  for (const result of lanes) if (result.status === "rejected") throw result.reason;
  return runs.flatMap((run) => outcomes.get(run) ?? []);
}

function runInChild(
  run: PlannedRun,
  threads: number,
  hooks: SweepHooks,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const share = String(threads);
  const child = fork(WORKER, {
    // Native TensorFlow would start a thread a core in every child. WebAssembly's threads are in the assignment.
    env: { ...process.env, OMP_NUM_THREADS: share, TF_NUM_INTRAOP_THREADS: share, TF_NUM_INTEROP_THREADS: share },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const stop = (): void => {
    child.kill("SIGKILL");
  };
  signal?.addEventListener("abort", stop);
  return new Promise<Outcome>((resolve, reject) => {
    let outcome: Outcome | undefined;
    const complaints = lastOutput(child);
    child.on("message", (message) => {
      const told = message as WorkerMessage;
      if (told.type === "epoch") hooks.onEpoch?.(run, told);
      else if (told.type === "prepare") hooks.onPrepare?.(run, told);
      else outcome = told.type === "done" ? { run, state: "done" } : { run, state: "failed", failure: told };
    });
    child.on("error", reject);
    child.on("close", async (code, killedBy) => {
      signal?.removeEventListener("abort", stop);
      if (outcome !== undefined) return resolve(outcome);
      if (signal?.aborted) return reject(signal.reason);
      const message = `its process ended with ${killedBy ?? `code ${code}`}\n${complaints()}`.trim();
      // The outcome says it too, so a folder that cannot be written is no reason to stop.
      await keepFailure(run, { message }).catch(() => {});
      resolve({ run, state: "failed", failure: { message, wrongInput: false } });
    });
    child.send({ run, threads } satisfies Assignment);
  });
}

/** The end of what a child writes to its standard error, for the case that it dies. */
function lastOutput(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => {
    text = (text + piece).slice(-4000);
  });
  return () => text;
}
