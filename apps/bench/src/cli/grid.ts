import { runLabel } from "../run/spec.ts";
import { failureFile, findResults, prepareOutput } from "../run/store.ts";
import { planRuns, type RunRequest } from "../sweep/plan.ts";
import { runAll } from "../sweep/pool.ts";
import type { Skipped } from "../sweep/profiles.ts";
import { publish } from "../sweep/publish.ts";
import { EXIT, interruptible, thisCommand } from "./exit.ts";
import { printJson } from "./options.ts";
import { showProgress } from "./progress.ts";
import { printVerdict } from "./verdict.ts";

/** What `sweep` and `reproduce` have in common. */
export interface GridOptions {
  readonly workers: number;
  readonly out: string;
  readonly json: boolean;
  readonly title: string;
  readonly profile?: string;
  /** What was not even asked for, because its data are not there. */
  readonly skipped?: readonly Skipped[];
}

/** Runs a grid, publishes what is finished and prints the verdict. Sets exit code 1 when some runs failed. */
export async function runGrid(requests: readonly RunRequest[], options: GridOptions): Promise<void> {
  const { workers, out, json, title, profile, skipped = [] } = options;
  const runs = await planRuns(requests, out);
  await prepareOutput(out);
  const progress = showProgress(runs.length);
  const outcomes = await interruptible(async (signal) => {
    try {
      return await runAll(runs, { workers, hooks: progress, signal });
    } finally {
      progress.stop();
    }
  });
  const failed = outcomes.filter(({ state }) => state === "failed");
  const finished = outcomes.filter(({ state }) => state !== "failed");
  if (finished.length === 0 && failed.every(({ failure }) => failure?.wrongInput === true)) {
    for (const message of new Set(failed.map(({ failure }) => failure?.message)))
      process.stderr.write(`error: ${message}\n`);
    process.exitCode = EXIT.usage;
    return;
  }
  const found = (await Promise.all(finished.map(({ run }) => findResults(run.folder)))).flat();
  const { summaries, report } = await publish(out, found, {
    title,
    command: thisCommand(),
    skipped: [...skipped],
    failures: failed.map(({ run, failure }) => ({
      run: `${run.benchmark} ${runLabel(run)}`,
      message: failure?.message ?? "",
    })),
  });
  if (json) {
    printJson({
      ...(profile === undefined ? {} : { profile }),
      benchmarks: summaries,
      runs: found.map(({ folder }) => folder),
      ...(skipped.length === 0 ? {} : { skipped }),
      failed: failed.map(({ run, failure }) => ({ run: run.folder, message: failure?.message })),
      report,
    });
  } else {
    printVerdict(summaries, report);
  }
  if (failed.length === 0) return;
  const places = failed.map(({ run }) => `  ${failureFile(run)}`).join("\n");
  process.stderr.write(`${failed.length} of ${runs.length} runs failed; the rest are kept. Why:\n${places}\n`);
  process.exitCode = EXIT.failed;
}
