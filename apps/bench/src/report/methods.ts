import type { DotOptions } from "@observablehq/plot";
import type { BenchmarkGroup } from "./aggregate.ts";

/** How a method is told from others: by name, colour and marker, so that no reader depends on colour alone. */
export interface MethodStyle {
  readonly label: string;
  /** A CSS colour: a variable that both themes define. */
  readonly color: string;
  readonly symbol: NonNullable<DotOptions["symbol"]>;
  /** Ours are filled and drawn heavier. */
  readonly ours: boolean;
  /** Drawn as a dashed reference line without markers. */
  readonly dashed: boolean;
}

const OURS: Readonly<Record<string, MethodStyle>> = {
  dense: { label: "Dense", color: "var(--dense)", symbol: "plus", ours: true, dashed: true },
  l0gm: { label: "L0GM, separate runs", color: "var(--c0)", symbol: "circle", ours: true, dashed: false },
  "l0gm-path": { label: "L0GM, path", color: "var(--c1)", symbol: "diamond", ours: true, dashed: false },
};

const COMPARATOR_COLORS = ["var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)"];
const COMPARATOR_SYMBOLS: readonly MethodStyle["symbol"][] = [
  "triangle",
  "square",
  "wye",
  "star",
  "cross",
  "hexagon",
  "triangle2",
];

/** Gives every method of a group its style; comparators take colours and markers in turn, by name. */
export function methodStyles(group: BenchmarkGroup): (method: string) => MethodStyle {
  const comparators = [...group.series, ...group.comparators]
    .map(({ method }) => method)
    .filter((method) => OURS[method] === undefined);
  return (method) => {
    const index = Math.max(0, comparators.indexOf(method));
    return (
      OURS[method] ?? {
        label: method,
        color: COMPARATOR_COLORS[index % COMPARATOR_COLORS.length] ?? "var(--ink)",
        symbol: COMPARATOR_SYMBOLS[index % COMPARATOR_SYMBOLS.length] ?? "square",
        ours: false,
        dashed: false,
      }
    );
  };
}
