import { ConfigError, DataError, FormatError } from "@l0gm/core";
import { parse } from "#csv-parser";
import { type Archive, discard, openArchive, readArrays, readText, writeArrays } from "#files";
import { Csr } from "./csr.ts";
import type { NodeGraph, NodeSplit } from "./graph.ts";
import { readNumbers } from "./number-parser.ts";
import { shared, sharedCsr } from "./shared-arrays.ts";
import { type SplitShares, splitNodes } from "./split-nodes.ts";

const FILES = {
  nodes: "raw/num-node-list.csv",
  edges: "raw/num-edge-list.csv",
  edge: "raw/edge.csv",
  features: "raw/node-feat.csv",
  labels: "raw/node-label.csv",
  classes: "mapping/labelidx2productcategory.csv",
} as const;

const PARTS = { train: "train", validation: "valid", test: "test" } as const;

/** Says how a graph was made up; folders of graphs that were collected have no such file. */
export const SIMULATION = "SIMULATED.txt";

/** Of what the cache holds; a change of it makes old ones unused. */
const CACHE_VERSION = 1;

/** Options of {@link loadOgb}. */
export interface OgbOptions {
  /** A folder under `split`. @defaultValue the only one there; without any, the nodes are cut by `shares` */
  readonly split?: string;
  /** Of the split that is made where the data have none. */
  readonly shares?: SplitShares;
  /**
   * A folder that keeps the graph in binary form, so that it is read in seconds from then on. Its key is the SHA-256 of the source files,
   * so that changed data are read anew. @defaultValue nothing is kept
   */
  readonly cacheDir?: string;
  /** Puts the arrays into shared memory, so that workers see them without a copy. @defaultValue false */
  readonly shared?: boolean;
  /** Is told what is being done. */
  readonly onProgress?: (step: string) => void;
}

/** A graph that was loaded, and what is known of where it is from. */
export interface LoadedGraph {
  readonly graph: NodeGraph;
  readonly split: NodeSplit;
  /** The split's folder, or "stratified" with its seed. */
  readonly splitName: string;
  /** SHA-256, in hexadecimal, of the source files. */
  readonly checksum: string;
  /** Whether the graph came from the cache. */
  readonly cached: boolean;
  /** What is odd in the data, and yet allowed. */
  readonly warnings: readonly string[];
}

interface Description {
  readonly nodes: number;
  readonly columns: number;
  readonly classes: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Loads a node classification graph in the layout of ogbn-products: an unpacked folder, of `.csv.gz` or plain `.csv` files, or the zip
 * archive itself. Files are streamed into typed arrays and never held as text; every edge is added in both directions.
 *
 * @param path - of the folder that holds `raw`, or of the archive
 * @throws DataError that names the file and the line: ids out of range, lines of different length, counts that disagree, numbers that are
 * not finite, labels with a gap, splits that overlap, files that were cut off
 * @throws ConfigError when several splits are there and none is named, or the named one is not there
 *
 * @example
 * ```ts
 * declare const archive: string; // products.zip, or its unpacked folder
 * const { graph, split } = await loadOgb(archive, { cacheDir: "cache" });
 * console.log(graph.csr.rows, split.train.length);
 * ```
 */
export async function loadOgb(path: string, options: OgbOptions = {}): Promise<LoadedGraph> {
  const archive = await openArchive(path);
  try {
    return await load(archive, options);
  } finally {
    archive.close();
  }
}

/**
 * Numbers of nodes and edges, each edge counted once, that a folder or archive states. Reads nothing else.
 *
 * @throws DataError when the path or the files with the counts cannot be read
 *
 * @example
 * ```ts
 * declare const archive: string; // products.zip, or its unpacked folder
 * const { nodes, edges } = await readOgbCounts(archive);
 * ```
 */
export async function readOgbCounts(path: string): Promise<{ readonly nodes: number; readonly edges: number }> {
  const archive = await openArchive(path);
  try {
    for (const name of [FILES.nodes, FILES.edges]) requireFile(archive, name);
    return { nodes: await readCount(archive, FILES.nodes), edges: await readCount(archive, FILES.edges) };
  } finally {
    archive.close();
  }
}

/**
 * Names of the splits that a folder or archive has, in the order of the alphabet. Reads nothing else.
 *
 * @throws DataError when nothing is at the path, or the archive cannot be read
 *
 * @example
 * ```ts
 * declare const archive: string; // products.zip, or its unpacked folder
 * const [split = "none"] = await readOgbSplits(archive);
 * ```
 */
export async function readOgbSplits(path: string): Promise<readonly string[]> {
  const archive = await openArchive(path);
  try {
    return splitsOf(archive);
  } finally {
    archive.close();
  }
}

/**
 * How a folder's or archive's graph was made up, as {@link writeOgb} notes it of a simulated one. Reads nothing else.
 *
 * @returns nothing where the graph is not known to be simulated
 * @throws DataError when nothing is at the path, or the note cannot be read
 *
 * @example
 * ```ts
 * declare const archive: string; // products.zip, or its unpacked folder
 * if ((await simulationOf(archive)) !== undefined) console.log("not a real graph");
 * ```
 */
export async function simulationOf(path: string): Promise<string | undefined> {
  const archive = await openArchive(path);
  try {
    return await readSimulation(archive);
  } finally {
    archive.close();
  }
}

async function readSimulation(archive: Archive): Promise<string | undefined> {
  return archive.has(SIMULATION) ? (await readText(archive, SIMULATION)).trim() : undefined;
}

async function load(archive: Archive, options: OgbOptions): Promise<LoadedGraph> {
  const { cacheDir, shared = false, onProgress = () => {} } = options;
  for (const name of [FILES.nodes, FILES.edges, FILES.edge, FILES.features, FILES.labels]) requireFile(archive, name);
  const splitName = chooseSplit(archive, options.split);
  onProgress("checksum");
  const sources = Object.values(FILES).filter((name) => archive.has(name));
  const graphChecksum = await archive.checksum(sources);
  const warnings: string[] = [];
  const folder =
    cacheDir === undefined ? undefined : `${cacheDir}/graph-${CACHE_VERSION}-${graphChecksum.slice(0, 32)}`;
  const kept = folder === undefined ? undefined : await fromCache(folder, shared, warnings, onProgress);
  const { graph: found, warnings: ofGraph } = kept ?? (await readGraph(archive, shared, onProgress));
  if (folder !== undefined && kept === undefined) {
    onProgress("writing the cache");
    await keep(folder, found, ofGraph);
  }
  const simulated = await readSimulation(archive);
  const graph: NodeGraph = simulated === undefined ? found : { ...found, simulated };
  if (simulated !== undefined) warnings.push(`The graph is not a real one: ${simulated}`);
  const split =
    splitName === undefined
      ? splitNodes(graph.labels, options.shares)
      : await readSplit(archive, splitName, graph.csr.rows);
  warnings.push(...ofGraph, ...oddities(graph, split));
  const splitFiles = Object.values(PARTS).map((part) => `split/${splitName}/${part}.csv`);
  return {
    graph,
    split,
    splitName: splitName ?? `stratified, seed ${options.shares?.seed ?? 0}`,
    checksum: splitName === undefined ? graphChecksum : await archive.checksum([...sources, ...splitFiles]),
    cached: kept !== undefined,
    warnings,
  };
}

function requireFile(archive: Archive, name: string): void {
  if (archive.has(name)) return;
  throw new DataError({
    where: archive.path,
    expected: `${name}.gz or ${name}`,
    received: "neither",
    hint: "The folder that holds raw/ and split/ is meant, or a zip archive of it, in the layout of ogbn-products.",
  });
}

function splitsOf(archive: Archive): readonly string[] {
  // File managers leave hidden files.
  return archive.list("split").filter((name) => !name.startsWith("."));
}

function chooseSplit(archive: Archive, wanted: string | undefined): string | undefined {
  const names = splitsOf(archive);
  if (wanted === undefined && names.length < 2) return names[0];
  if (wanted !== undefined && names.includes(wanted)) return wanted;
  throw new ConfigError({
    where: `loadOgb ${archive.path}`,
    expected: `split to be one of ${names.join(", ") || "none, as there is no folder split"}`,
    received: wanted ?? "none",
  });
}

async function fromCache(
  folder: string,
  shared: boolean,
  warnings: string[],
  onProgress: (step: string) => void,
): Promise<{ graph: NodeGraph; warnings: readonly string[] } | undefined> {
  onProgress("reading the cache");
  try {
    const found = await readArrays<Description>(folder, shared);
    if (found === undefined) return undefined;
    const { nodes, columns, classes, warnings: kept } = found.description;
    const { offsets, neighbors, features, labels } = found.arrays;
    const complete =
      offsets instanceof Int32Array &&
      neighbors instanceof Int32Array &&
      labels instanceof Int32Array &&
      features instanceof Float32Array &&
      features.length === nodes * columns &&
      labels.length === nodes;
    if (!complete) throw new FormatError({ where: folder, expected: "all arrays of a graph", received: "other ones" });
    const csr = new Csr({ rows: nodes, columns: nodes, offsets, neighbors });
    return { graph: { csr, features, columns, labels, classes }, warnings: kept };
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof DataError)) throw error;
    const warning = `The cache was damaged and is made anew: ${error.message}`;
    warnings.push(warning);
    onProgress(warning);
    await discard(folder);
    return undefined;
  }
}

async function keep(folder: string, graph: NodeGraph, warnings: readonly string[]): Promise<void> {
  const { csr, features, columns, labels, classes } = graph;
  const description: Description = { nodes: csr.rows, columns, classes, warnings };
  await writeArrays(folder, description, { offsets: csr.offsets, neighbors: csr.neighbors, features, labels });
}

async function readCount(archive: Archive, name: string): Promise<number> {
  const layout = { name: archive.nameOf(name), kind: "integer", columns: 1, lines: 1, what: "counts" } as const;
  const { values } = await readNumbers(archive.read(name), { ...layout, linesFrom: "the layout of one graph" });
  return values[0] as number;
}

async function readGraph(
  archive: Archive,
  inSharedMemory: boolean,
  onProgress: (step: string) => void,
): Promise<{ graph: NodeGraph; warnings: readonly string[] }> {
  const nodes = await readCount(archive, FILES.nodes);
  const edges = await readCount(archive, FILES.edges);
  if (nodes === 0) {
    throw new DataError({ where: archive.nameOf(FILES.nodes), expected: "at least one node", received: 0 });
  }
  // Labels take least: a count of nodes that is far too large is found before anything of that length is filled.
  onProgress("labels");
  const { values: labels } = await readNumbers(archive.read(FILES.labels), {
    name: archive.nameOf(FILES.labels),
    kind: "integer",
    columns: 1,
    lines: nodes,
    linesFrom: archive.nameOf(FILES.nodes),
    what: "labels",
  });
  const classes = await readClasses(archive, labels as Int32Array);
  // Features take most memory: they come after the list of edges, which is let go once the rows are made.
  onProgress("edges");
  const csr = await readEdges(archive, nodes, edges);
  onProgress("features");
  const { values, columns } = await readNumbers(archive.read(FILES.features), {
    name: archive.nameOf(FILES.features),
    kind: "float",
    lines: nodes,
    linesFrom: archive.nameOf(FILES.nodes),
    what: "features",
  });
  const graph: NodeGraph = {
    csr: inSharedMemory ? sharedCsr(csr) : csr,
    features: inSharedMemory ? shared(values as Float32Array) : (values as Float32Array),
    columns,
    labels: inSharedMemory ? shared(labels as Int32Array) : (labels as Int32Array),
    classes,
  };
  const warnings = edges === 0 ? [`${archive.nameOf(FILES.edge)}: the graph has no edges`] : [];
  return { graph, warnings };
}

async function readEdges(archive: Archive, nodes: number, edges: number): Promise<Csr> {
  const { values } = await readNumbers(archive.read(FILES.edge), {
    name: archive.nameOf(FILES.edge),
    kind: "integer",
    columns: 2,
    lines: edges,
    linesFrom: archive.nameOf(FILES.edges),
    bound: nodes,
    what: "node ids",
    planar: true,
  });
  return Csr.fromEdges(values.subarray(0, edges), values.subarray(edges), { nodes, undirected: true });
}

/** Names by index from the mapping, or the indices themselves where there is none; every label must have one. */
async function readClasses(archive: Archive, labels: Int32Array): Promise<readonly string[]> {
  let last = 0;
  let lastLine = 0;
  labels.forEach((label, node) => {
    if (label <= last) return;
    last = label;
    lastLine = node + 1;
  });
  if (archive.has(FILES.classes)) {
    const classes = await readMapping(archive);
    if (last < classes.length) return classes;
    throw new DataError({
      where: `${archive.nameOf(FILES.labels)}, line ${lastLine}`,
      expected: `labels from 0 to ${classes.length - 1}, as ${archive.nameOf(FILES.classes)} names them`,
      received: last,
      hint: "Name every class in the mapping, or leave the mapping out.",
    });
  }
  const seen = new Uint8Array(last + 1);
  for (const label of labels) seen[label] = 1;
  const gap = seen.indexOf(0);
  if (gap < 0) return Array.from({ length: last + 1 }, (_, label) => String(label));
  throw new DataError({
    where: archive.nameOf(FILES.labels),
    expected: `every label from 0 to ${last}`,
    received: `no node with label ${gap}`,
    hint: `Number the classes without a gap, or name all of them in ${FILES.classes}.`,
  });
}

async function readMapping(archive: Archive): Promise<readonly string[]> {
  const where = archive.nameOf(FILES.classes);
  const rows = parse(await readText(archive, FILES.classes), {
    bom: true,
    from_line: 2,
    skip_empty_lines: true,
    relax_column_count: true,
  }) as string[][];
  return rows.map(([index, name = ""], i) => {
    if (Number(index) === i && index?.trim() !== "") return name;
    throw new DataError({
      where: `${where}, line ${i + 2}`,
      expected: `the class ${i}`,
      received: String(index),
      hint: "Classes stand in the order of their indices, from 0 and without a gap.",
    });
  });
}

/** Parts of a split, each ascending; a node in two of them, or twice in one, is refused. */
async function readSplit(archive: Archive, splitName: string, nodes: number): Promise<NodeSplit> {
  const partOf = new Uint8Array(nodes);
  const names: string[] = [""];
  const read = async (part: string): Promise<Int32Array> => {
    const file = `split/${splitName}/${part}.csv`;
    requireFile(archive, file);
    const name = archive.nameOf(file);
    const layout = { name, kind: "integer", columns: 1, bound: nodes, what: "node ids" } as const;
    const values = (await readNumbers(archive.read(file), layout)).values as Int32Array;
    names.push(name);
    values.forEach((node, i) => {
      const before = partOf[node] as number;
      if (before !== 0) {
        const expected = "a node that is in no part yet";
        const received = `node ${node}, which is in ${names[before]}`;
        const hint = "A node trains, selects or tests, once.";
        throw new DataError({ where: `${name}, line ${i + 1}`, expected, received, hint });
      }
      partOf[node] = names.length - 1;
    });
    if (values.length === 0) throw new DataError({ where: name, expected: "at least one node", received: "none" });
    return values.sort();
  };
  const train = await read(PARTS.train);
  const validation = await read(PARTS.validation);
  return { train, validation, test: await read(PARTS.test) };
}

function oddities({ labels, classes }: NodeGraph, { train }: NodeSplit): string[] {
  const trained = new Set<number>();
  for (const node of train) trained.add(labels[node] as number);
  const without = classes.map((_, label) => label).filter((label) => !trained.has(label));
  return without.length === 0 ? [] : [`classes without a node that trains: ${without.join(", ")}`];
}
