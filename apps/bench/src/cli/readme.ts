import { DataError } from "@l0gm/core";
import { formatDifference, formatEstimate, formatFraction, MISSING } from "../report/format.ts";
import { MEASURES } from "../report/measures.ts";
import type { FrontierSummary } from "../report/summary.ts";

const START = "<!-- results:start -->";
const END = "<!-- results:end -->";

/** What a README shows of some runs. */
export interface ReadmeTables {
  readonly summaries: readonly FrontierSummary[];
  /** Repeats the runs. */
  readonly command: string;
}

/**
 * Replaces what stands between the two marks of a README with tables, verdicts and the command that repeats them.
 *
 * @param file - for messages
 * @throws DataError when the marks are not there, in this order
 */
export function fillReadme(text: string, { summaries, command }: ReadmeTables, file: string): string {
  const start = text.indexOf(START);
  const end = text.indexOf(END, start);
  if (start < 0 || end < 0) {
    throw new DataError({ where: file, expected: `the lines ${START} and ${END}`, received: "a file without them" });
  }
  const tables = summaries.map((summary) =>
    [table(summary), "", ...summary.verdict.map((line) => `- ${line}`)].join("\n"),
  );
  const body = [...tables, `Made by \`${command}\`.`].join("\n\n");
  return `${text.slice(0, start)}${START}\n${body}\n${text.slice(end)}`;
}

const HEAD = [
  "method",
  "dimensions",
  "accuracy, %",
  "minus dense, points",
  "ECE, best validation",
  "minus dense",
  "after T",
  "ECE, equal budget",
  "minus dense",
  "after T",
];

function table({ name, dimensions, frontier, comparators = [] }: FrontierSummary): string {
  const seeds = Math.max(0, ...frontier.map((point) => point.seeds.length));
  const title = `**${name}**, ${dimensions} dimensions, ${seeds} ${seeds === 1 ? "seed" : "seeds"}, mean and 95 % t interval; test split; accuracy under best validation; *after T*: ECE minus dense after temperature scaling:`;
  const rows = [...frontier, ...comparators].map((point) => {
    const {
      method,
      active,
      protocols: { bestValidation, equalBudget },
    } = point;
    const calibration = ({ ece, minusDense, temperatureScaled }: typeof bestValidation): string[] => [
      formatEstimate(ece, MEASURES.ece),
      ...(method === "dense"
        ? ["", ""]
        : [
            formatDifference(minusDense.ece, MEASURES.ece),
            formatDifference(temperatureScaled.minusDense.ece, MEASURES.ece),
          ]),
    ];
    return [
      method,
      comparators.includes(point)
        ? MISSING
        : `${Number(active.count.toFixed(1))} (${formatFraction(active.requested ?? active.realised)})`,
      formatEstimate(bestValidation.accuracy, MEASURES.accuracy),
      method === "dense" ? "" : formatDifference(bestValidation.minusDense.accuracy, MEASURES.accuracy),
      ...calibration(bestValidation),
      ...calibration(equalBudget),
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = line(HEAD.map((_, i) => (i === 0 ? "---" : "--:")));
  return [title, "", line(HEAD), rule, ...rows.map(line)].join("\n");
}
