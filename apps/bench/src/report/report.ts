import type { RunResult } from "../result.ts";
import {
  allCells,
  type BenchmarkGroup,
  type Cell,
  cellEstimate,
  type GroupBootstrap,
  groupName,
  groupNotes,
  groupRuns,
} from "./aggregate.ts";
import { marker, serialise } from "./chart.ts";
import { formatFraction, plural } from "./format.ts";
import { calibrationChart, differenceChart, frontierChart } from "./frontier-figures.ts";
import { controlCharts, gateValueChart, historyRuns, mergedTrace, openProbabilityChart } from "./gate-figures.ts";
import { html, Markup } from "./markup.ts";
import { PROTOCOL_LABELS, STAGES } from "./measures.ts";
import { methodStyles } from "./methods.ts";
import { reliabilityCharts } from "./reliability-figure.ts";
import { seedStreamsOf, settingsOf, versionsOf, warningsOf } from "./settings.ts";
import { PAGE_STYLE } from "./style.ts";
import {
  calibrationTable,
  calibrationVerdictTable,
  cellLabel,
  comparatorTable,
  costTable,
  definitionTable,
  differenceTable,
  predictionTable,
  seriesTable,
  subgroupTable,
  subsetTable,
} from "./tables.ts";
import { headlineCells, headlineNumbers, headlineSeries, verdictSentences } from "./verdict.ts";

/** What a report says besides the runs' own documents. */
export interface ReportContext {
  readonly title: string;
  /** The command that repeats the runs and this report. */
  readonly command: string;
  /** ISO 8601, for example `new Date().toISOString()`. */
  readonly createdAt: string;
  /** Name to version, of whatever wrote the report. */
  readonly versions: Readonly<Record<string, string>>;
  /** Name to value, for example `{ cores: "2", system: "linux x64" }`. */
  readonly machine: Readonly<Record<string, string>>;
  /** Runs that did not finish, and why. */
  readonly failures?: readonly { readonly run: string; readonly message: string }[];
  /** Benchmarks that were not run, because their data are not there. */
  readonly skipped?: readonly { readonly benchmark: string; readonly reason: string }[];
}

/** Numbers figures through the whole page. */
class FigureCounter {
  #count = 0;

  figure(content: Markup | readonly Markup[], caption: string | Markup): Markup {
    this.#count++;
    return html`<figure>${content}<figcaption><b>Figure ${this.#count}.</b> ${caption}</figcaption></figure>
`;
  }
}

function legend(group: BenchmarkGroup, methods: readonly string[], floor = false): Markup {
  const styleOf = methodStyles(group);
  return html`<ul class="legend">${methods.map((method) => {
    const style = styleOf(method);
    return html`<li>${marker(style)} ${style.label}</li>`;
  })}${floor && html`<li><span class="floor"></span> noise floor</li>`}</ul>`;
}

const svg = (element: SVGSVGElement): Markup => new Markup(serialise(element));

function panels(elements: readonly SVGSVGElement[], two: boolean): Markup {
  return html`<div class="panels${two && " two"}">${elements.map((element) => html`<div>${svg(element)}</div>`)}</div>`;
}

function badges(group: BenchmarkGroup): Markup {
  return html`${groupNotes(group).map((note) => html`<span class="badge">${note}</span>`)}`;
}

/** Keeps an interval, and a number with its unit, on one line. */
function unbroken(sentence: string): string {
  return sentence.replace(/\[[^\]]*\]| %|\d (?:min|h) \d+ (?:s|min)\b|\d s\b/g, (part) =>
    part.replaceAll(" ", "\u00a0"),
  );
}

function verdictSection(group: BenchmarkGroup): Markup {
  const numbers = headlineNumbers(group);
  const headline = headlineCells(group)?.headline;
  return html`${
    numbers.length > 0 &&
    html`<dl class="numbers">${numbers.map(
      ({ value, label, note }) =>
        html`<div><dd class="value">${value}</dd><dt>${label}</dt><dd class="note">${note}</dd></div>`,
    )}</dl>`
  }
<h3>Verdict</h3>
<ul class="verdict">${verdictSentences(group).map((sentence) => html`<li>${unbroken(sentence)}</li>`)}</ul>
${headline !== undefined && calibrationVerdictTable(group, headline)}`;
}

const SEEDS_NOTE =
  "Means over seeds with 95 % t intervals; the test split is fixed, so the intervals cover training, not the choice of test rows.";
const ROWS_NOTE = " That choice is what the bootstrap in the tables of differences covers.";

function frontierSection(group: BenchmarkGroup, counter: FigureCounter): Markup | undefined {
  if (group.series.length === 0) return undefined;
  const methods = [...(group.dense === undefined ? [] : ["dense"]), ...group.series.map((series) => series.method)];
  const hasAuroc = allCells(group).some((cell) => cellEstimate(cell, "auroc") !== undefined);
  const ours = group.series.some((series) => series.method.startsWith("l0gm"));
  const charts = [
    frontierChart(group, "accuracy"),
    ...(group.dense !== undefined && ours ? [differenceChart(group, "accuracy")] : []),
    frontierChart(group, "nll"),
    ...(hasAuroc ? [frontierChart(group, "auroc")] : []),
  ];
  const several = group.seeds.length > 1;
  const band = group.dense === undefined ? "" : ` The dashed line${several ? " and its band are" : " is"} dense.`;
  const rowsNote = (group.bootstrap?.differences.length ?? 0) > 0 ? ROWS_NOTE : "";
  const interval = several ? SEEDS_NOTE + rowsNote : "One seed, no interval.";
  return html`<h3>Frontier</h3>
${legend(group, methods)}
${counter.figure(
  panels(charts, true),
  `Test measures on ${groupName(group)} against the realised active fraction, best validation. ${interval}${band}` +
    (group.series.length > 1 ? " Markers of one fraction are set apart by a few pixels so that all can be read." : ""),
)}`;
}

function calibrationSection(group: BenchmarkGroup, counter: FigureCounter): Markup {
  const methods = [...(group.dense === undefined ? [] : ["dense"]), ...group.series.map((series) => series.method)];
  const shown = reliabilityCells(group);
  const reliability = reliabilityCharts(group, shown, (cell) => cellLabel(group, cell));
  return html`<h3>Calibration</h3>
${
  group.series.length > 0 &&
  html`${legend(group, methods, true)}
${counter.figure(
  STAGES.map((stage) => svg(calibrationChart(group, stage))),
  `Expected calibration error (15 equal-width bins) on ${groupName(group)} under both protocols, before and after the temperature that the validation split chose. Each row has its own scale. The dotted line is what a binned ECE comes to when every confidence is right.`,
)}`
}
${counter.figure(
  [svg(reliability.curves), svg(reliability.counts)],
  html`Reliability on ${groupName(group)}, best validation, bins pooled over seeds: filled circles before temperature scaling, hollow diamonds after; shading is the gap to perfect calibration. Beneath, the share of test rows in each bin before temperature scaling.`,
)}`;
}

/** Dense and up to three of the headline series: its densest, the headline, its sparsest. */
function reliabilityCells(group: BenchmarkGroup): Cell[] {
  const cells = headlineCells(group);
  const series = headlineSeries(group)?.cells ?? [];
  const densest = series.find((cell) => cell.realised < 1);
  const picked = [group.dense, densest, cells?.headline, cells?.sparsest].filter((cell) => cell !== undefined);
  return [...new Set(picked)];
}

function comparatorSection(group: BenchmarkGroup): Markup | undefined {
  const table = comparatorTable(group);
  return table === undefined
    ? undefined
    : html`<h3>Comparators</h3>
${table}`;
}

function gateSection(group: BenchmarkGroup, counter: FigureCounter): Markup | undefined {
  const styleOf = methodStyles(group);
  const ours = group.series.filter((series) => series.method.startsWith("l0gm"));
  const main = headlineSeries(group);
  if (main === undefined || ours.length === 0) return undefined;
  const fraction = headlineCells(group)?.headline.fraction;
  const dense = (group.dense?.runs ?? []).map(({ seed, trace }) => ({ seed, trace }));
  const histories = ours.flatMap((series) => {
    const cell = series.cells.find((candidate) => candidate.fraction === fraction) ?? series.cells.at(-1);
    if (cell === undefined) return [];
    const seeds = cell.runs
      .map(({ seed }) => ({ seed, trace: mergedTrace(historyRuns(series, cell, seed)) }))
      .filter(({ trace }) => trace.length > 0);
    const { label, color } = styleOf(series.method);
    const what = series.method === "l0gm-path" ? label : `${label}, fraction ${formatFraction(cell.fraction)}`;
    return seeds.length === 0 ? [] : [{ what, color, seeds }];
  });
  const maps = histories.flatMap(({ what, color, seeds }) => {
    const title = `Open probabilities over epochs, ${what}, ${groupName(group)}`;
    const map = openProbabilityChart(title, seeds[0]?.trace ?? [], color);
    return map === undefined ? [] : [html`<div><h4>${what}</h4>${svg(map)}</div>`];
  });
  return html`<h3>Gates</h3>
${counter.figure(
  svg(gateValueChart(group, main)),
  `Final gate values, largest first, ${styleOf(main.method).label} on ${groupName(group)}, first seed. A closed gate is exactly zero and its dimension is removed.`,
)}
${
  maps.length > 0 &&
  counter.figure(
    html`<div class="panels two">${maps}</div>`,
    "How gates open and close: P(z ≠ 0) of every dimension by epoch, darkest at 1, first seed.",
  )
}
${
  histories.length > 0 &&
  counter.figure(
    histories.map(
      ({ what, color, seeds }) =>
        html`<h4>${what}</h4>${panels(controlCharts(`${what}, ${groupName(group)}`, seeds, dense, color), false)}`,
    ),
    `Control over training, a line a seed. Consolidation, with frozen gates, is shaded${dense.length > 0 ? "; dashed grey is dense" : ""}.`,
  )
}`;
}

function tableSection(group: BenchmarkGroup): Markup {
  const cells = headlineCells(group);
  const compared = [group.dense, cells?.headline, cells?.sparsest].filter((cell) => cell !== undefined);
  return html`<h3>Cost</h3>
${costTable(group)}
${seriesTable(group)}
<h3>Results</h3>
<p>Mean ± half the width of the 95 % t interval over seeds${group.seeds.length === 1 && "; one seed, no interval"}.</p>
${["bestValidation" as const, "equalBudget" as const].map(
  (protocol) => html`<details open><summary>Protocol: ${PROTOCOL_LABELS[protocol]}</summary>
${predictionTable(group, protocol)}
${calibrationTable(group, protocol, "raw")}
${calibrationTable(group, protocol, "scaled")}
${differenceTable(group, protocol)}
</details>`,
)}
${subsetTable(group, compared)}
${subgroupTable(group, compared)}`;
}

function settingsSection(group: BenchmarkGroup): Markup {
  const { shared, varying } = settingsOf(group);
  const warnings = warningsOf(group);
  return html`<h3>Settings</h3>
${definitionTable("Data", [
  ["name", group.data.name],
  ["checksum", group.data.checksum],
  ["split", group.split],
])}
${shared.length > 0 && definitionTable("Settings of all runs", shared)}
${varying.length > 0 && definitionTable("Settings that differ between runs", varying)}
${definitionTable("Seeds by purpose", seedStreamsOf(group))}
${
  warnings.length > 0 &&
  html`<h3>Warnings</h3><ul>${warnings.map(({ text, runs }) => html`<li>${text} <small>${runs.join("; ")}</small></li>`)}</ul>`
}`;
}

function benchmarkSection(group: BenchmarkGroup, index: number, counter: FigureCounter): Markup {
  const rows = allCells(group)[0]?.runs[0]?.metrics.test.rows;
  return html`<section id="benchmark-${index}">
<h2>${group.benchmark}${badges(group)}</h2>
<p class="meta">${group.dimensions} dimensions · split ${group.split} · ${rows === undefined ? "" : `${plural(rows, "test row")} · `}${plural(group.seeds.length, "seed")}${group.seeds.length === 1 && ", so no intervals"} · data ${group.data.name}</p>
${verdictSection(group)}
${frontierSection(group, counter)}
${calibrationSection(group, counter)}
${comparatorSection(group)}
${gateSection(group, counter)}
${tableSection(group)}
${settingsSection(group)}
</section>
`;
}

function failureSection(context: ReportContext): Markup | undefined {
  const failures = context.failures ?? [];
  if (failures.length === 0) return undefined;
  return html`<section><h2>Failed runs</h2>
<p>${plural(failures.length, "run")} did not finish and ${failures.length === 1 ? "is" : "are"} in no number here.</p>
${definitionTable(
  "Failures",
  failures.map(({ run, message }) => [run, message]),
)}</section>`;
}

function skippedSection({ skipped = [] }: ReportContext): Markup | undefined {
  if (skipped.length === 0) return undefined;
  return html`<section><h2>Skipped benchmarks</h2>
<p>Their data do not come with the repository and are not on this machine.</p>
${definitionTable(
  "Skipped",
  skipped.map(({ benchmark, reason }) => [benchmark, reason]),
)}</section>`;
}

/**
 * One HTML file that shows a sweep: verdict, frontier, calibration, gates, cost, every number, and how to repeat it. It loads
 * nothing, follows the reader's light or dark theme, prints, and is the same for the same input.
 *
 * @param bootstraps - what `bootstrapRuns` made of the same runs; differences to dense are then shown with intervals over test rows
 *
 * @example
 * ```ts
 * await writeFile("report.html", renderReport(runs, {
 *   title: "Adult",
 *   command: "l0gm sweep adult --seeds 5",
 *   createdAt: new Date().toISOString(),
 *   versions: { "@l0gm/bench": "0.1.0" },
 *   machine: { cores: "2" },
 * }));
 * ```
 */
export function renderReport(
  runs: readonly RunResult[],
  context: ReportContext,
  bootstraps: readonly GroupBootstrap[] = [],
): string {
  const groups = groupRuns(runs, bootstraps);
  const counter = new FigureCounter();
  const machine = Object.entries(context.machine)
    .map(([name, value]) => `${name} ${value}`)
    .join(" · ");
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${context.title}</title>
<style>${new Markup(PAGE_STYLE)}</style>
</head>
<body>
<header>
<h1>${context.title}</h1>
<p class="meta"><time datetime="${context.createdAt}">${context.createdAt.slice(0, 16).replace("T", " ")}</time> · ${plural(runs.length, "run")}${machine !== "" && ` · ${machine}`}</p>
${
  groups.length > 1 &&
  html`<nav aria-label="Benchmarks">${groups.map((group, i) => html`<a href="#benchmark-${i}">${groupName(group)}</a>`)}</nav>`
}
</header>
<main>
${groups.length === 0 && html`<p>No run finished, so there is nothing to show.</p>`}
${groups.map((group, i) => benchmarkSection(group, i, counter))}
${failureSection(context)}
${skippedSection(context)}
<section><h2>How to repeat this</h2>
<pre>${context.command}</pre>
${definitionTable("Versions that wrote this report", Object.entries(context.versions))}
${runs.length > 0 && definitionTable("Versions that the runs recorded", versionsOf(runs))}
</section>
</main>
<footer>Protocols: ${PROTOCOL_LABELS.equalBudget} is the last epoch of the same number of epochs, on a path the last epoch of a fraction’s segment; ${PROTOCOL_LABELS.bestValidation} is the epoch of lowest validation NLL after the budget is frozen. The test split was read once. A difference is the method minus dense, paired by seed; its t interval is over seeds with the test rows fixed, its bootstrap over test rows with the trained models fixed.</footer>
</body>
</html>
`.text;
}
