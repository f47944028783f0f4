import { DataError } from "@l0gm/core";
import { CsvError, Parser } from "#csv-parser";
import { openFile } from "#files";
import { Csr } from "./csr.ts";
import type { NodeGraph, NodeSplit } from "./graph.ts";
import { type SplitShares, splitNodes } from "./split-nodes.ts";

/** CSV files with a header line; `.gz` files are decompressed. */
export interface CsvGraphFiles {
  /** Two columns, the ends of each edge. */
  readonly edges: string;
  /** A column that names the node, then its numbers. */
  readonly features: string;
  /** A column that names the node, then its class. */
  readonly labels: string;
}

/** Options of {@link loadGraphCsv}. */
export interface CsvGraphOptions extends SplitShares {
  /** Adds the reverse of every edge. @defaultValue true */
  readonly undirected?: boolean;
}

/** A graph that {@link loadGraphCsv} loaded. */
export interface CsvGraph {
  readonly graph: NodeGraph;
  /** What the columns of features are called. */
  readonly featureNames: readonly string[];
  readonly split: NodeSplit;
  /** What is odd in the data, and yet allowed. */
  readonly warnings: readonly string[];
}

/** A growing list of numbers. */
class NumberList<T extends Float32Array | Int32Array> {
  #values: T;
  #length = 0;
  readonly #create: (length: number) => T;

  constructor(create: (length: number) => T) {
    this.#create = create;
    this.#values = create(1024);
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = this.#create(2 * this.#length);
      larger.set(this.#values as Float32Array & Int32Array);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  done(): T {
    return this.#values.slice(0, this.#length) as T;
  }
}

type OnRow = (fields: readonly string[], where: string) => void;

/** @returns the names of the columns */
async function readRows(path: string, least: number, onRow: OnRow): Promise<readonly string[]> {
  let header: readonly string[] | undefined;
  let failure: unknown;
  const parser = new Parser({
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    on_record: (fields: string[], { lines }) => {
      if (failure === undefined) row(fields, `${path}, line ${lines}`);
      return null;
    },
  });
  const row = (fields: readonly string[], where: string): void => {
    const wanted = header?.length ?? Math.max(least, fields.length);
    if (fields.length !== wanted) {
      throw new DataError({ where, expected: `${wanted} fields`, received: `${fields.length}` });
    }
    if (header === undefined) header = fields;
    else onRow(fields, where);
  };
  try {
    const failed = new Promise<never>((_, reject) => parser.once("error", reject));
    failed.catch((error: unknown) => {
      failure = error;
    });
    const step = (start: (done: (error?: Error | null) => void) => void): Promise<void> =>
      Promise.race([
        failed,
        new Promise<void>((resolve, reject) => start((error) => (error ? reject(error) : resolve()))),
      ]);
    for await (const piece of openFile(path)) await step((done) => parser.write(piece, done));
    await step((done) => parser.end(done));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const where = `${path}, line ${parser.info.lines}`;
    throw new DataError({ where, expected: "well-formed CSV", received: error.message }, { cause: error });
  }
  if (header === undefined) throw new DataError({ where: path, expected: "a header line", received: "an empty file" });
  return header;
}

/**
 * Loads a graph of one's own from three CSV files. Nodes may have any names; they are numbered in the order of the labels, classes in the
 * order of their names. The split is stratified by class.
 *
 * @throws DataError that names file and line: a node that is named twice or without features, an edge to a node without label, features
 * that are no finite numbers, lines of different length, columns that are not read, no header line, a file that cannot be read
 *
 * @example
 * ```ts
 * declare const folder: string; // of three files with a header line
 * const [edges, features, labels] = [`${folder}/edges.csv`, `${folder}/features.csv`, `${folder}/labels.csv`];
 * const { graph, split } = await loadGraphCsv({ edges, features, labels }, { seed: 1 });
 * ```
 */
export async function loadGraphCsv(files: CsvGraphFiles, options: CsvGraphOptions = {}): Promise<CsvGraph> {
  const nodes = new Map<string, number>();
  const classOf: string[] = [];
  const named = await readRows(files.labels, 2, ([node = "", label = ""], where) => {
    if (nodes.has(node)) throw new DataError({ where, expected: "each node once", received: `${node} again` });
    if (label === "") throw new DataError({ where, expected: "a label", received: "nothing" });
    nodes.set(node, nodes.size);
    classOf.push(label);
  });
  requireTwoColumns(files.labels, named, "A split is not read: for one of your own, use the layout of ogbn-products.");
  if (nodes.size === 0) throw new DataError({ where: files.labels, expected: "at least one node", received: "none" });
  const classes = [...new Set(classOf)].sort(byNumberOrName);
  const codes = new Map(classes.map((name, code) => [name, code]));
  const labels = Int32Array.from(classOf, (name) => codes.get(name) ?? 0);
  const indexOf = (node: string | undefined, where: string): number => {
    const index = nodes.get(node ?? "");
    if (index !== undefined) return index;
    const hint = "Every node has a line among the labels.";
    throw new DataError({ where, expected: `a node of ${files.labels}`, received: String(node), hint });
  };
  const { features, featureNames } = await readFeatures(files, nodes.size, indexOf);
  const from = new NumberList((length) => new Int32Array(length));
  const to = new NumberList((length) => new Int32Array(length));
  const ends = await readRows(files.edges, 2, ([source, target], where) => {
    from.push(indexOf(source, where));
    to.push(indexOf(target, where));
  });
  requireTwoColumns(files.edges, ends, "Weights of edges are not read; leave other columns out.");
  if (ends.every((name) => nodes.has(name))) {
    const hint = "Begin the file with a line that names its columns; as it is, its first edge would be lost.";
    const received = `an edge, ${ends.join(", ")}`;
    throw new DataError({ where: `${files.edges}, line 1`, expected: "a header line", received, hint });
  }
  const csr = Csr.fromEdges(from.done(), to.done(), { nodes: nodes.size, undirected: options.undirected ?? true });
  const warnings = csr.entries === 0 ? [`${files.edges}: the graph has no edges`] : [];
  const graph = { csr, features, columns: featureNames.length, labels, classes };
  return { graph, featureNames, split: splitNodes(labels, options), warnings };
}

function requireTwoColumns(file: string, header: readonly string[], hint: string): void {
  if (header.length === 2) return;
  throw new DataError({ where: `${file}, line 1`, expected: "two columns", received: header.join(", "), hint });
}

async function readFeatures(
  files: CsvGraphFiles,
  nodes: number,
  indexOf: (node: string | undefined, where: string) => number,
): Promise<{ features: Float32Array; featureNames: readonly string[] }> {
  const values = new NumberList((length) => new Float32Array(length));
  const rowOf = new Int32Array(nodes).fill(-1);
  let rows = 0;
  const header = await readRows(files.features, 2, ([node, ...numbers], where) => {
    const index = indexOf(node, where);
    if (rowOf[index] !== -1) throw new DataError({ where, expected: "each node once", received: `${node} again` });
    rowOf[index] = rows++;
    numbers.forEach((text, column) => {
      const value = text === "" ? Number.NaN : Number(text);
      if (!Number.isFinite(Math.fround(value))) {
        const hint = "Replace missing values before writing the file.";
        const field = `${where}, column ${column + 2}`;
        throw new DataError({ where: field, expected: "a finite number", received: text || "nothing", hint });
      }
      values.push(value);
    });
  });
  const missing = rowOf.indexOf(-1);
  if (missing >= 0) {
    const expected = `features of all ${nodes} nodes of ${files.labels}`;
    throw new DataError({ where: files.features, expected, received: `none of the node on its line ${missing + 2}` });
  }
  const columns = header.length - 1;
  const read = values.done();
  const features = new Float32Array(read.length);
  rowOf.forEach((row, node) => {
    features.set(read.subarray(row * columns, (row + 1) * columns), node * columns);
  });
  return { features, featureNames: header.slice(1) };
}

function byNumberOrName(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (Number.isFinite(difference) && difference !== 0) return difference;
  return a < b ? -1 : 1;
}
