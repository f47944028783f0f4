/** Reliability diagrams: accuracy against confidence bin by bin, with the share of the rows beneath. */

import * as Plot from "@observablehq/plot";
import { type BenchmarkGroup, type Cell, cellEstimate, groupName } from "./aggregate.ts";
import { drawChart } from "./chart.ts";
import { formatNumber } from "./format.ts";
import { STAGE_LABELS, STAGES, type Stage, testMetrics } from "./measures.ts";

/** A bin over all seeds of a cell. */
export interface PooledBin {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  readonly confidence: number;
  readonly accuracy: number;
}

/** Adds up the bins of a cell's runs: counts summed, confidence and accuracy weighted by them. */
export function pooledReliability(cell: Cell, stage: Stage): PooledBin[] {
  const bins = new Map<string, { lower: number; upper: number; count: number; confident: number; right: number }>();
  for (const run of cell.runs) {
    const metrics = testMetrics(run, "bestValidation");
    const curve = stage === "scaled" ? metrics.temperatureScaled.reliability : metrics.reliability;
    for (const bin of curve) {
      if (bin.count === 0) continue;
      const key = `${bin.lower} ${bin.upper}`;
      const sum = bins.get(key) ?? { lower: bin.lower, upper: bin.upper, count: 0, confident: 0, right: 0 };
      sum.count += bin.count;
      sum.confident += bin.count * bin.confidence;
      sum.right += bin.count * bin.accuracy;
      bins.set(key, sum);
    }
  }
  return [...bins.values()]
    .sort((a, b) => a.lower - b.lower)
    .map(({ lower, upper, count, confident, right }) => ({
      lower,
      upper,
      count,
      confidence: confident / count,
      accuracy: right / count,
    }));
}

interface PlacedBin extends PooledBin {
  readonly panel: string;
  readonly share: number;
  readonly stage: Stage;
  readonly title: string;
}

/** One panel a cell: filled markers before temperature scaling, hollow after; histogram of confidences beneath. */
export function reliabilityCharts(
  group: BenchmarkGroup,
  cells: readonly Cell[],
  label: (cell: Cell) => string,
): { curves: SVGSVGElement; counts: SVGSVGElement } {
  const bins: PlacedBin[] = cells.flatMap((cell) =>
    STAGES.flatMap((stage) => {
      const pooled = pooledReliability(cell, stage);
      const rows = pooled.reduce((sum, bin) => sum + bin.count, 0);
      return pooled.map((bin) => ({
        ...bin,
        panel: label(cell),
        share: bin.count / rows,
        stage,
        title: `${STAGE_LABELS[stage]}, confidence ${formatNumber(bin.confidence, 3)}: accuracy ${formatNumber(bin.accuracy, 3)} on ${formatNumber(bin.count)} rows of all seeds`,
      }));
    }),
  );
  const lowest = Math.min(0.9, ...bins.map((bin) => bin.lower));
  const domain = [lowest, 1];
  const before = bins.filter((bin) => bin.stage === "raw");
  const after = bins.filter((bin) => bin.stage === "scaled");
  const width = Math.min(1020, 64 + 320 * cells.length);
  const panels = { domain: cells.map(label), label: null, padding: 0.08 };
  const notes = cells.map((cell) => ({
    panel: label(cell),
    text: `ECE ${formatNumber(cellEstimate(cell, "ece")?.mean, 4)}\nafter T ${formatNumber(cellEstimate(cell, "ece", "bestValidation", "scaled")?.mean, 4)}`,
  }));
  const frame: Plot.PlotOptions = { width, marginLeft: 52, marginRight: 12, fx: { ...panels, axis: "top" } };
  const curves = drawChart(`Reliability diagrams, ${groupName(group)}`, {
    ...frame,
    height: (width - 64) / Math.max(1, cells.length) + 24,
    marginTop: 30,
    marginBottom: 8,
    x: { domain, axis: null },
    y: { domain, label: "accuracy", labelArrow: "none", ticks: 5 },
    marks: [
      Plot.gridY({ stroke: "var(--grid)", strokeOpacity: 1, ticks: 5 }),
      Plot.link([{ from: lowest, to: 1 }], {
        x1: "from",
        y1: "from",
        x2: "to",
        y2: "to",
        stroke: "var(--ink-soft)",
        strokeDasharray: "2 3",
        facet: null,
      }),
      // The gap to the diagonal, as wide as its bin.
      Plot.rect(before, {
        x1: "lower",
        x2: "upper",
        y1: "confidence",
        y2: "accuracy",
        fx: "panel",
        fill: "var(--c0)",
        fillOpacity: 0.16,
        insetLeft: 0.5,
        insetRight: 0.5,
      }),
      Plot.line(before, { x: "confidence", y: "accuracy", fx: "panel", stroke: "var(--c0)", strokeWidth: 1.4 }),
      Plot.dot(after, {
        x: "confidence",
        y: "accuracy",
        fx: "panel",
        r: 3.4,
        stroke: "var(--c1)",
        strokeWidth: 1.3,
        symbol: "diamond",
        title: "title",
      }),
      Plot.dot(before, { x: "confidence", y: "accuracy", fx: "panel", r: 2.8, fill: "var(--c0)", title: "title" }),
      Plot.text(notes, {
        fx: "panel",
        text: "text",
        frameAnchor: "bottom-right",
        textAnchor: "end",
        dx: -4,
        dy: -4,
        fill: "var(--ink-soft)",
      }),
    ],
  });
  const counts = drawChart(`Share of test rows by confidence, ${groupName(group)}`, {
    ...frame,
    height: 112,
    marginTop: 12,
    marginBottom: 36,
    fx: { ...panels, axis: null },
    x: { domain, label: "confidence", labelAnchor: "center", labelArrow: "none", ticks: 5 },
    y: { label: "share of rows (%)", labelArrow: "none", labelAnchor: "top", percent: true, ticks: 3, zero: true },
    marks: [
      Plot.gridY({ stroke: "var(--grid)", strokeOpacity: 1, ticks: 3 }),
      Plot.rect(before, {
        x1: "lower",
        x2: "upper",
        y1: 0,
        y2: "share",
        fx: "panel",
        fill: "var(--c0)",
        fillOpacity: 0.55,
        insetLeft: 0.5,
        insetRight: 0.5,
        title: (bin: PlacedBin) =>
          `${formatNumber(bin.count)} rows of all seeds, ${formatNumber(bin.share * 100, 1)} %`,
      }),
      Plot.ruleY([0], { stroke: "var(--ink-soft)" }),
    ],
  });
  return { curves, counts };
}
