import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, platform } from "node:os";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { z } from "zod";
import { bootstrapRuns } from "../report/bootstrap.ts";
import { renderPicture } from "../report/picture.ts";
import { renderReport } from "../report/report.ts";
import { type FrontierSummary, frontierSummary } from "../report/summary.ts";
import type { RunResult } from "../result.ts";
import { loadTestRows } from "../run/predictions.ts";

const bench = createRequire(import.meta.url)("../../package.json") as { version: string };

const SUMMARY = "summary.json";

const publication = z.object({
  title: z.string(),
  command: z.string().describe("repeats it"),
  failures: z.array(z.object({ run: z.string(), message: z.string() })).default([]),
  skipped: z.array(z.object({ benchmark: z.string(), reason: z.string() })).default([]),
});

/** What is told about runs besides their results. */
export type Publication = z.input<typeof publication>;

/** What a sweep said when it published into this folder; undefined when none has. */
export async function readPublication(folder: string): Promise<Publication | undefined> {
  const text = await readFile(join(folder, SUMMARY), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return z.object({ publication }).parse(JSON.parse(text)).publication;
  } catch {
    // An older summary, or a damaged one: the runs themselves are all that a report needs.
    return undefined;
  }
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
  { title, command, failures = [], skipped = [] }: Publication,
): Promise<{ summaries: FrontierSummary[]; report: string }> {
  const results = found.map(({ result }) => result);
  const bootstraps = bootstrapRuns(results, await loadTestRows(found));
  const summaries = frontierSummary(results, bootstraps);
  const report = join(folder, "report.html");
  const context = {
    title,
    command,
    failures,
    skipped,
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
  const summary = { publication: { title, command, failures, skipped }, benchmarks: summaries };
  await writeFileAtomic(join(folder, SUMMARY), `${JSON.stringify(summary, undefined, 2)}\n`);
  return { summaries, report };
}
