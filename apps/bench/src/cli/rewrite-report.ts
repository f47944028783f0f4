import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DataError } from "@l0gm/core";
import writeFileAtomic from "write-file-atomic";
import { renderPicture } from "../report/picture.ts";
import { findResults } from "../run/store.ts";
import { publish, readPublication } from "../sweep/publish.ts";
import { thisCommand } from "./exit.ts";
import { printJson } from "./options.ts";
import { fillReadme, type ReadmeTables } from "./readme.ts";
import type { ReportOptions } from "./report.ts";
import { printVerdict } from "./verdict.ts";

/** Writes and prints the report of all finished runs in a folder. */
export async function rewriteReport(folder: string, { readme, json }: ReportOptions): Promise<void> {
  const found = await findResults(folder);
  if (found.length === 0) {
    throw new DataError({ where: folder, expected: "at least one finished run", received: "none" });
  }
  const publication = (await readPublication(folder)) ?? {
    title: "L0GM: accuracy, sparsity and calibration",
    command: thisCommand(),
  };
  const { summaries, report } = await publish(folder, found, publication);
  if (readme !== undefined) {
    const file = readme === true ? "README.md" : readme;
    const picture = renderPicture(found.map(({ result }) => result));
    await writeReadme(file, { summaries, command: publication.command, picture });
  }
  if (json === true) printJson({ benchmarks: summaries, report });
  else printVerdict(summaries, report);
}

async function writeReadme(file: string, { picture, ...tables }: ReadmeTables & { picture: string }): Promise<void> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new DataError({ where: "--readme", expected: "a readable file", received }, { cause });
  });
  await writeFileAtomic(file, fillReadme(text, tables, file));
  const docs = join(dirname(file), "docs");
  await mkdir(docs, { recursive: true });
  await writeFileAtomic(join(docs, "frontier.svg"), picture);
}
