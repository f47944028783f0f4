import { mkdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DataError } from "@l0gm/core";
import { Command } from "commander";
import writeFileAtomic from "write-file-atomic";
import { renderPicture } from "../report/picture.ts";
import { renderTable } from "../report/terminal.ts";
import { readResults } from "../run/store.ts";
import { publish } from "../sweep/publish.ts";
import { thisCommand } from "./exit.ts";
import { JSON_OPTION, printJson } from "./options.ts";
import { fillReadme } from "./readme.ts";

interface ReportOptions {
  readonly readme?: string | true;
  readonly json?: boolean;
}

export function reportCommand(): Command {
  return new Command("report")
    .description("write the report anew from the finished runs in a folder")
    .argument("<folder>", "what --out of run, sweep or reproduce named")
    .option("--readme [file]", "fill the table of results in a README (README.md) and draw docs/frontier.svg beside it")
    .addOption(JSON_OPTION)
    .action(report);
}

async function report(folder: string, { readme, json }: ReportOptions): Promise<void> {
  const results = await readResults(folder);
  if (results.length === 0) {
    throw new DataError({ where: folder, expected: "at least one finished run", received: "none" });
  }
  const { summaries, report: page } = await publish(folder, results, {
    title: "L0GM: accuracy, sparsity and calibration",
    command: thisCommand(),
  });
  if (readme !== undefined) {
    const file = readme === true ? "README.md" : readme;
    const text = await readFile(file, "utf8").catch((cause: unknown) => {
      const received = cause instanceof Error ? cause.message : String(cause);
      throw new DataError({ where: "--readme", expected: "a readable file", received }, { cause });
    });
    await writeFileAtomic(file, fillReadme(text, results, file));
    const docs = join(dirname(file), "docs");
    await mkdir(docs, { recursive: true });
    await writeFileAtomic(join(docs, "frontier.svg"), renderPicture(results));
  }
  if (json === true) printJson({ benchmarks: summaries, report: page });
  else {
    process.stdout.write(`${renderTable(summaries, { color: process.stdout.isTTY === true })}\n`);
    process.stdout.write(`Report: ${pathToFileURL(resolve(page)).href}\n`);
  }
}
