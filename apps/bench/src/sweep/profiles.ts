import type { Method } from "../run/spec.ts";

/** What `l0gm reproduce --profile NAME` trains. */
export interface Profile {
  /** For `--help`. */
  readonly summary: string;
  readonly benchmarks: readonly string[];
  readonly seeds: number;
  /** Fractions of separate runs, a dense one beside them. */
  readonly targets: readonly number[];
  readonly path: boolean;
  /** Settings that differ from the benchmark's defaults. */
  readonly config: Readonly<Record<string, unknown>>;
}

const FRACTIONS = [1, 0.5, 0.25, 0.125, 0.0625, 0.03125];

export const PROFILES = {
  quick: {
    summary: "dense and one path a seed; under five minutes on two cores",
    benchmarks: ["adult"],
    seeds: 3,
    targets: [],
    path: true,
    config: { epochs: 12, path: { fractions: FRACTIONS, epochs: 18 } },
  },
  standard: {
    summary: "five seeds, a run of its own for every fraction, and paths to compare with",
    benchmarks: ["adult"],
    seeds: 5,
    targets: FRACTIONS,
    path: true,
    config: { path: { fractions: FRACTIONS } },
  },
  paper: {
    summary: "ten seeds and twice the epochs",
    benchmarks: ["adult"],
    seeds: 10,
    targets: FRACTIONS,
    path: true,
    config: { epochs: 32, path: { fractions: FRACTIONS, epochs: 48 } },
  },
} as const satisfies Readonly<Record<string, Profile>>;

export type ProfileName = keyof typeof PROFILES;

/** Every run of one seed: dense, separate fractions, path. */
export function methodsOf({ targets, path }: Pick<Profile, "targets" | "path">): Method[] {
  return [
    { kind: "dense" },
    ...targets.map((fraction) => ({ kind: "target" as const, fraction })),
    ...(path ? [{ kind: "path" as const }] : []),
  ];
}
