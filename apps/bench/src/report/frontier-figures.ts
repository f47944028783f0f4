/** A measure against the realised active fraction, with intervals over seeds: the frontier and its relatives. */

import * as Plot from "@observablehq/plot";
import {
  type BenchmarkGroup,
  type Cell,
  cellEstimate,
  cellNoiseFloor,
  differenceToDense,
  type Estimate,
  groupName,
  type Series,
} from "./aggregate.ts";
import { dotStyle, drawChart } from "./chart.ts";
import { formatDifference, formatEstimate, formatFraction, formatNumber } from "./format.ts";
import {
  MEASURES,
  type MeasureKey,
  PROTOCOL_LABELS,
  PROTOCOLS,
  type Protocol,
  STAGE_LABELS,
  type Stage,
} from "./measures.ts";
import { type MethodStyle, methodStyles } from "./methods.ts";

/** One mean with its interval at its place. Without an interval both ends are the mean. */
interface Point {
  readonly x: number;
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
  readonly title: string;
  /** The panel, where a figure has several. */
  readonly fx?: string;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const PANEL: Size = { width: 500, height: 310 };

function toPoint(cell: Cell, estimate: Estimate | undefined, scale: number, title: string): Point[] {
  // A collapsed run without an open dimension has no place on a logarithmic axis; the tables show it.
  if (estimate === undefined || cell.realised <= 0) return [];
  const { mean, interval } = estimate;
  return [
    {
      x: cell.realised,
      mean: mean * scale,
      lower: (interval?.lower ?? mean) * scale,
      upper: (interval?.upper ?? mean) * scale,
      title,
    },
  ];
}

const countOf = (cell: Cell): string => formatNumber(cell.count, Number.isInteger(cell.count) ? 0 : 1);

/** Ticks at powers of two, each with its number of dimensions beneath. */
function fractionAxis(group: BenchmarkGroup): Plot.ScaleOptions & { domain: number[]; ticks: number[] } {
  const fractions = group.series.flatMap((series) => series.cells.map((cell) => cell.realised)).filter((x) => x > 0);
  const smallest = Math.floor(Math.log2(Math.min(1, ...fractions)) + 1e-9);
  const exponents = Array.from({ length: 1 - smallest }, (_, i) => smallest + i);
  const step = Math.ceil(exponents.length / 7);
  return {
    type: "log",
    base: 2,
    domain: [2 ** (smallest - 0.3), 2 ** 0.3],
    ticks: exponents.filter((exponent) => exponent % step === 0).map((exponent) => 2 ** exponent),
  };
}

/** The fraction axis as a mark: the fraction, and beneath it the dimensions. */
function fractionTicks(group: BenchmarkGroup, axis: ReturnType<typeof fractionAxis>): Plot.Markish {
  return Plot.axisX(axis.ticks, {
    anchor: "bottom",
    tickFormat: (fraction: number) => {
      const dimensions = fraction * group.dimensions;
      const whole = Math.abs(dimensions - Math.round(dimensions)) < 1e-9;
      return whole ? `${formatFraction(fraction)}\n${Math.round(dimensions)}` : formatFraction(fraction);
    },
    tickSize: 4,
    label: null,
  });
}

/** A series' marks: line, intervals, markers. `dx` sets neighbours apart by some pixels; the data stay where they are. */
function seriesMarks(points: readonly Point[], style: MethodStyle, dx: number): Plot.Markish[] {
  const place = points.some((point) => point.fx !== undefined) ? { fx: "fx" } : {};
  return [
    Plot.line(points, {
      x: "x",
      y: "mean",
      ...place,
      stroke: style.color,
      strokeWidth: style.ours ? 1.8 : 1.1,
      strokeOpacity: style.ours ? 0.9 : 0.65,
      dx,
    }),
    Plot.ruleX(points, { x: "x", y1: "lower", y2: "upper", ...place, stroke: style.color, strokeWidth: 1.3, dx }),
    Plot.dot(points, { x: "x", y: "mean", ...place, ...dotStyle(style), title: "title", dx }),
  ];
}

/** Pixels that set series `index` of `count` apart. */
const dodge = (index: number, count: number): number => (index - (count - 1) / 2) * Math.min(3, 15 / count);

function denseMarks(band: readonly Point[]): Plot.Markish[] {
  const place = band.some((point) => point.fx !== undefined) ? { fx: "fx" } : {};
  return [
    Plot.rect(band, { y1: "lower", y2: "upper", ...place, fill: "var(--dense)", fillOpacity: 0.14 }),
    Plot.ruleY(band, {
      y: "mean",
      ...place,
      stroke: "var(--dense)",
      strokeWidth: 1.3,
      strokeDasharray: "5 3",
      title: "title",
    }),
  ];
}

function frame(group: BenchmarkGroup, axis: ReturnType<typeof fractionAxis>, label: string): Plot.PlotOptions {
  return {
    marginLeft: 52,
    marginBottom: 52,
    marginTop: 26,
    marginRight: 12,
    x: {
      type: "log",
      base: 2,
      domain: axis.domain,
      label: null,
    },
    y: { label, labelArrow: "none", nice: true, insetTop: 4, insetBottom: 4 },
    marks: [],
    ariaDescription: `Horizontal axis: realised active fraction of ${group.dimensions} dimensions, logarithmic.`,
  };
}

const X_LABEL = "realised active fraction (log scale), with dimensions beneath";

/** The series that have a point in this figure. */
type Pick = (series: Series) => boolean;

/** A test measure under best validation against the realised active fraction. */
export function frontierChart(group: BenchmarkGroup, key: MeasureKey, size: Size = PANEL): SVGSVGElement {
  const measure = MEASURES[key];
  const unit = measure.scale === 100 ? `${measure.label} (%)` : measure.label;
  return measureChart(group, {
    size,
    title: `${measure.label} against active fraction, ${groupName(group)}`,
    yLabel: unit,
    read: (cell) => cellEstimate(cell, key),
    describe: (estimate) => `${measure.label} ${formatEstimate(estimate, measure)}`,
    scale: measure.scale,
    reference: "dense",
    fromZero: key === "ece",
  });
}

/** The paired difference to dense, without comparators: the scale on which the method's price shows. */
export function differenceChart(group: BenchmarkGroup, key: MeasureKey, size: Size = PANEL): SVGSVGElement {
  const measure = MEASURES[key];
  return measureChart(group, {
    size,
    title: `${measure.label} minus dense, paired by seed, against active fraction, ${groupName(group)}`,
    yLabel: `${measure.label} minus dense${measure.scale === 100 ? " (points)" : ""}`,
    read: (cell) => differenceToDense(group, cell, key),
    describe: (estimate) => `${measure.label} minus dense ${formatDifference(estimate, measure)}`,
    scale: measure.scale,
    reference: "zero",
    pick: (series) => series.method.startsWith("l0gm"),
  });
}

interface MeasureChart {
  readonly size: Size;
  readonly title: string;
  readonly yLabel: string;
  readonly read: (cell: Cell) => Estimate | undefined;
  readonly describe: (estimate: Estimate | undefined) => string;
  readonly scale: number;
  readonly reference: "dense" | "zero";
  readonly pick?: Pick;
  /** Errors of calibration are read against zero. */
  readonly fromZero?: boolean;
}

function measureChart(group: BenchmarkGroup, figure: MeasureChart): SVGSVGElement {
  const styleOf = methodStyles(group);
  const axis = fractionAxis(group);
  const base = frame(group, axis, figure.yLabel);
  const shown = group.series.filter(figure.pick ?? (() => true));
  const dense = figure.reference === "dense" && group.dense !== undefined ? figure.read(group.dense) : undefined;
  const reference =
    group.dense === undefined ? [] : toPoint(group.dense, dense, figure.scale, `Dense: ${figure.describe(dense)}`);
  return drawChart(figure.title, {
    ...base,
    ...figure.size,
    y: { ...base.y, zero: figure.fromZero ?? false },
    marks: [
      Plot.gridY({ stroke: "var(--grid)", strokeOpacity: 1 }),
      figure.reference === "zero" ? Plot.ruleY([0], { stroke: "var(--dense)", strokeDasharray: "5 3" }) : undefined,
      ...denseMarks(reference),
      ...shown.flatMap((series, i) => {
        const style = styleOf(series.method);
        const points = series.cells.flatMap((cell) => {
          const value = figure.read(cell);
          const at = `${countOf(cell)} of ${group.dimensions} dimensions`;
          return toPoint(cell, value, figure.scale, `${style.label}, ${at}: ${figure.describe(value)}`);
        });
        return seriesMarks(points, style, dodge(i, shown.length));
      }),
      fractionTicks(group, axis),
      Plot.axisX([], { anchor: "bottom", label: X_LABEL, labelAnchor: "center", labelArrow: "none", labelOffset: 46 }),
    ],
  });
}

/**
 * ECE against the active fraction before or after temperature scaling, a panel a protocol. The two stages are figures of their
 * own: on one scale the first would flatten the second.
 */
export function calibrationChart(group: BenchmarkGroup, stage: Stage): SVGSVGElement {
  const styleOf = methodStyles(group);
  const axis = fractionAxis(group);
  const measure = MEASURES.ece;
  const inPanel = (protocol: Protocol, points: readonly Point[]): Point[] =>
    points.map((point) => ({ ...point, fx: PROTOCOL_LABELS[protocol] }));
  const { dense } = group;
  const band = PROTOCOLS.flatMap((protocol) => {
    if (dense === undefined) return [];
    const value = cellEstimate(dense, "ece", protocol, stage);
    return inPanel(protocol, toPoint(dense, value, 1, `Dense: ECE ${formatEstimate(value, measure)}`));
  });
  const judged = dense ?? group.series[0]?.cells[0];
  const floors = PROTOCOLS.flatMap((protocol) => {
    const floor = judged === undefined ? undefined : cellNoiseFloor(judged, protocol, stage);
    return floor === undefined ? [] : [{ y: floor.mean, fx: PROTOCOL_LABELS[protocol] }];
  });
  return drawChart(`ECE against active fraction ${STAGE_LABELS[stage]}, ${groupName(group)}`, {
    ...frame(group, axis, `ECE ${STAGE_LABELS[stage]}`),
    width: 1020,
    height: 270,
    marginTop: 34,
    fx: { domain: PROTOCOLS.map((protocol) => PROTOCOL_LABELS[protocol]), axis: null, padding: 0.06 },
    y: { label: `ECE ${STAGE_LABELS[stage]}`, labelArrow: "none", zero: true, nice: true, ticks: 6 },
    marks: [
      Plot.gridY({ stroke: "var(--grid)", strokeOpacity: 1, ticks: 6 }),
      Plot.ruleY(floors, {
        y: "y",
        fx: "fx",
        stroke: "var(--ink-soft)",
        strokeWidth: 1.2,
        strokeDasharray: "1 3",
        title: (d: { y: number }) => `Noise floor: ECE ${formatNumber(d.y, 4)} if every confidence were right`,
      }),
      ...denseMarks(band),
      ...group.series.flatMap((series, i) => {
        const style = styleOf(series.method);
        const points = PROTOCOLS.flatMap((protocol) =>
          series.cells.flatMap((cell) => {
            const value = cellEstimate(cell, "ece", protocol, stage);
            const title = `${style.label}, ${countOf(cell)} of ${group.dimensions} dimensions: ECE ${formatEstimate(value, measure)}`;
            return inPanel(protocol, toPoint(cell, value, 1, title));
          }),
        );
        return seriesMarks(points, style, dodge(i, group.series.length));
      }),
      Plot.text(
        PROTOCOLS.map((protocol) => ({ fx: PROTOCOL_LABELS[protocol], text: PROTOCOL_LABELS[protocol] })),
        {
          fx: "fx",
          text: "text",
          frameAnchor: "top",
          dy: -14,
          fontWeight: 600,
          fill: "currentColor",
        },
      ),
      fractionTicks(group, axis),
      Plot.axisX([], { anchor: "bottom", label: X_LABEL, labelAnchor: "center", labelArrow: "none", labelOffset: 46 }),
    ],
  });
}
