import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DataError } from "@l0gm/core";
import writeFileAtomic from "write-file-atomic";
import { renderPicture } from "../report/picture.ts";
import type { RunResult } from "../result.ts";
import { findResults } from "../run/store.ts";
import { publish } from "../sweep/publish.ts";
import { thisCommand } from "./exit.ts";
import { printJson } from "./options.ts";
import { fillReadme } from "./readme.ts";
import type { ReportOptions } from "./report.ts";
import { printVerdict } from "./verdict.ts";

/** Writes and prints the report of all finished runs in a folder. */
export async function rewriteReport(folder: string, { readme, json }: ReportOptions): Promise<void> {
  const found = await findResults(folder);
  if (found.length === 0) {
    throw new DataError({ where: folder, expected: "at least one finished run", received: "none" });
  }
  const results = found.map(({ result }) => result);
  if (readme !== undefined) await writeReadme(readme === true ? "README.md" : readme, results);
  const { summaries, report } = await publish(folder, found, {
    title: "L0GM: accuracy, sparsity and calibration",
    command: thisCommand(),
  });
  if (json === true) printJson({ benchmarks: summaries, report });
  else printVerdict(summaries, report);
}

async function writeReadme(file: string, results: readonly RunResult[]): Promise<void> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new DataError({ where: "--readme", expected: "a readable file", received }, { cause });
  });
  await writeFileAtomic(file, fillReadme(text, results, file));
  const docs = join(dirname(file), "docs");
  await mkdir(docs, { recursive: true });
  await writeFileAtomic(join(docs, "frontier.svg"), renderPicture(results));
}
