/** What `pnpm bench:graph` measured, as a table for the terminal and for a page of the docs. */

import type { Measured, Step } from "./scale-steps.ts";

/** A step that was measured. */
export interface Entry extends Measured {
  readonly scale: number;
  readonly step: Step;
  readonly date: string;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly system: string;
    readonly node: string;
  };
}

export interface ScaleRun {
  readonly format: 1;
  readonly steps: Record<string, Entry>;
}

/** Bytes that no step may come to at the published size. */
export const MOST_BYTES: number = 14 * 2 ** 30;

const TITLES: Readonly<Record<Step, string>> = {
  write: "simulate, write csv.gz",
  csv: "load csv.gz, write the cache",
  cache: "load the cache",
  train: "train an epoch",
  infer: "infer all nodes",
};

/** How the work grows with size: 1 where twice the size takes twice the processor time. */
export function growth(smaller: Pick<Entry, Growing>, larger: Pick<Entry, Growing>): number {
  return Math.log(larger.processorSeconds / smaller.processorSeconds) / Math.log(larger.scale / smaller.scale);
}

type Growing = "scale" | "processorSeconds";

function fraction(scale: number): string {
  return scale < 1 && Number.isInteger(1 / scale) ? `1/${1 / scale}` : String(scale);
}

/** Three significant digits, but no fraction from 100 on. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function detail(entry: Entry | undefined, name: string): string {
  const value = entry?.details[name];
  return typeof value === "number" ? value.toLocaleString("en") : (value ?? "unknown");
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(2);
}

/** @param entries - of every scale all steps, the smallest scale first */
export function scaleText(entries: readonly Entry[]): string {
  const head = ["size", "", "s", "others", "processor s", "million edges/s", "peak GiB", "growth"];
  const rows = entries.map((entry) => {
    const { scale, step, seconds, processorSeconds, edges, peakBytes, others } = entry;
    const before = entries.findLast((each) => each.step === step && each.scale < scale);
    const batches = step === "train" ? `: ${detail(entry, "batches")} batches` : "";
    return [
      fraction(scale),
      `${TITLES[step]}${batches}`,
      digits(seconds),
      `${Math.round(100 * others)} %`,
      digits(processorSeconds),
      digits(edges / seconds / 1e6),
      gibibytes(peakBytes),
      before === undefined ? "" : growth(before, entry).toFixed(2),
    ];
  });
  const table = [head, ["---", "---", ...head.slice(2).map(() => "--:")], ...rows];
  return `${table.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n\n${notes(entries).join("\n")}\n`;
}

function notes(entries: readonly Entry[]): string[] {
  const of = (step: Step): Entry[] => entries.filter((entry) => entry.step === step);
  const sizes = of("write").map(
    (entry) =>
      `- Scale ${fraction(entry.scale)}: ${detail(entry, "name")}. ${detail(entry, "nodes")} nodes, ${entry.edges.toLocaleString("en")} edges, ` +
      `degrees up to ${detail(entry, "largestDegree")} with a median of ${detail(entry, "medianDegree")}, ${gibibytes(Number(entry.details["bytes"]))} GiB of csv.gz.`,
  );
  const passes = of("train").map((train) => {
    const infer = of("infer").find(({ scale }) => scale === train.scale);
    return (
      `- Scale ${fraction(train.scale)}: ${detail(train, "trainingNodes")} nodes in ${detail(train, "batches")} batches of ${detail(train, "nodesPerBatch")} sampled nodes and ` +
      `${detail(train, "edgesPerBatch")} sampled edges; live tensors at a batch ${detail(train, "fewestTensors")} to ${detail(train, "mostTensors")}; resident ` +
      `${gibibytes(Number(train.details["residentAfterTenth"]))} GiB after a tenth of the batches, ${gibibytes(Number(train.details["residentAtEnd"]))} GiB at the end. ` +
      `The model is right on ${(100 * Number(infer?.details["simulatedTestAccuracy"])).toFixed(1)} % of the simulated test nodes, which says that it learns and nothing more.`
    );
  });
  const full = entries.filter(({ scale }) => scale === 1);
  const most = Math.max(...full.map(({ peakBytes }) => peakBytes));
  const goal =
    full.length === 0
      ? []
      : [
          `- Goal: under 14 GiB in every step at full size. ${most < MOST_BYTES ? "Met" : "Missed"}, with ${gibibytes(most)} GiB.`,
        ];
  const machines = [...new Set(entries.map(({ machine }) => JSON.stringify(machine)))].map((text) => {
    const { processor, cores, memoryBytes, system, node } = JSON.parse(text) as Entry["machine"];
    return `- Machine: ${processor}, ${cores} cores, ${gibibytes(memoryBytes)} GiB, ${system}, Node ${node}.`;
  });
  const dates = entries.map(({ date }) => date).sort();
  return [...sizes, ...passes, ...goal, ...machines, `- Measured from ${dates[0]} to ${dates.at(-1)}.`];
}
