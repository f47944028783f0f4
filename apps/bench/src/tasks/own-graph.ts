import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { ConfigError, DataError } from "@l0gm/core";
import { type GraphBatch, loadGraphCsv, loadOgb, readOgbSplits, simulationOf } from "@l0gm/graph";
import { digestFile } from "../data/folders.ts";
import { GRAPH_COMPARATORS } from "./graph-comparators.ts";
import { FULL_BATCH, type GraphConfig, graphConfig } from "./graph-config.ts";
import { graphData, newNodes } from "./graph-data.ts";
import type { DataIdentity, NewRows, Task, TaskSource } from "./task.ts";

/** Stands for the only split in a folder, or for one that is cut by class where there is none. */
const OWN_SPLIT = "own";

/** What a folder of edges, features and labels consists of, and what each is called there. */
const CSV = ["edges", "features", "labels"] as const;

/** A graph of the user's own. */
export const ownGraph: Task<GraphBatch, GraphConfig> = {
  name: "graph",
  config: graphConfig({ ...FULL_BATCH, featureDropout: 0.5 }),
  splits: [OWN_SPLIT],
  ownSplits: true,
  comparators: GRAPH_COMPARATORS,
  async identify(source) {
    const path = pathOf(source);
    const hash = createHash("sha256");
    for (const [name, file] of filesOf(path)) hash.update(`${name} ${(await digestFile(file)).sha256}\n`);
    return { ...(await graphIdentity(path, basename(resolve(path)))), checksum: hash.digest("hex") };
  },
  async load({ config, source, split, seed }) {
    const path = pathOf(source);
    const loaded = await loadOwn(path, split, seed);
    checkTrainable(path, loaded);
    return graphData(loaded, config, seed);
  },
  newRows: newGraph,
};

/** The name of a graph's data, which is never that of a real graph where the folder is marked as simulated. */
export async function graphIdentity(path: string, name: string): Promise<Omit<DataIdentity, "checksum">> {
  const simulation = await simulationOf(path);
  return simulation === undefined ? { name } : { name: simulation, simulated: true };
}

/**
 * All nodes of a graph for a finished run, in the order of its labels. Labels have to be there, whatever they are: the layout has them.
 */
export async function newGraph(
  path: string,
  config: GraphConfig,
  artefact: (name: string) => Promise<unknown>,
): Promise<NewRows<GraphBatch>> {
  checkThere(path);
  return newNodes(await loadOwn(path, undefined, 0), path, config, artefact);
}

type OwnGraph = Parameters<typeof graphData>[0];

async function loadOwn(path: string, split: string | undefined, seed: number): Promise<OwnGraph> {
  const csv = csvFiles(path);
  if (csv === undefined) {
    // Predictions are for all nodes, so that any split will do.
    const name = split === undefined ? (await readOgbSplits(path))[0] : split === OWN_SPLIT ? undefined : split;
    return loadOgb(path, { ...(name === undefined ? {} : { split: name }), shares: { seed } });
  }
  if (split !== undefined && split !== OWN_SPLIT) {
    throw new ConfigError({
      where: "--split of graph",
      expected: "no --split: CSV files name none, and nodes are cut by class",
      received: split,
    });
  }
  return loadGraphCsv(csv, { seed });
}

/** What predictions can do without, and training cannot. */
function checkTrainable(path: string, { graph: { classes }, split }: OwnGraph): void {
  if (classes.length < 2) {
    const hint = "Check which column of the labels holds the class.";
    throw new DataError({ where: path, expected: "at least two classes", received: classes.join(), hint });
  }
  const parts = [split.train, split.validation, split.test].map(({ length }) => length);
  if (!parts.includes(0)) return;
  throw new DataError({
    where: path,
    expected: "nodes that train, nodes that select and nodes that test",
    received: parts.join(", "),
    hint: "Each class needs some five nodes to be cut; or name the nodes yourself, under split/ in the layout of ogbn-products.",
  });
}

function pathOf({ file, testFile }: TaskSource): string {
  if (testFile !== undefined) {
    const hint = "Nodes that test are part of the graph: put them into a split.";
    throw new ConfigError({ where: "graph", expected: "no --test", received: testFile, hint });
  }
  if (file === undefined) throw new ConfigError({ where: "graph", expected: "--data FOLDER", received: "no folder" });
  checkThere(file);
  return file;
}

function checkThere(path: string): void {
  if (existsSync(path)) return;
  throw new DataError({
    where: "own data",
    expected: "a folder, or a zip archive in the layout of ogbn-products",
    received: `${path}, which is not there`,
  });
}

/** The three CSV files of a folder, if it has all of them. */
function csvFiles(folder: string): Readonly<Record<(typeof CSV)[number], string>> | undefined {
  const [edges, features, labels] = CSV.map((name) =>
    [join(folder, `${name}.csv`), join(folder, `${name}.csv.gz`)].find((path) => existsSync(path)),
  );
  return edges === undefined || features === undefined || labels === undefined
    ? undefined
    : { edges, features, labels };
}

/** Everything that could be read, by name, in an order that does not depend on the file system. */
function filesOf(path: string): [name: string, file: string][] {
  if (!statSync(path).isDirectory()) return [[basename(path), path]];
  const csv = csvFiles(path);
  if (csv !== undefined) return Object.entries(csv);
  const files = ["raw", "mapping", "split"].flatMap((part) => {
    const folder = join(path, part);
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => `${part}/${name}`);
  });
  const found = files.filter((name) => /\.csv(\.gz)?$/.test(name)).sort();
  if (found.length === 0) {
    throw new DataError({
      where: path,
      expected: "raw/ and split/ in the layout of ogbn-products, or edges.csv, features.csv and labels.csv",
      received: readdirSync(path).slice(0, 5).join(", ") || "an empty folder",
    });
  }
  return found.map((name) => [name, join(path, name)]);
}
