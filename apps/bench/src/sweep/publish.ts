import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, platform } from "node:os";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { bootstrapRuns } from "../report/bootstrap.ts";
import { renderPicture } from "../report/picture.ts";
import { renderReport } from "../report/report.ts";
import { type FrontierSummary, frontierSummary } from "../report/summary.ts";
import type { RunResult } from "../result.ts";
import { loadTestRows } from "../run/predictions.ts";

const bench = createRequire(import.meta.url)("../../package.json") as { version: string };

/** What is told about runs besides their results. */
export interface Publication {
  readonly title: string;
  /** Repeats it. */
  readonly command: string;
  readonly failures?: readonly { readonly run: string; readonly message: string }[];
}

/**
 * Writes `report.html`, `frontier.svg` and `summary.json` into a folder.
 *
 * @param found - runs with their folders, where the predictions lie that are bootstrapped over test rows
 * @returns the summaries and the report's path
 */
export async function publish(
  folder: string,
  found: readonly { readonly folder: string; readonly result: RunResult }[],
  { title, command, failures = [] }: Publication,
): Promise<{ summaries: FrontierSummary[]; report: string }> {
  const results = found.map(({ result }) => result);
  const bootstraps = bootstrapRuns(results, await loadTestRows(found));
  const summaries = frontierSummary(results, bootstraps);
  const report = join(folder, "report.html");
  const context = {
    title,
    command,
    failures,
    createdAt: new Date().toISOString(),
    versions: { "@l0gm/bench": bench.version, node: process.versions.node },
    machine: {
      cores: String(availableParallelism()),
      cpu: cpus()[0]?.model ?? "unknown",
      system: `${platform()} ${arch()}`,
    },
  };
  await writeFileAtomic(report, renderReport(results, context, bootstraps));
  await writeFileAtomic(join(folder, "frontier.svg"), renderPicture(results));
  await writeFileAtomic(join(folder, "summary.json"), `${JSON.stringify({ benchmarks: summaries }, undefined, 2)}\n`);
  return { summaries, report };
}
