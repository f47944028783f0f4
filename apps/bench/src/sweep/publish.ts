import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, platform } from "node:os";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { renderPicture } from "../report/picture.ts";
import { renderReport } from "../report/report.ts";
import { type FrontierSummary, frontierSummary } from "../report/summary.ts";
import type { RunResult } from "../result.ts";

const bench = createRequire(import.meta.url)("../../package.json") as { version: string };

/** What is told about runs besides their results. */
export interface Publication {
  readonly title: string;
  /** Repeats it. */
  readonly command: string;
  readonly failures?: readonly { readonly run: string; readonly message: string }[];
}

/** Writes `report.html`, `frontier.svg` and `summary.json` into a folder. @returns the summaries and the report's path */
export async function publish(
  folder: string,
  results: readonly RunResult[],
  { title, command, failures = [] }: Publication,
): Promise<{ summaries: FrontierSummary[]; report: string }> {
  const summaries = frontierSummary(results);
  const report = join(folder, "report.html");
  const page = renderReport(results, {
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
  });
  await writeFileAtomic(report, page);
  await writeFileAtomic(join(folder, "frontier.svg"), renderPicture(results));
  await writeFileAtomic(join(folder, "summary.json"), `${JSON.stringify({ benchmarks: summaries }, undefined, 2)}\n`);
  return { summaries, report };
}
