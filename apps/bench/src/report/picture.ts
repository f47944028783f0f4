import type { RunResult } from "../result.ts";
import { type BenchmarkGroup, groupName, groupRuns } from "./aggregate.ts";
import { marker, serialise } from "./chart.ts";
import { plural } from "./format.ts";
import { frontierChart } from "./frontier-figures.ts";
import { html, Markup } from "./markup.ts";
import { methodStyles } from "./methods.ts";
import { DARK_THEME, LIGHT_THEME, SANS } from "./style.ts";

const PANEL = { width: 470, height: 290 };
const MARGIN = 22;
/** Above a row's panels: its name and what is shown. */
const HEADER = 46;
const LEGEND_LINE = 19;
/** Between two benchmarks. */
const GAP = 26;
const WIDTH = 2 * PANEL.width + 2 * MARGIN;

/** A generous guess at the width of 12 px text, which only a browser could measure. */
const textWidth = (text: string): number => 6.9 * text.length;

function legend(group: BenchmarkGroup): { markup: Markup; height: number } {
  const styleOf = methodStyles(group);
  const methods = [...(group.dense === undefined ? [] : ["dense"]), ...group.series.map((series) => series.method)];
  let x = 0;
  let y = 0;
  const entries = methods.map((method) => {
    const style = styleOf(method);
    const width = 44 + textWidth(style.label);
    if (x > 0 && x + width > 2 * PANEL.width) {
      x = 0;
      y += LEGEND_LINE;
    }
    const entry = html`<g transform="translate(${x},${y})">${marker(style)}<text x="26" y="10" font-size="12">${style.label}</text></g>`;
    x += width;
    return entry;
  });
  return { markup: html`${entries}`, height: y + LEGEND_LINE + 8 };
}

function place(chart: SVGSVGElement, x: number, y: number): Markup {
  chart.setAttribute("x", String(x));
  chart.setAttribute("y", String(y));
  return new Markup(serialise(chart));
}

function row(group: BenchmarkGroup, top: number): { markup: Markup; height: number } {
  const seeds =
    group.seeds.length > 1 ? `mean and 95 % t interval over ${plural(group.seeds.length, "seed")}` : "one seed";
  const key = legend(group);
  const panels = HEADER + key.height;
  const markup = html`<g transform="translate(${MARGIN},${top})">
<text y="14" font-size="15" font-weight="600">${groupName(group)}</text>
<text y="33" font-size="12" fill="var(--ink-soft)">${group.dimensions} dimensions, test split, best validation, ${seeds}</text>
<g transform="translate(0,${HEADER})">${key.markup}</g>
${place(frontierChart(group, "accuracy", PANEL), 0, panels)}
${place(frontierChart(group, "ece", PANEL), PANEL.width, panels)}
</g>
`;
  return { markup, height: panels + PANEL.height };
}

/**
 * The frontier as a picture of its own, for a README: accuracy and ECE against the realised active fraction, a row a benchmark.
 * It brings its own background, so it reads on any page, and follows the reader's theme.
 *
 * @example
 * ```ts
 * await writeFile("frontier.svg", renderPicture(runs));
 * ```
 */
export function renderPicture(runs: readonly RunResult[]): string {
  const groups = groupRuns(runs);
  let top = MARGIN;
  const rows = groups.map((group) => {
    const { markup, height } = row(group, top);
    top += height + GAP;
    return markup;
  });
  const height = top - (rows.length > 0 ? GAP : 0) + MARGIN;
  const label = `Accuracy and calibration error against active fraction: ${groups.map(groupName).join("; ")}`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${label}">
<style>:root{${new Markup(LIGHT_THEME)}color:var(--ink);font-family:${new Markup(SANS)}}@media(prefers-color-scheme:dark){:root{${new Markup(DARK_THEME)}}}</style>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="var(--paper)" stroke="var(--rule)"/>
<g fill="currentColor">
${rows}</g>
</svg>
`.text;
}
