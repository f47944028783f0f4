/** What the gates did: their final values, how they opened and closed over training, and the control that moved them. */

import * as Plot from "@observablehq/plot";
import type { RunResult } from "../result.ts";
import { type BenchmarkGroup, type Cell, groupName, type Series } from "./aggregate.ts";
import { drawChart } from "./chart.ts";
import { formatFraction, formatNumber } from "./format.ts";
import { methodStyles } from "./methods.ts";

type TraceEntry = RunResult["trace"][number];

/** Levels of the heat map; neighbours in time on one level become one rectangle, which keeps the file small. */
const LEVELS = 12;

/** Final gate values of one run a fraction, largest first. */
export function gateValueChart(group: BenchmarkGroup, series: Series): SVGSVGElement {
  const panels = series.cells.map((cell) => `${formatFraction(cell.fraction)} · ${formatNumber(cell.count)} open`);
  const steps = series.cells.flatMap((cell, i) =>
    [...(cell.runs[0]?.gates ?? [])]
      .sort((a, b) => b - a)
      .map((value, rank) => ({ panel: panels[i], rank: rank + 0.5, value })),
  );
  const label = `Final gate values by rank, ${methodStyles(group)(series.method).label}, ${groupName(group)}`;
  return drawChart(label, {
    width: Math.min(1020, 64 + 240 * panels.length),
    height: 170,
    marginLeft: 52,
    marginRight: 12,
    marginTop: 28,
    marginBottom: 36,
    fx: { domain: panels, label: null, padding: 0.12 },
    x: {
      domain: [0, group.dimensions],
      label: "dimensions, by gate value",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: 2,
    },
    y: { domain: [0, 1], label: "gate value", labelArrow: "none", ticks: 3 },
    marks: [
      Plot.gridY({ stroke: "var(--grid)", strokeOpacity: 1, ticks: 3 }),
      Plot.areaY(steps, { x: "rank", y: "value", fx: "panel", curve: "step", fill: "var(--c0)", fillOpacity: 0.3 }),
      Plot.lineY(steps, { x: "rank", y: "value", fx: "panel", curve: "step", stroke: "var(--c0)", strokeWidth: 1.3 }),
      Plot.ruleY([0], { stroke: "var(--ink-soft)" }),
    ],
  });
}

/**
 * A training history in order of epochs. The results of one path run share epochs: each is taken once, and an epoch under
 * pressure goes before one of a segment's own consolidation.
 */
export function mergedTrace(runs: readonly RunResult[]): TraceEntry[] {
  const byEpoch = new Map<number, TraceEntry>();
  for (const entry of runs.flatMap((run) => run.trace)) {
    const known = byEpoch.get(entry.epoch);
    if (known === undefined || (known.phase !== "gates" && entry.phase === "gates")) byEpoch.set(entry.epoch, entry);
  }
  return [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);
}

/** The runs whose traces make up the history of one seed: one of separate runs, all of a path. */
export function historyRuns(series: Series, cell: Cell, seed: number): RunResult[] {
  const cells = series.method === "l0gm-path" ? series.cells : [cell];
  return cells.flatMap((each) => each.runs.filter((run) => run.seed === seed));
}

/** P(z ≠ 0) of every dimension over the epochs; dimensions sorted by when and how far they stayed open. */
export function openProbabilityChart(
  title: string,
  trace: readonly TraceEntry[],
  color: string,
): SVGSVGElement | undefined {
  const entries = trace.flatMap((entry) =>
    entry.openProbabilities === undefined ? [] : [{ epoch: entry.epoch, open: entry.openProbabilities }],
  );
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  const total = last.open.map((_, j) => entries.reduce((sum, entry) => sum + (entry.open[j] ?? 0), 0));
  const final = (j: number): number => Math.round((last.open[j] ?? 0) * LEVELS);
  const order = last.open.map((_, j) => j).sort((a, b) => final(b) - final(a) || (total[b] ?? 0) - (total[a] ?? 0));
  const rectangles: { x1: number; x2: number; y: number; level: number }[] = [];
  for (const [row, j] of order.entries()) {
    let open: (typeof rectangles)[number] | undefined;
    for (const { epoch, open: probabilities } of entries) {
      const level = Math.round((probabilities[j] ?? 0) * LEVELS) / LEVELS;
      if (open?.level === level && open.x2 === epoch - 0.5) open.x2 = epoch + 0.5;
      else {
        open = { x1: epoch - 0.5, x2: epoch + 0.5, y: row, level };
        rectangles.push(open);
      }
    }
  }
  const first = entries[0]?.epoch ?? 0;
  return drawChart(title, {
    width: 500,
    height: 300,
    marginLeft: 52,
    marginRight: 12,
    marginTop: 26,
    marginBottom: 36,
    x: { domain: [first - 0.5, last.epoch + 0.5], label: "epoch", labelAnchor: "center", labelArrow: "none" },
    y: { domain: [last.open.length, 0], label: "dimensions, longest open first", labelArrow: "none", ticks: 5 },
    marks: [
      Plot.rect(
        rectangles.filter((rectangle) => rectangle.level > 0),
        {
          x1: "x1",
          x2: "x2",
          y1: "y",
          y2: (d: { y: number }) => d.y + 1,
          fill: color,
          fillOpacity: "level",
          shapeRendering: "crispEdges",
        },
      ),
      Plot.frame({ stroke: "var(--grid)" }),
    ],
    opacity: { type: "identity" },
  });
}

interface History {
  readonly seed: number;
  readonly trace: readonly TraceEntry[];
}

interface ControlPanel {
  readonly label: string;
  readonly read: (entry: TraceEntry) => number;
}

const CONTROL_PANELS: readonly ControlPanel[] = [
  { label: "expected active fraction", read: (entry) => entry.expected },
  { label: "multiplier λ", read: (entry) => entry.multiplier },
  { label: "validation NLL", read: (entry) => entry.validationNll },
];

/** Stretches of consolidation as epochs from and to: one of a run, one a segment of a path. */
function consolidationBands(trace: readonly TraceEntry[]): { from: number; to: number }[] {
  const bands: { from: number; to: number }[] = [];
  for (const { epoch, phase } of trace) {
    if (phase !== "consolidation") continue;
    const last = bands.at(-1);
    if (last?.to === epoch - 0.5) last.to = epoch + 0.5;
    else bands.push({ from: epoch - 0.5, to: epoch + 0.5 });
  }
  return bands;
}

/** Expected fraction, multiplier and validation NLL over epochs, a line a seed; consolidation shaded. */
export function controlCharts(
  title: string,
  histories: readonly History[],
  dense: readonly History[],
  color: string,
): SVGSVGElement[] {
  const reference = histories[0]?.trace ?? [];
  const bands = consolidationBands(reference);
  const epochs = reference.map((entry) => entry.epoch);
  return CONTROL_PANELS.map(({ label, read }) => {
    const flatten = (all: readonly History[]): { seed: number; epoch: number; value: number }[] =>
      all.flatMap(({ seed, trace }) =>
        trace
          .map((entry) => ({ seed, epoch: entry.epoch, value: read(entry) }))
          .filter((d) => Number.isFinite(d.value)),
      );
    const lines = flatten(histories);
    const ghost = label === "validation NLL" ? flatten(dense) : [];
    return drawChart(`${label}: ${title}`, {
      width: 340,
      height: 210,
      marginLeft: 50,
      marginRight: 8,
      marginTop: 26,
      marginBottom: 36,
      x: {
        domain: [Math.min(...epochs) - 0.5, Math.max(...epochs) + 0.5],
        label: "epoch",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 5,
      },
      y: { label, labelArrow: "none", nice: true, zero: label !== "validation NLL", ticks: 5 },
      marks: [
        Plot.rect(bands, { x1: "from", x2: "to", fill: "var(--ink-soft)", fillOpacity: 0.12 }),
        Plot.gridY({ stroke: "var(--grid)", strokeOpacity: 1, ticks: 5 }),
        Plot.line(ghost, {
          x: "epoch",
          y: "value",
          z: "seed",
          stroke: "var(--dense)",
          strokeDasharray: "4 3",
          strokeWidth: 1,
          strokeOpacity: 0.7,
        }),
        Plot.line(lines, {
          x: "epoch",
          y: "value",
          z: "seed",
          stroke: color,
          strokeWidth: 1.2,
          strokeOpacity: 0.75,
          title: (d: { seed: number }) => `seed ${d.seed}`,
        }),
      ],
    });
  });
}
