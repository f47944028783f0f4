import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { renderTable } from "../report/terminal.ts";
import { runLabel } from "../run/spec.ts";
import { failureFile, findResults, prepareOutput } from "../run/store.ts";
import { planRuns, type RunRequest } from "../sweep/plan.ts";
import { runAll } from "../sweep/pool.ts";
import { publish } from "../sweep/publish.ts";
import { EXIT, interruptible, thisCommand } from "./exit.ts";
import { printJson } from "./options.ts";
import { showProgress } from "./progress.ts";

/** What `sweep` and `reproduce` have in common. */
export interface GridOptions {
  readonly workers: number;
  readonly out: string;
  readonly json: boolean;
  readonly title: string;
  readonly profile?: string;
}

/** Runs a grid, publishes what is finished and prints the verdict. Sets exit code 1 when some runs failed. */
export async function runGrid(requests: readonly RunRequest[], options: GridOptions): Promise<void> {
  const { workers, out, json, title, profile } = options;
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
  const found = (await Promise.all(finished.map(({ run }) => findResults(run.folder)))).flat();
  const { summaries, report } = await publish(
    out,
    found.map(({ result }) => result),
    {
      title,
      command: thisCommand(),
      failures: failed.map(({ run, message = "" }) => ({ run: `${run.benchmark} ${runLabel(run)}`, message })),
    },
  );
  if (json) {
    printJson({
      ...(profile === undefined ? {} : { profile }),
      benchmarks: summaries,
      runs: found.map(({ folder }) => folder),
      failed: failed.map(({ run, message }) => ({ run: run.folder, message })),
      report,
    });
  } else {
    process.stdout.write(`${renderTable(summaries, { color: process.stdout.isTTY === true })}\n`);
    process.stdout.write(`Report: ${pathToFileURL(resolve(report)).href}\n`);
  }
  if (failed.length === 0) return;
  const places = failed.map(({ run }) => `  ${failureFile(run)}`).join("\n");
  process.stderr.write(`${failed.length} of ${runs.length} runs failed; the rest are kept. Why:\n${places}\n`);
  process.exitCode = EXIT.failed;
}
