import type { Method } from "../run/spec.ts";
import type { TaskSource } from "../tasks/task.ts";
import type { RunRequest } from "./plan.ts";

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
  /** What is asked besides: the same benchmark on other data or settings, dense and at some fractions. */
  readonly variants: readonly Variant[];
}

/** A question beside the main one, answered by runs of its own. */
export interface Variant {
  readonly benchmark: string;
  readonly targets: readonly number[];
  readonly config: Readonly<Record<string, unknown>>;
}

/** Adult without the survey weight, which says nothing of a person. */
const WITHOUT_WEIGHT: Variant = { benchmark: "adult", targets: [0.125], config: { data: { withoutWeight: true } } };

const FRACTIONS = [1, 0.5, 0.25, 0.125, 0.0625, 0.03125];

export const PROFILES = {
  quick: {
    summary: "dense and one path a seed; under five minutes on two cores",
    benchmarks: ["adult"],
    seeds: 3,
    targets: [],
    path: true,
    config: { epochs: 12, path: { fractions: FRACTIONS, epochs: 16 } },
    variants: [],
  },
  standard: {
    summary: "five seeds, a run of its own for every fraction, and paths to compare with",
    benchmarks: ["adult"],
    seeds: 5,
    targets: FRACTIONS,
    path: true,
    config: { path: { fractions: FRACTIONS } },
    variants: [WITHOUT_WEIGHT],
  },
  paper: {
    summary: "ten seeds and twice the epochs",
    benchmarks: ["adult"],
    seeds: 10,
    targets: FRACTIONS,
    path: true,
    config: { epochs: 32, path: { fractions: FRACTIONS, epochs: 38 } },
    variants: [WITHOUT_WEIGHT],
  },
} as const satisfies Readonly<Record<string, Profile>>;

export type ProfileName = keyof typeof PROFILES;

/** The runs that a profile asks for. */
export function requestsOf(name: ProfileName, source: TaskSource): RunRequest[] {
  const { benchmarks, seeds: count, targets, path, config, variants }: Profile = PROFILES[name];
  const common = { seeds: Array.from({ length: count }, (_, seed) => seed), configName: `profile ${name}`, source };
  const dense: Method = { kind: "dense" };
  const separate = (fractions: readonly number[]): Method[] =>
    fractions.map((fraction) => ({ kind: "target", fraction }));
  const paths: Method[] = path ? [{ kind: "path" }] : [];
  return [
    ...benchmarks.map((benchmark) => ({
      ...common,
      benchmark,
      methods: [dense, ...separate(targets), ...paths],
      config,
    })),
    ...variants.map((variant) => ({
      ...common,
      benchmark: variant.benchmark,
      methods: [dense, ...separate(variant.targets)],
      config: { ...config, ...variant.config },
    })),
  ];
}
