import { Command } from "commander";
import { JSON_OPTION } from "./options.ts";

export interface ReportOptions {
  /** True stands for the README of the working directory. */
  readonly readme?: string | true;
  readonly json?: boolean;
}

export function reportCommand(): Command {
  return new Command("report")
    .description("write the report anew from the finished runs in a folder")
    .argument("<folder>", "what --out of run, sweep or reproduce named")
    .option("--readme [file]", "fill the table of results in a README (README.md) and draw docs/frontier.svg beside it")
    .addOption(JSON_OPTION)
    .action(async (folder: string, options: ReportOptions) => {
      // Charts need a DOM, which takes a second to load: only when there is something to draw.
      const { rewriteReport } = await import("./rewrite-report.ts");
      await rewriteReport(folder, options);
    });
}
