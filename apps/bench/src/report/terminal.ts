import Table from "cli-table3";
import type { Estimate } from "./aggregate.ts";
import { formatDifference, formatEstimate, formatFraction, MISSING } from "./format.ts";
import { MEASURES } from "./measures.ts";
import type { FrontierSummary } from "./summary.ts";

/** Columns that every terminal has room for. */
const WIDTH = 100;

export interface TerminalOptions {
  /** Whether the output understands ANSI colours, as `stream.isTTY` says; false by default. */
  readonly color?: boolean;
}

function heading({ name, dimensions, split }: FrontierSummary): string {
  return `${name}: ${dimensions} dimensions, split ${split}`;
}

/** Breaks at spaces so that no line is longer than `width`. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/**
 * Frontier tables and verdicts for a terminal, at most 100 columns wide.
 *
 * @example
 * ```ts
 * process.stderr.write(renderTable(frontierSummary(runs), { color: process.stderr.isTTY === true }));
 * ```
 */
export function renderTable(summaries: readonly FrontierSummary[], options: TerminalOptions = {}): string {
  const color = options.color ?? false;
  const bold = (text: string): string => (color ? `\u001b[1m${text}\u001b[22m` : text);
  return summaries
    .map((summary) => {
      const table = new Table({
        head: ["method", "active", "accuracy %", "minus dense, points", "ECE budget", "ECE valid.", "NLL"],
        colAligns: ["left", "right", "right", "right", "right", "right", "right"],
        style: { head: color ? ["bold"] : [], border: color ? ["gray"] : [], compact: true, "padding-left": 0 },
        chars: { ...BORDERLESS },
      });
      let previous = "";
      const { frontier, comparators = [] } = summary;
      for (const point of [...frontier, ...comparators]) {
        const { equalBudget, bestValidation } = point.protocols;
        const mean = (estimate: Estimate | undefined): string =>
          formatEstimate(estimate === undefined ? undefined : { mean: estimate.mean, n: estimate.n }, MEASURES.ece);
        table.push([
          point.method === previous ? "" : point.method.slice(0, 18),
          comparators.includes(point)
            ? MISSING
            : `${formatFraction(point.active.requested ?? point.active.realised)} (${Number(point.active.count.toFixed(1))})`,
          formatEstimate(bestValidation.accuracy, MEASURES.accuracy),
          point.method === "dense" ? "" : formatDifference(bestValidation.minusDense.accuracy, MEASURES.accuracy),
          mean(equalBudget.ece),
          mean(bestValidation.ece),
          formatEstimate(
            bestValidation.nll === undefined ? undefined : { mean: bestValidation.nll.mean, n: bestValidation.nll.n },
            MEASURES.nll,
          ),
        ]);
        previous = point.method;
      }
      const verdict = summary.verdict.flatMap((sentence) =>
        wrap(sentence, WIDTH - 2).map((line, i) => `${i === 0 ? "• " : "  "}${line}`),
      );
      return `${bold(heading(summary))}\n${table.toString()}\n\n${verdict.join("\n")}\n`;
    })
    .join("\n");
}

/** Rules above, beneath and under the head, as in a printed table. */
const BORDERLESS = {
  top: "─",
  "top-mid": "─",
  "top-left": "",
  "top-right": "",
  bottom: "─",
  "bottom-mid": "─",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "─",
  "mid-mid": "─",
  right: "",
  "right-mid": "",
  middle: " ",
};
