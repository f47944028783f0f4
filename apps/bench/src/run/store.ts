import { access, constants, mkdir, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DataError, FormatError } from "@l0gm/core";
import lockfile from "proper-lockfile";
import { type RunResult, resultSchema } from "../result.ts";
import { executeRun, type RunHooks } from "./execute.ts";
import { LockLost } from "./failure.ts";
import { AFTER_PRUNING } from "./pruning.ts";
import type { PlannedRun } from "./spec.ts";
import { Workspace } from "./workspace.ts";

const RESULT = "result.json";
const CHECKPOINT = "checkpoint.safetensors";
/** Ends the name of a folder whose run is not finished. */
const PARTIAL = ".partial";
/**
 * A lock is `<folder>.lock`, touched every two seconds; one that has not been touched for thirty is a killed process's. Training and
 * evaluation let timers through between batches, so that no more than one batch of a large model may keep the lock waiting.
 */
const LOCK = {
  realpath: false,
  stale: 30_000,
  update: 2000,
  retries: { forever: true, minTimeout: 500, maxTimeout: 2000 },
};
/** Why the last attempt failed, in the folder of an unfinished run. */
const FAILURE = "error.json";

/**
 * Gives a run's results: those of its folder when it is finished, else it is executed. Work goes on in `<folder>.partial` and the
 * folder gets its name when it is complete, so a folder without that ending is always whole. A run that another process is working
 * on is waited for.
 *
 * @throws LockLost when another process took the run over, because this one was held up for too long or somebody removed the lock
 */
export async function obtainRun(run: PlannedRun, hooks: RunHooks = {}): Promise<RunResult[]> {
  const finished = await finishedRun(run);
  if (finished !== undefined) return finished;
  const parent = dirname(run.folder);
  const created = await mkdir(parent, { recursive: true });
  const lost = new AbortController();
  const onCompromised = (cause: Error): void => lost.abort(lockLost(run, cause));
  const release = await lockfile.lock(run.folder, { ...LOCK, onCompromised });
  const signal = hooks.signal === undefined ? lost.signal : AbortSignal.any([hooks.signal, lost.signal]);
  try {
    // Whoever held the lock before may have finished it.
    return (await finishedRun(run)) ?? (await execute(run, { ...hooks, signal }));
  } catch (error) {
    // Once another process has the folder, anything may fail here.
    throw lost.signal.aborted ? lost.signal.reason : error;
  } finally {
    if (!lost.signal.aborted) await release();
    if (created !== undefined) await removeEmpty(parent, created);
  }
}

function lockLost({ folder }: PlannedRun, cause: Error): LockLost {
  return new LockLost(
    {
      where: `${folder}.lock`,
      expected: "this process's lock, by which it alone works on the run",
      received: `a lock that was taken or removed (${cause.message})`,
      hint:
        "The process was stopped or held up for half a minute, or the lock was removed by hand. Another process may be working " +
        "on the run. Give the command again: it waits for the other, or goes on from the last checkpoint.",
    },
    { cause },
  );
}

/** Removes a folder and those above it up to `last`, as far as they are empty: a run that never began leaves nothing behind. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch {
    return;
  }
  if (folder !== last) await removeEmpty(dirname(folder), last);
}

async function execute(run: PlannedRun, hooks: RunHooks & { readonly signal: AbortSignal }): Promise<RunResult[]> {
  const workspace = new Workspace(run.folder + PARTIAL);
  const results = await executeRun(run, workspace, hooks);
  hooks.signal.throwIfAborted();
  for (const name of [CHECKPOINT, FAILURE, AFTER_PRUNING]) {
    await rm(join(workspace.folder, name), { recursive: true, force: true });
  }
  // What is there under the final name is not a finished run, or it would have been returned above.
  await rm(run.folder, { recursive: true, force: true });
  await rename(workspace.folder, run.folder);
  return results;
}

/** @returns the results of a finished run, undefined when it is not finished or its results are damaged */
export async function finishedRun({ folder }: PlannedRun): Promise<RunResult[] | undefined> {
  try {
    const results = await readResults(folder);
    return results.length === 0 ? undefined : results;
  } catch (error) {
    if (error instanceof FormatError || error instanceof DataError) return undefined;
    throw error;
  }
}

/** Notes in an unfinished run's folder why it failed. */
export async function keepFailure(run: PlannedRun, failure: { readonly message: string }): Promise<void> {
  await new Workspace(run.folder + PARTIAL).writeJson(FAILURE, { ...failure, time: new Date().toISOString() });
}

/** Where {@link keepFailure} writes. */
export function failureFile(run: PlannedRun): string {
  return join(run.folder + PARTIAL, FAILURE);
}

/**
 * Folders of all finished runs at or below `folder`, each with its result; path runs come fraction by fraction, densest first. Of
 * runs that differ in their settings or their code alone the one that was written last comes last.
 */
export async function findResults(folder: string): Promise<{ folder: string; result: RunResult }[]> {
  const files = await resultFiles(folder);
  const found = await Promise.all(
    files.map(async (path) => ({
      folder: join(path, ".."),
      result: await readResult(path),
      written: (await stat(path)).mtimeMs,
    })),
  );
  return found
    .sort(
      (a, b) =>
        byName(a.result, b.result) ||
        a.result.seed - b.result.seed ||
        byFraction(a.result, b.result) ||
        a.written - b.written,
    )
    .map(({ written: _, ...run }) => run);
}

/** The results at or below `folder`, in the order of {@link findResults}. */
export async function readResults(folder: string): Promise<RunResult[]> {
  return (await findResults(folder)).map(({ result }) => result);
}

function byName(a: RunResult, b: RunResult): number {
  const name = ({ benchmark, method }: RunResult): string => `${benchmark} ${method}`;
  return name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0;
}

function byFraction(a: RunResult, b: RunResult): number {
  return (b.active.requested ?? 1) - (a.active.requested ?? 1);
}

async function resultFiles(folder: string): Promise<string[]> {
  let entries: Awaited<ReturnType<typeof listFolder>>;
  try {
    entries = await listFolder(folder);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new DataError({ where: folder, expected: "a folder of runs", received }, { cause });
  }
  const below = entries
    .filter((entry) => entry.isDirectory() && !entry.name.endsWith(PARTIAL))
    .map((entry) => resultFiles(join(folder, entry.name)));
  const own = entries.some((entry) => entry.isFile() && entry.name === RESULT) ? [join(folder, RESULT)] : [];
  return [...own, ...(await Promise.all(below)).flat()];
}

function listFolder(folder: string) {
  return readdir(folder, { withFileTypes: true });
}

const DAMAGED_RESULT = "The command that made the run repeats it; or remove its folder.";

/** @throws FormatError when the file is not one run's document */
export async function readResult(path: string): Promise<RunResult> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError({ where: path, expected: "a run's document", received, hint: DAMAGED_RESULT }, { cause });
  }
  const parsed = resultSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError({
    where: `${path}: ${issue?.path.join(".")}`,
    expected: "a run's document",
    received: issue?.message,
    hint: DAMAGED_RESULT,
  });
}

/** Makes the folder that holds runs, so that a wrong place shows before hours of work. */
export async function prepareOutput(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new DataError({ where: "--out", expected: "a folder that can be written", received }, { cause });
  }
}
