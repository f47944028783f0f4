import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { FrontierSummary } from "../report/summary.ts";
import { renderTable } from "../report/terminal.ts";

/** Prints the frontier tables, what they say, and where the report is. */
export function printVerdict(summaries: readonly FrontierSummary[], report: string): void {
  process.stdout.write(`${renderTable(summaries, { color: process.stdout.isTTY === true })}\n`);
  process.stdout.write(`Report: ${pathToFileURL(resolve(report)).href}\n`);
}
