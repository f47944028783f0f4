import { probabilities } from "@l0gm/core";
import { Command } from "commander";
import writeFileAtomic from "write-file-atomic";
import { type Applied, applyRun } from "../run/apply.ts";

export function predictCommand(): Command {
  return new Command("predict")
    .description("apply a finished run to new rows: calibrated probabilities as CSV")
    .argument("<run>", "a run's folder, or one fraction's folder of a path run")
    .requiredOption(
      "--data <file>",
      "CSV with a header line and the run's columns, the label may be absent; of a graph, its folder",
    )
    .option("--out <file>", "where to write; standard output without it")
    .action(async (run: string, { data, out }: { data: string; out?: string }) => {
      const text = toCsv(await applyRun(run, data));
      if (out === undefined) process.stdout.write(text);
      else {
        await writeFileAtomic(out, text);
        process.stderr.write(`written to ${out}\n`);
      }
    });
}

/** A line a row, in the order of the file: the most probable class, then the probability of every class. */
function toCsv({ predictions, classes }: Applied): string {
  const field = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const probability = probabilities(predictions);
  const lines = [["prediction", ...classes.map((name) => `P(${name})`)].map(field).join(",")];
  for (let start = 0; start < probability.length; start += classes.length) {
    const row = probability.subarray(start, start + classes.length);
    const best = row.indexOf(Math.max(...row));
    lines.push([field(classes[best] ?? ""), ...Array.from(row, (p) => p.toPrecision(6))].join(","));
  }
  return `${lines.join("\n")}\n`;
}
