import { DataError } from "@l0gm/core";
import { formatDifference, formatEstimate, formatFraction } from "../report/format.ts";
import { MEASURES } from "../report/measures.ts";
import { type FrontierSummary, frontierSummary } from "../report/summary.ts";
import type { RunResult } from "../result.ts";

const START = "<!-- results:start -->";
const END = "<!-- results:end -->";

/**
 * Replaces what stands between the two marks of a README with the tables of some runs.
 *
 * @param file - for messages
 * @throws DataError when the marks are not there, in this order
 */
export function fillReadme(text: string, runs: readonly RunResult[], file: string): string {
  const start = text.indexOf(START);
  const end = text.indexOf(END, start);
  if (start < 0 || end < 0) {
    throw new DataError({ where: file, expected: `the lines ${START} and ${END}`, received: "a file without them" });
  }
  const tables = frontierSummary(runs).map(table).join("\n\n");
  return `${text.slice(0, start)}${START}\n${tables}\n${text.slice(end)}`;
}

const HEAD = [
  "method",
  "dimensions",
  "accuracy, %",
  "minus dense, points",
  "ECE, best validation",
  "minus dense",
  "ECE, equal budget",
  "minus dense",
];

function table({ benchmark, standInFor, dimensions, frontier }: FrontierSummary): string {
  const seeds = Math.max(0, ...frontier.map((point) => point.seeds.length));
  const standIn = standInFor === undefined ? "" : ` (stand-in for ${standInFor})`;
  const title = `**${benchmark}**${standIn}, ${dimensions} dimensions, ${seeds} ${seeds === 1 ? "seed" : "seeds"}, mean and 95 % t interval; test split:`;
  const rows = frontier.map(({ method, active, protocols: { bestValidation, equalBudget } }) => {
    const dense = method === "dense";
    return [
      method,
      `${Number(active.count.toFixed(1))} (${formatFraction(active.requested ?? active.realised)})`,
      formatEstimate(bestValidation.accuracy, MEASURES.accuracy),
      dense ? "" : formatDifference(bestValidation.minusDense.accuracy, MEASURES.accuracy),
      formatEstimate(bestValidation.ece, MEASURES.ece),
      dense ? "" : formatDifference(bestValidation.minusDense.ece, MEASURES.ece),
      formatEstimate(equalBudget.ece, MEASURES.ece),
      dense ? "" : formatDifference(equalBudget.minusDense.ece, MEASURES.ece),
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = line(HEAD.map((_, i) => (i === 0 ? "---" : "--:")));
  return [title, "", line(HEAD), rule, ...rows.map(line)].join("\n");
}
