import { dataSet, findFolder, searchedFolders } from "../data/folders.ts";
import { taskNamed } from "../tasks/registry.ts";
import type { TaskSource } from "../tasks/task.ts";
import { methodsNamed } from "./methods.ts";
import type { RunRequest } from "./plan.ts";

/** What `l0gm reproduce --profile NAME` trains. */
export interface Profile {
  /** For `--help`. */
  readonly summary: string;
  readonly seeds: number;
  readonly parts: readonly Part[];
}

/** Runs on one benchmark, or a question beside its main one, answered by runs of its own. */
export interface Part {
  readonly benchmark: string;
  readonly split?: string;
  /** As `l0gm sweep --methods` takes them. */
  readonly methods: readonly string[];
  /** Fractions of separate runs. */
  readonly targets: readonly number[];
  /** Settings that differ from the benchmark's defaults. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether it is left out, and said to be, where its data are not there: they do not come with the repository. */
  readonly optional?: boolean;
}

/** A part of a profile that is left out. */
export interface Skipped {
  readonly benchmark: string;
  readonly reason: string;
}

const FRACTIONS = [1, 0.5, 0.25, 0.125, 0.0625, 0.03125];
const QUICK = ["dense", "l0gm-path"];
const FULL = ["dense", "l0gm", "l0gm-path"];
/** What a graph has to beat, and what saves work on it by habit. */
const GRAPH_COMPARATORS = [
  "mlp",
  "label-propagation",
  "averaged-features",
  "fan-out-5",
  "drop-edge-0.5",
  "sparsify-0.25",
];
const PATH = { fractions: FRACTIONS };

/** Adult without the survey weight, which says nothing of a person. */
function withoutWeight(config: Part["config"]): Part {
  return {
    benchmark: "adult",
    methods: ["dense", "l0gm"],
    targets: [0.125],
    config: { ...config, data: { withoutWeight: true } },
  };
}

/** A graph and texts that come with the installation, and stand in for ogbn-products and IMDB. */
function standIns(
  part: Pick<Part, "methods" | "targets">,
  config: Part["config"],
  ofTexts: Part["config"] = config,
): Part[] {
  const { methods } = part;
  return [
    { ...part, benchmark: "cora", config, methods: methods.length > 2 ? [...methods, ...GRAPH_COMPARATORS] : methods },
    { ...part, benchmark: "spam-assassin", config: ofTexts },
  ];
}

/** Benchmarks whose data do not come with the installation. */
function elsewhere(config: Part["config"]): Part[] {
  const part = { methods: [...FULL, ...GRAPH_COMPARATORS], targets: FRACTIONS, config };
  return [
    { ...part, benchmark: "amazon-computers", split: "random_8_2_90", optional: true },
    { ...part, benchmark: "amazon-computers", split: "random_60_20_20", optional: true },
    { ...part, benchmark: "ogbn-products", methods: QUICK, optional: true },
    { ...part, benchmark: "imdb", methods: [...QUICK, "heads-0.5"], optional: true },
  ];
}

const PAPER_ADULT = { epochs: 32, path: { ...PATH, epochs: 38 } };

export const PROFILES = {
  quick: {
    summary: "dense and one path a seed; under five minutes on two cores",
    seeds: 3,
    parts: [
      {
        benchmark: "adult",
        methods: QUICK,
        targets: [],
        config: { epochs: 12, path: { ...PATH, epochs: 16 } },
      },
      ...standIns(
        { methods: QUICK, targets: [] },
        { path: PATH },
        { epochs: 3, path: { fractions: [1, 0.25, 0.125], epochs: 6 }, tokens: { maximumLength: 64 } },
      ),
    ],
  },
  standard: {
    summary: "five seeds, a run of its own for every fraction, and paths to compare with",
    seeds: 5,
    parts: [
      { benchmark: "adult", methods: FULL, targets: FRACTIONS, config: { path: PATH } },
      withoutWeight({ path: PATH }),
      ...standIns({ methods: FULL, targets: [0.25, 0.125] }, { path: PATH }),
    ],
  },
  paper: {
    summary:
      "ten seeds, twice the epochs; ogbn-products, Amazon Computers and IMDB as well, where their data are there",
    seeds: 10,
    parts: [
      { benchmark: "adult", methods: FULL, targets: FRACTIONS, config: PAPER_ADULT },
      withoutWeight(PAPER_ADULT),
      ...standIns({ methods: FULL, targets: FRACTIONS }, { path: PATH }),
      ...elsewhere({ path: PATH }),
    ],
  },
} as const satisfies Readonly<Record<string, Profile>>;

export type ProfileName = keyof typeof PROFILES;

/** The runs that a profile asks for, and the parts whose data are not there. */
export function requestsOf(name: ProfileName, source: TaskSource): { requests: RunRequest[]; skipped: Skipped[] } {
  const { seeds: count, parts }: Profile = PROFILES[name];
  const seeds = Array.from({ length: count }, (_, seed) => seed);
  const requests: RunRequest[] = [];
  const skipped = new Map<string, Skipped>();
  for (const { benchmark, split, methods, targets, config, optional } of parts) {
    if (optional === true && findFolder(dataSet(benchmark), source.dataDir) === undefined) {
      const folders = searchedFolders(dataSet(benchmark), source.dataDir).join(", ");
      skipped.set(benchmark, { benchmark, reason: `no data in ${folders}` });
      continue;
    }
    requests.push({
      benchmark,
      ...(split === undefined ? {} : { split }),
      methods: methodsNamed(methods, targets, taskNamed(benchmark)),
      seeds,
      config,
      configName: `profile ${name}`,
      source,
    });
  }
  return { requests, skipped: [...skipped.values()] };
}
