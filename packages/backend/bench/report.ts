/** A run as tables, for the terminal and for a page of the docs. */

import CliTable from "cli-table3";
import { DESCRIPTIONS } from "./cases.ts";
import type { Goal } from "./goals.ts";
import { FILLED, NATIVE, ours, STOCK, torch } from "./implementations.ts";
import { type CaseResult, type Entry, type Machine, ratioKey } from "./result.ts";
import type { Spread } from "./statistics.ts";

export interface Run {
  readonly format: 1;
  readonly date: string;
  /** What repeats it. */
  readonly command: string;
  readonly machine: Machine;
  readonly options: {
    readonly rounds: number;
    readonly seconds: number;
    readonly seed: number;
    readonly threads: readonly number[];
    /** Variables that set how threads of OpenMP and of TensorFlow wait, bind and count. */
    readonly environment: Readonly<Record<string, string>>;
  };
  readonly implementations: readonly Entry[];
  readonly cases: readonly CaseResult[];
  readonly goals: readonly Goal[];
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Three significant digits, but no fraction from 100 on. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function withQuartiles(median: number, lower: number, upper: number): string {
  return `${digits(median)} [${digits(lower)}, ${digits(upper)}]`;
}

function spreadText({ median, lowerQuartile, upperQuartile, count }: Spread): string {
  if (count === 1) return `${digits(median)} [one round]`;
  return withQuartiles(median, lowerQuartile, upperQuartile);
}

function absolute(result: CaseResult, id: string): string {
  const time = result.milliseconds[id];
  if (time === undefined)
    return result.refused !== undefined ? "refused" : result.failures[id] === undefined ? "" : "fails";
  if (result.work === undefined) return `${spreadText(time)}, best ${digits(bestOf(result, id))}`;
  const rate = (ms: number): number => ((result.work ?? 0) * 1000) / ms;
  const best = digits(rate(bestOf(result, id)));
  return `${withQuartiles(rate(time.median), rate(time.upperQuartile), rate(time.lowerQuartile))}, best ${best}`;
}

/** The shortest step of all. */
function bestOf({ times }: CaseResult, id: string): number {
  return Math.min(...(times[id] ?? []).flatMap((round) => round ?? []));
}

/** The tables of a run: absolute figures, ratios, goals. */
export function tablesOf({ cases, implementations, options: { threads }, goals }: Run): Table[] {
  const present = implementations.filter(({ absent }) => absent === undefined);
  const measured = present.filter(({ id }) => id !== FILLED || cases.some((each) => each.milliseconds[FILLED]));
  const head = ["", ...measured.map(({ title }) => title)];
  const figures = (kind: CaseResult["kind"], title: string): Table[] => {
    const own = cases.filter((each) => each.kind === kind);
    const rows = own.map((each) => [each.name, ...measured.map(({ id }) => absolute(each, id))]);
    return own.length === 0 ? [] : [{ title, head, rows }];
  };
  const columns = [
    ...threads.map((count) => [`ours ×${count} / PyTorch ×${count}`, [ours(count)], torch(count)] as const),
    ...threads.map((count) => [`stock / ours ×${count}`, [STOCK, FILLED], ours(count)] as const),
    ...threads.map((count) => [`tfjs-node / ours ×${count}`, [NATIVE], ours(count)] as const),
  ];
  const ratio = ({ ratios }: CaseResult, over: readonly string[], under: string): string => {
    const id = over.find((each) => ratios[ratioKey(each, under)] !== undefined);
    const value = id === undefined ? undefined : ratios[ratioKey(id, under)];
    return value === undefined ? "" : `${spreadText(value)}${id === FILLED ? " (filled)" : ""}`;
  };
  const used = columns.filter(([, over, under]) => cases.some((each) => ratio(each, over, under) !== ""));
  const ratios: Table = {
    title: "Ratios of times within a round: median over the rounds [quartiles]",
    head: ["", ...used.map(([title]) => title)],
    rows: cases.map((each) => [each.name, ...used.map(([, over, under]) => ratio(each, over, under))]),
  };
  return [
    ...figures("product", "Products, GFLOP/s: median over the rounds [quartiles], best of all"),
    ...figures("step", "Training steps, ms: median over the rounds [quartiles], best of all"),
    ...(used.length === 0 ? [] : [ratios]),
    {
      title: "Goals",
      head: ["goal", "measured", ""],
      rows: goals.map(({ goal, measured, met }) => [goal, measured, met === undefined ? "–" : met ? "met" : "missed"]),
    },
  ];
}

/** What stands below the tables: who ran, who did not, and what was refused. */
export function notesOf({ implementations, cases, machine, options, date }: Run): string[] {
  const { processor, cores, memoryGiB, system, node, busy } = machine;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return [
    `Machine: ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}. Others used ${percent(busy[0])} of it just before and ${percent(busy[1])} just after the run.`,
    `${options.rounds} rounds of ${options.seconds} s each, order by seed ${options.seed}, ${date}.`,
    ...implementations.map(({ title, runs, versions, absent }) =>
      absent === undefined
        ? `${title}: ${runs} (${versionText(versions ?? {})}).`
        : `${title}: not measured; ${absent}.`,
    ),
    ...cases.flatMap(({ name, failures }) =>
      Object.entries(failures).map(([id, reason]) => `${name}: ${titleOf(implementations, id)} fails: ${reason}.`),
    ),
    ...cases.flatMap(({ name, refused }) =>
      refused === undefined ? [] : [`${name}: no comparison, since ${refused}.`],
    ),
  ];
}

function versionText(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

function titleOf(implementations: readonly Entry[], id: string): string {
  return implementations.find((each) => each.id === id)?.title ?? id;
}

export function terminalText(run: Run): string {
  const tables = tablesOf(run).map(({ title, head, rows }) => {
    const table = new CliTable({ head: [...head], style: { head: [], border: [] } });
    for (const row of rows) table.push([...row]);
    return `${title}\n${table.toString()}`;
  });
  return [...tables, notesOf(run).join("\n")].join("\n\n");
}

export function markdownText(run: Run): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const tables = tablesOf(run).map(({ title, head, rows }) =>
    [
      `**${title}**`,
      "",
      line(head),
      line(head.map((_, i) => (i === 0 || title === "Goals" ? "---" : "--:"))),
      ...rows.map(line),
    ].join("\n"),
  );
  const models = run.cases.flatMap(({ name, kind }) => (kind === "step" ? [`- ${name}: ${describe(name)}`] : []));
  const notes = notesOf(run).map((note) => `- ${note}`);
  return [...tables, [...models, ...notes].join("\n"), `Made by \`${run.command}\`.`].join("\n\n");
}

function describe(name: string): string {
  return Object.entries(DESCRIPTIONS).find(([model]) => model === name)?.[1] ?? name;
}

/**
 * Replaces what stands between the two marks that a page has for the run's major version of Node.
 *
 * @param file - for the message
 * @throws Error when the marks are not there, in this order
 */
export function fillPage(text: string, run: Run, file: string): string {
  const mark = `backend-benchmark-node-${run.machine.node.split(".")[0]}`;
  const [first, last] = [`<!-- ${mark}:start -->`, `<!-- ${mark}:end -->`];
  const start = text.indexOf(first);
  const end = text.indexOf(last, start);
  if (start < 0 || end < 0) throw new Error(`${file} has no lines ${first} and ${last}`);
  return `${text.slice(0, start)}${first}\n${markdownText(run)}\n${text.slice(end)}`;
}

/** Fails the run: a comparison was refused. */
export function anyRefused({ cases }: Run): boolean {
  return cases.some(({ refused }) => refused !== undefined);
}
