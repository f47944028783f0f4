import { fileURLToPath } from "node:url";

/** One file of a data set. Checksums and counts are of its content, decompressed. */
export interface DataFile {
  readonly name: string;
  readonly bytes: number;
  /** Of this project's own copy; the publishers of these sets give none. */
  readonly sha256: string;
}

/** A data set that a benchmark needs. */
export interface DataSet {
  readonly name: string;
  readonly title: string;
  /** Names that its folder may have under a data directory. */
  readonly folders: readonly string[];
  readonly files: readonly DataFile[];
  /** Where its publisher offers it. */
  readonly address: string;
  readonly licence: string;
  /** The copy that comes with this package. */
  readonly shipped?: string;
}

/** Benchmarks on graphs and text with their stand-ins, and own data of those kinds: they come with the packages that encode them. */
const NOT_YET: readonly string[] = [
  "imdb",
  "ogbn-products",
  "amazon-computers",
  "cora",
  "spam-assassin",
  "text",
  "graph",
];

/** What to say of a name that is not known in this version: nothing, unless a later one will know it. */
export function notYet(name: string): { hint: string } | Record<string, never> {
  return NOT_YET.includes(name) ? { hint: `${name} is not in this version yet, which reads tables alone.` } : {};
}

export const DATA_SETS: readonly DataSet[] = [
  {
    name: "adult",
    title: "Adult (Census Income), B. Becker and R. Kohavi 1996, https://doi.org/10.24432/C5XW20",
    folders: ["adult"],
    files: [
      {
        name: "adult.data",
        bytes: 3_974_305,
        sha256: "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
      },
      {
        name: "adult.test",
        bytes: 2_003_153,
        sha256: "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
      },
    ],
    address: "https://archive.ics.uci.edu/dataset/2/adult",
    licence: "CC BY 4.0",
    shipped: fileURLToPath(new URL("../../data/adult", import.meta.url)),
  },
];
