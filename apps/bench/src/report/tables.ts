/** The report's tables. Numbers are means over seeds, with half the width of the 95 % t interval where there is one. */

import type { RunResult } from "../result.ts";
import {
  allCells,
  type BenchmarkGroup,
  type Cell,
  cellEstimate,
  differenceToDense,
  type Estimate,
  estimate,
  hypervolumes,
  isComparator,
  noiseFloor,
  pairedEstimate,
  seriesSeconds,
} from "./aggregate.ts";
import { marker } from "./chart.ts";
import {
  formatBootstrap,
  formatBytes,
  formatDifference,
  formatDuration,
  formatEstimate,
  formatFraction,
  formatNumber,
  formatSigned,
  MISSING,
  plural,
} from "./format.ts";
import { html, type Markup } from "./markup.ts";
import {
  MEASURES,
  type Measure,
  type MeasureKey,
  PROTOCOL_LABELS,
  PROTOCOLS,
  type Protocol,
  readMeasure,
  type Stage,
  testMetrics,
} from "./measures.ts";
import { methodStyles } from "./methods.ts";
import { dimensionsOf, headlineCells, headlineSeries } from "./verdict.ts";

interface Column<Row> {
  readonly head: string;
  readonly unit?: string;
  readonly value: (row: Row) => string | Markup;
}

interface RowGroup<Row> {
  readonly head: string | Markup;
  readonly rows: readonly Row[];
}

/** A table whose rows come in groups, each named once; every column but the group's name is right-aligned. */
function groupedTable<Row>(
  caption: string,
  groupHead: string,
  columns: readonly Column<Row>[],
  groups: readonly RowGroup<Row>[],
): Markup {
  return html`<div class="table"><table>
<caption>${caption}</caption>
<thead><tr><th scope="col">${groupHead}</th>${columns.map(
    ({ head, unit }) => html`<th scope="col">${head}${unit === undefined ? "" : html` <small>${unit}</small>`}</th>`,
  )}</tr></thead>
${groups
  .filter((group) => group.rows.length > 0)
  .map(
    ({ head, rows }) => html`<tbody>${rows.map(
      (row, i) =>
        html`<tr>${
          i === 0 && html`<th scope="rowgroup" rowspan="${rows.length}">${head}</th>`
        }${columns.map((column) => html`<td>${column.value(row)}</td>`)}</tr>`,
    )}</tbody>
`,
  )}</table></div>`;
}

/** Names and values side by side. */
export function definitionTable(caption: string, entries: readonly (readonly [string, string])[]): Markup {
  return html`<div class="table"><table class="definitions"><caption>${caption}</caption><tbody>${entries.map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  )}</tbody></table></div>`;
}

function methodGroups(group: BenchmarkGroup, cells: readonly Cell[]): RowGroup<Cell>[] {
  const styleOf = methodStyles(group);
  return [...new Set(cells.map((cell) => cell.method))].map((method) => {
    const style = styleOf(method);
    return { head: html`${marker(style)} ${style.label}`, rows: cells.filter((cell) => cell.method === method) };
  });
}

const ACTIVE: Column<Cell> = {
  head: "Active",
  unit: "dims",
  value: (cell) =>
    isComparator(cell)
      ? MISSING
      : html`${formatFraction(cell.fraction)} <small class="dims">${formatNumber(cell.count, Number.isInteger(cell.count) ? 0 : 1)}</small>`,
};

function unitOf(measure: Measure, difference: boolean): { unit: string } | Record<string, never> {
  if (measure.scale === 1) return {};
  return { unit: difference ? "points" : "%" };
}

function measureColumn(key: MeasureKey, protocol: Protocol, stage: Stage = "raw"): Column<Cell> {
  const measure: Measure = MEASURES[key];
  return {
    head: measure.label,
    ...unitOf(measure, false),
    value: (cell) => estimateCell(cellEstimate(cell, key, protocol, stage), measure),
  };
}

/** A mean with its half-width in smaller type, so that the eye runs down the means. */
function estimateCell(estimate: Estimate | undefined, measure: Measure): string | Markup {
  const [mean = MISSING, halfWidth] = formatEstimate(estimate, measure).split(" ± ");
  return halfWidth === undefined ? mean : html`${mean} <small>± ${halfWidth}</small>`;
}

/** A difference with its half-width, bold where the t interval lies on one side of zero; beneath, the bootstrap over test rows. */
function differenceCell(difference: Estimate | undefined, measure: Measure): string | Markup {
  if (difference === undefined) return MISSING;
  const { mean, interval } = difference;
  const signed = formatSigned(mean * measure.scale, measure.digits);
  if (interval === undefined) return withBootstrap(signed, difference, measure);
  const resolved = interval.lower > 0 || interval.upper < 0;
  const halfWidth = formatNumber(interval.halfWidth * measure.scale, measure.digits);
  const shown = html`${resolved ? html`<b>${signed}</b>` : signed} <small>± ${halfWidth}</small>`;
  return withBootstrap(shown, difference, measure);
}

function withBootstrap(shown: string | Markup, difference: Estimate | undefined, measure: Measure): string | Markup {
  const interval = formatBootstrap(difference, measure);
  return interval === "" ? shown : html`${shown}<br><small>${interval}</small>`;
}

/** What the small brackets of {@link withBootstrap} are, to end a caption with. */
function bootstrapNote({ bootstrap }: BenchmarkGroup): string {
  if (bootstrap === undefined || bootstrap.differences.length === 0) return "";
  return `; beneath in small brackets, the 95 % interval over ${formatNumber(bootstrap.samples)} bootstrap resamples of the test rows`;
}

/** Drops columns in which no row has a value, for example AUROC where no run gives it. */
function filled(columns: readonly Column<Cell>[], cells: readonly Cell[]): Column<Cell>[] {
  return columns.filter((column) => cells.some((cell) => column.value(cell) !== MISSING));
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Prediction and probability measures, expected and realised fractions. */
export function predictionTable(group: BenchmarkGroup, protocol: Protocol): Markup {
  const cells = allCells(group);
  const columns: Column<Cell>[] = [
    ACTIVE,
    ...(["accuracy", "macroF1", "auroc", "averagePrecision", "nll", "brier"] as const).map((key) =>
      measureColumn(key, protocol),
    ),
    { head: "Expected", value: (cell) => formatNumber(cell.expected, 3) },
    { head: "Realised", value: (cell) => formatNumber(cell.realised, 3) },
    { head: "Seeds", value: (cell) => String(cell.runs.length) },
  ];
  const caption = `Predictions on the test split, ${PROTOCOL_LABELS[protocol]}`;
  return groupedTable(caption, "Method", filled(columns, cells), methodGroups(group, cells));
}

/** Every calibration measure, before or after temperature scaling. */
export function calibrationTable(group: BenchmarkGroup, protocol: Protocol, stage: Stage): Markup {
  const cells = allCells(group);
  const keys = ["ece", "eceEqualMass", "eceClasswise", "mce", "rmsDebiased", "smoothEce"] as const;
  const columns = [
    ACTIVE,
    ...keys.map((key) => measureColumn(key, protocol, stage)),
    ...(stage === "scaled" ? [measureColumn("nll", protocol, stage), measureColumn("temperature", protocol)] : []),
  ];
  const when = stage === "raw" ? "before" : "after";
  const caption = `Calibration on the test split ${when} temperature scaling, ${PROTOCOL_LABELS[protocol]}; a debiased RMS error is 0 where its estimate is not above zero`;
  return groupedTable(caption, "Method", filled(columns, cells), methodGroups(group, cells));
}

/** Paired differences to dense with their intervals; undefined where there is no dense run. */
export function differenceTable(group: BenchmarkGroup, protocol: Protocol): Markup | undefined {
  if (group.dense === undefined) return undefined;
  const cells = allCells(group).filter((cell) => cell !== group.dense);
  const column = (key: MeasureKey, stage: Stage): Column<Cell> => {
    const measure: Measure = MEASURES[key];
    return {
      head: stage === "scaled" ? `${measure.label} after T` : measure.label,
      ...unitOf(measure, true),
      value: (cell) => differenceCell(differenceToDense(group, cell, key, protocol, stage), measure),
    };
  };
  const columns = [
    ACTIVE,
    column("accuracy", "raw"),
    column("nll", "raw"),
    column("nll", "scaled"),
    column("ece", "raw"),
    column("ece", "scaled"),
    column("rmsDebiased", "raw"),
    column("smoothEce", "raw"),
  ];
  const caption = `Mean difference to dense, paired by seed, ± half its 95 % t interval, bold where that excludes zero, ${PROTOCOL_LABELS[protocol]}${bootstrapNote(group)}`;
  return groupedTable(caption, "Method", columns, methodGroups(group, cells));
}

/** The calibration verdict at one cell: each estimator under both protocols, before and after temperature scaling. */
export function calibrationVerdictTable(group: BenchmarkGroup, cell: Cell): Markup | undefined {
  if (group.dense === undefined) return undefined;
  const keys = ["ece", "eceEqualMass", "rmsDebiased", "smoothEce", "nll"] as const;
  const columns = PROTOCOLS.flatMap((protocol) =>
    (["raw", "scaled"] as const).map((stage) => ({
      head: PROTOCOL_LABELS[protocol],
      unit: stage === "raw" ? "before T" : "after T",
      value: (key: MeasureKey) => {
        const difference = differenceToDense(group, cell, key, protocol, stage);
        return withBootstrap(formatDifference(difference, MEASURES[key]), difference, MEASURES[key]);
      },
    })),
  );
  return groupedTable(
    `Calibration at ${dimensionsOf(group, cell)} minus dense, paired by seed${group.seeds.length > 1 ? ", with 95 % t intervals" : ""}; below zero is better than dense${bootstrapNote(group)}`,
    "Estimator",
    columns,
    keys.map((key) => ({ head: MEASURES[key].label, rows: [key] })),
  );
}

/** What a model of each size costs. Time and memory are of this machine. */
export function costTable(group: BenchmarkGroup): Markup {
  const of = (cell: Cell, read: (run: RunResult) => number | undefined): Estimate | undefined =>
    estimate(cell.runs.map(read));
  const isDense = (cell: Cell): boolean => cell.method === "dense";
  const counted =
    (pick: (cost: RunResult["cost"]) => { dense: number; compacted: number }) =>
    (cell: Cell): string =>
      formatNumber(of(cell, ({ cost }) => (isDense(cell) ? pick(cost).dense : pick(cost).compacted))?.mean);
  const columns: Column<Cell>[] = [
    ACTIVE,
    { head: "Parameters", value: counted((cost) => cost.parameters) },
    { head: "MACs", unit: "a row", value: counted((cost) => cost.macs) },
    { head: "Embedding", unit: "bytes", value: counted((cost) => cost.embeddingBytes) },
    {
      head: "Dense",
      unit: "ms",
      value: (cell) => formatNumber(of(cell, (run) => run.cost.latencyMs.dense)?.mean, 3),
    },
    {
      head: "Gated",
      unit: "ms",
      value: (cell) => (isDense(cell) ? MISSING : formatNumber(of(cell, (run) => run.cost.latencyMs.gated)?.mean, 3)),
    },
    {
      head: "Compacted",
      unit: "ms",
      value: (cell) =>
        isDense(cell) ? MISSING : formatNumber(of(cell, (run) => run.cost.latencyMs.compacted)?.mean, 3),
    },
    { head: "Training", value: (cell) => formatDuration(of(cell, (run) => run.timing.seconds)?.mean) },
    { head: "Peak memory", value: (cell) => formatBytes(of(cell, (run) => run.timing.peakRssBytes)?.mean) },
  ];
  const backends = [...new Set(allCells(group).flatMap((cell) => cell.runs.map((run) => run.timing.backend)))].join(
    ", ",
  );
  const rows = [
    ...new Set(allCells(group).flatMap((cell) => cell.runs.flatMap((run) => run.cost.latencyMs.rows ?? []))),
  ];
  const batch = rows.length === 1 ? `a batch of ${plural(rows[0] ?? 0, "row")}` : "a batch";
  const caption = `What a compacted model costs; latency of ${batch} and training time on the ${backends} backend, means over seeds; timed in each run's own process, while other runs went on beside it`;
  return groupedTable(caption, "Method", filled(columns, allCells(group)), methodGroups(group, allCells(group)));
}

/** What the modality does anyway, each beside dense and beside L0GM. */
export function comparatorTable(group: BenchmarkGroup): Markup | undefined {
  if (group.comparators.length === 0) return undefined;
  const headline = headlineCells(group)?.headline;
  const difference = (key: MeasureKey): Column<Cell> => ({
    head: `${MEASURES[key].label} minus dense`,
    ...unitOf(MEASURES[key], true),
    value: (cell) =>
      cell === group.dense ? MISSING : differenceCell(differenceToDense(group, cell, key), MEASURES[key]),
  });
  const accuracy = (run: RunResult): number | undefined => readMeasure(testMetrics(run, "bestValidation"), "accuracy");
  const mean = (cell: Cell, read: (run: RunResult) => number | undefined): number | undefined =>
    estimate(cell.runs.map(read))?.mean;
  const macs = (cell: Cell): number | undefined => mean(cell, ({ cost }) => cost.macs.compacted);
  const columns: Column<Cell>[] = [
    ACTIVE,
    measureColumn("accuracy", "bestValidation"),
    difference("accuracy"),
    ...(headline === undefined
      ? []
      : [
          {
            head: `${cellLabel(group, headline)}, minus it`,
            unit: "points",
            value: (cell: Cell) =>
              cell === headline ? MISSING : differenceCell(pairedEstimate(headline, cell, accuracy), MEASURES.accuracy),
          },
        ]),
    measureColumn("ece", "bestValidation"),
    difference("ece"),
    measureColumn("nll", "bestValidation"),
    { head: "MACs", unit: "a row", value: (cell) => formatNumber(macs(cell)) },
    {
      head: "MACs",
      unit: "% of dense",
      value: (cell) =>
        group.dense === undefined
          ? MISSING
          : formatNumber((100 * (macs(cell) ?? Number.NaN)) / (macs(group.dense) ?? 0), 1),
    },
    {
      head: "Latency",
      unit: "ms",
      value: (cell) =>
        formatNumber(
          mean(cell, ({ cost }) => cost.latencyMs.compacted),
          3,
        ),
    },
    { head: "Training", value: (cell) => formatDuration(mean(cell, ({ timing }) => timing.seconds)) },
    { head: "Seeds", value: (cell) => String(cell.runs.length) },
  ];
  const ours = headlineSeries(group)?.cells ?? [];
  const cells = [group.dense, ...ours, ...group.comparators].filter((cell) => cell !== undefined);
  const caption = `Comparators without a gate, each with the epochs, batches and optimizer of dense, beside L0GM, whose multiply-accumulates (MACs) are those of its compacted model, ${PROTOCOL_LABELS.bestValidation}; differences paired by seed, ± half the 95 % t interval, bold where that excludes zero${bootstrapNote(group)}`;
  return groupedTable(caption, "Method", filled(columns, cells), methodGroups(group, cells));
}

/** A method's whole frontier in one row: hypervolume and seconds for all of its fractions. */
export function seriesTable(group: BenchmarkGroup): Markup | undefined {
  if (group.series.length === 0) return undefined;
  const styleOf = methodStyles(group);
  const volumes = new Map(hypervolumes(group).map(({ method, volume }) => [method, volume]));
  const columns: Column<BenchmarkGroup["series"][number]>[] = [
    { head: "Fractions", value: (series) => series.cells.map((cell) => formatFraction(cell.fraction)).join("  ") },
    {
      head: "Hypervolume",
      value: (series) => estimateCell(volumes.get(series.method), { label: "", scale: 1, digits: 5 }),
    },
    { head: "All fractions, a seed", value: (series) => formatDuration(seriesSeconds(series, group.seeds)?.mean) },
  ];
  return groupedTable(
    "Whole frontiers; hypervolume of accuracy over realised fraction, against the lowest accuracy of this benchmark’s runs at fraction 1",
    "Method",
    columns,
    group.series.map((series) => {
      const style = styleOf(series.method);
      return { head: html`${marker(style)} ${style.label}`, rows: [series] };
    }),
  );
}

/** Test metrics on named subsets of the rows. */
export function subsetTable(group: BenchmarkGroup, cells: readonly Cell[]): Markup | undefined {
  const names = [...new Set(cells.flatMap((cell) => cell.runs.flatMap((run) => Object.keys(run.subsets))))];
  if (names.length === 0) return undefined;
  interface Row {
    readonly cell: Cell;
    readonly name: string;
  }
  const value =
    (key: MeasureKey, stage: Stage = "raw") =>
    (row: Row): string | Markup =>
      estimateCell(
        estimate(
          row.cell.runs.map((run) => {
            const metrics = run.subsets[row.name];
            return metrics === undefined ? undefined : readMeasure(metrics, key, stage);
          }),
        ),
        MEASURES[key],
      );
  const columns: Column<Row>[] = [
    { head: "Dimensions", value: ({ cell }) => `${cellLabel(group, cell)}` },
    { head: "Rows", value: ({ cell, name }) => formatNumber(cell.runs[0]?.subsets[name]?.rows) },
    { head: "Accuracy", unit: "%", value: value("accuracy") },
    { head: "NLL", value: value("nll") },
    { head: "ECE", value: value("ece") },
    { head: "ECE after T", value: value("ece", "scaled") },
    { head: "RMS, debiased", value: value("rmsDebiased") },
    { head: "Smooth ECE", value: value("smoothEce") },
  ];
  return groupedTable(
    "Subsets, best validation",
    "Subset",
    columns,
    names.map((name) => ({ head: name, rows: cells.map((cell) => ({ cell, name })) })),
  );
}

/** Test metrics of the rows that share a property, each beside the noise floor of so few rows. */
export function subgroupTable(group: BenchmarkGroup, cells: readonly Cell[]): Markup | undefined {
  const found = new Map<string, { column: string; value: string }>();
  for (const { subgroups } of cells.flatMap((cell) => cell.runs)) {
    for (const { column, value } of subgroups) found.set(JSON.stringify([column, value]), { column, value });
  }
  const keys = [...found.values()];
  if (keys.length === 0) return undefined;
  interface Row {
    readonly cell: Cell;
    readonly key: (typeof keys)[number];
  }
  const of = ({ cell, key }: Row): RunResult["metrics"]["test"][] =>
    cell.runs.flatMap((run) =>
      run.subgroups
        .filter(({ column, value }) => column === key.column && value === key.value)
        .map(({ metrics }) => metrics),
    );
  const value =
    (key: MeasureKey, stage: Stage = "raw") =>
    (row: Row): string | Markup =>
      estimateCell(estimate(of(row).map((metrics) => readMeasure(metrics, key, stage))), MEASURES[key]);
  const columns: Column<Row>[] = [
    { head: "Dimensions", value: ({ cell }) => cellLabel(group, cell) },
    { head: "Rows", value: (row) => formatNumber(of(row)[0]?.rows) },
    { head: "Accuracy", unit: "%", value: value("accuracy") },
    { head: "NLL", value: value("nll") },
    { head: "ECE", value: value("ece") },
    { head: "ECE after T", value: value("ece", "scaled") },
    {
      head: "Noise floor",
      value: (row) => {
        const floors = of(row).flatMap((metrics) => noiseFloor(metrics.reliability)?.mean ?? []);
        return floors.length === 0 ? MISSING : formatNumber(average(floors), 4);
      },
    },
    { head: "RMS, debiased", value: value("rmsDebiased") },
    { head: "Smooth ECE", value: value("smoothEce") },
  ];
  return groupedTable(
    "Subgroups, best validation; the noise floor is the ECE that so few rows show when every confidence is right",
    "Subgroup",
    columns,
    keys.map((key) => ({ head: `${key.column}: ${key.value}`, rows: cells.map((cell) => ({ cell, key })) })),
  );
}

/** `Dense` or `L0GM, 1/8` */
export function cellLabel(group: BenchmarkGroup, cell: Cell): string {
  if (cell.method === "dense") return `Dense, ${group.dimensions}`;
  const name = cell.method === "l0gm" ? "L0GM" : methodStyles(group)(cell.method).label;
  return `${name}, ${formatFraction(cell.fraction)}`;
}
