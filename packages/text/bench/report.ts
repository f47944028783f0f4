/** What `pnpm bench:text` measured, as a table. */

import type { Case } from "./cases.ts";
import type { Extras } from "./extras.ts";

/** Of one implementation on some threads, the median of each round. */
export interface Series {
  readonly of: "ours" | "PyTorch";
  readonly threads: number;
  readonly milliseconds: readonly number[];
  readonly peakBytes: number;
}

export interface Result {
  readonly case: Case;
  readonly tokens: number;
  /** Share of the machine that other processes used meanwhile. */
  readonly others: number;
  readonly series: readonly Series[];
}

export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** Median and quartiles, by linear interpolation. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => {
    const place = q * (sorted.length - 1);
    const [low = Number.NaN, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return low + (high - low) * (place % 1);
  };
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}

/** How many times as long one takes as the other, taken within each round, where both meet the same machine. */
export function ratio(over: readonly number[], under: readonly number[]): Spread {
  return spread(over.slice(0, under.length).map((value, round) => value / (under[round] ?? Number.NaN)));
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function shown({ median, lower, upper }: Spread, scale = 1): string {
  return `${digits(median * scale)} [${digits(lower * scale)}, ${digits(upper * scale)}]`;
}

/** A row for each case and number of threads. */
export function table(results: readonly Result[]): string {
  const head = [
    "",
    "threads",
    "ours, s",
    "PyTorch, s",
    "ours / PyTorch",
    "tokens/s, ours",
    "peak GiB, ours",
    "PyTorch",
    "others",
  ];
  const rows = results.flatMap(({ case: { title }, tokens, others, series }) =>
    series
      .filter((each) => each.of === "ours")
      .map((own) => {
        const other = series.find(({ of, threads }) => of === "PyTorch" && threads === own.threads);
        const time = spread(own.milliseconds);
        return [
          title,
          String(own.threads),
          shown(time, 1e-3),
          other === undefined ? "" : shown(spread(other.milliseconds), 1e-3),
          other === undefined ? "" : shown(ratio(own.milliseconds, other.milliseconds)),
          Math.round((tokens / time.median) * 1000).toLocaleString("en"),
          (own.peakBytes / 2 ** 30).toFixed(2),
          other === undefined ? "" : (other.peakBytes / 2 ** 30).toFixed(2),
          `${Math.round(100 * others)} %`,
        ];
      }),
  );
  const lines = [head, head.map((_, column) => (column === 0 ? "---" : "--:")), ...rows];
  return lines.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** @param tokens - of a text */
export function extrasText({ cache, tokenizing }: Extras, tokens: number, threads: number): string[] {
  const perThousand = (seconds: number): string => `${digits((seconds * 1000) / cache.texts)} s`;
  return [
    `- The cache of the frozen layers, ours on ${threads} threads: an epoch of the top 2 of 6 layers takes ${perThousand(cache.without)} a thousand texts of ${tokens} tokens without it and ${perThousand(cache.with)} with it, read from disk (${(cache.without / cache.with).toFixed(1)} times as fast); to fill it takes ${perThousand(cache.fill)} once. Measured once, on ${cache.texts} texts.`,
    tokenizing === undefined
      ? "- Tokenizing was not measured: `--imdb` names no folder."
      : `- Tokenizing, one thread: ${Math.round(tokenizing.reviews / tokenizing.seconds).toLocaleString("en")} reviews a second (${tokenizing.reviews.toLocaleString("en")} of IMDB, ${Math.round(tokenizing.tokens / tokenizing.reviews)} tokens each after truncation to ${tokens}).`,
  ];
}

/** Writes the section of a page between `<!-- speed -->` and `<!-- /speed -->` anew. */
export function fillSpeed(page: string, text: string, file: string): string {
  const [first, last] = ["<!-- speed -->", "<!-- /speed -->"];
  const start = page.indexOf(first);
  const end = page.indexOf(last, start);
  if (start < 0 || end < 0) throw new Error(`${file} has no lines ${first} and ${last}`);
  return `${page.slice(0, start)}${first}\n\n${text.trim()}\n\n${page.slice(end)}`;
}
