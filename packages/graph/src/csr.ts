import { ConfigError, DataError, ShapeError } from "@l0gm/core";

/** Offsets are int32. */
const MOST_ENTRIES = 2 ** 31 - 1;

/** Says to the constructor of {@link Csr} that whoever made the arrays made them well: the sampler's blocks, as its tests check. */
export const TRUSTED: unique symbol = Symbol("trusted");

/** Node ids as they come: plain numbers, or typed arrays, which are read fastest. */
export type NodeIds = ArrayLike<number>;

/** Options of {@link Csr.fromEdges}. */
export interface EdgeOptions {
  /** Number of nodes; ids run from 0 to `nodes` - 1. */
  readonly nodes: number;
  /** Adds the reverse of every edge that has two different ends. @defaultValue false */
  readonly undirected?: boolean;
  /** `[edges]`, a weight for each. @defaultValue all are 1 */
  readonly weights?: ArrayLike<number>;
  /**
   * What becomes of an edge that is given more than once: one edge, with the sum of the weights if there are any, or as many as were
   * given. @defaultValue "merge"
   */
  readonly duplicates?: "merge" | "keep";
}

/** The arrays of a {@link Csr}, which can be sent to a worker: with shared buffers nothing is copied. */
export interface CsrArrays {
  /** Nodes that receive. */
  readonly rows: number;
  /** Nodes that send. */
  readonly columns: number;
  /** `[rows + 1]`, from 0 and never falling: row i has the entries `offsets[i]` to `offsets[i + 1] - 1`. */
  readonly offsets: Int32Array;
  /** `[entries]`, the column of each entry, ascending within a row. */
  readonly neighbors: Int32Array;
  /** `[entries]`; absent, all are 1. */
  readonly weights?: Float32Array;
}

/**
 * A graph in compressed sparse rows, in host memory: row i lists the nodes from which node i receives. An edge takes 4 bytes, or 8 with a
 * weight, and a node 4. Nothing changes it once it is made.
 */
export class Csr implements CsrArrays {
  readonly rows: number;
  readonly columns: number;
  readonly offsets: Int32Array;
  readonly neighbors: Int32Array;
  readonly weights?: Float32Array;
  #transposed: Csr | undefined;

  /**
   * Takes over arrays that are in order.
   *
   * @param trust - internal: leaves the checks out
   * @throws ShapeError when their lengths do not fit
   * @throws DataError when offsets fall, a column is out of range or below the one before it, or a weight is not finite
   */
  constructor(arrays: CsrArrays, trust?: symbol) {
    if (trust !== TRUSTED) check(arrays);
    this.rows = arrays.rows;
    this.columns = arrays.columns;
    this.offsets = arrays.offsets;
    this.neighbors = arrays.neighbors;
    if (arrays.weights !== undefined) this.weights = arrays.weights;
  }

  /**
   * The graph of a list of edges. Row i of it has the sources of the edges whose target is i.
   *
   * @param sources - `[edges]`, the node from which each edge starts
   * @param targets - `[edges]`, the node at which it ends
   * @throws ShapeError when the lists differ in length
   * @throws DataError that names the first edge with an id that is not from 0 to `nodes` - 1, or a weight that is not finite
   * @throws ConfigError when `nodes` is no such number
   *
   * @example
   * ```ts
   * const path = Csr.fromEdges([0, 1], [1, 2], { nodes: 3, undirected: true });
   * console.log(path.neighborsOf(1)); // 0, 2
   * ```
   */
  static fromEdges(sources: NodeIds, targets: NodeIds, options: EdgeOptions): Csr {
    const { nodes, undirected = false, weights, duplicates = "merge" } = options;
    checkEdges(sources, targets, options);
    const loops = undirected ? countLoops(sources, targets) : 0;
    const entries = undirected ? 2 * sources.length - loops : sources.length;
    if (entries > MOST_ENTRIES) {
      throw new DataError({ where: "Csr.fromEdges", expected: `at most ${MOST_ENTRIES} entries`, received: entries });
    }
    // First by source, then by target: taking the sources in order leaves every target's row sorted.
    const bySource = compress(sources, targets, { nodes, entries, undirected, ...(weights && { weights }) });
    const sorted = transpose(bySource);
    return new Csr(duplicates === "merge" ? merge(sorted) : sorted);
  }

  get entries(): number {
    return this.neighbors.length;
  }

  /** Of the arrays together. */
  get bytes(): number {
    return this.offsets.byteLength + this.neighbors.byteLength + (this.weights?.byteLength ?? 0);
  }

  /** The columns of a row, ascending; a view. */
  neighborsOf(row: number): Int32Array {
    return this.neighbors.subarray(this.offsets[row], this.offsets[row + 1]);
  }

  /** Entries of each row. */
  degrees(): Int32Array {
    return Int32Array.from({ length: this.rows }, (_, i) => (this.offsets[i + 1] ?? 0) - (this.offsets[i] ?? 0));
  }

  /** The result of {@link transpose} where it was asked for before. */
  get transposed(): Csr | undefined {
    return this.#transposed;
  }

  /** Every edge the other way round. Made once, then kept, as large as this graph; a symmetric graph is its own. */
  transpose(): Csr {
    if (this.#transposed === undefined) {
      const arrays = transpose(this);
      this.#transposed = equal(this, arrays) ? this : new Csr(arrays);
      this.#transposed.#transposed = this;
    }
    return this.#transposed;
  }
}

function checkEdges(sources: NodeIds, targets: NodeIds, { nodes, weights }: EdgeOptions): void {
  const where = "Csr.fromEdges";
  if (!Number.isSafeInteger(nodes) || nodes < 1 || nodes > MOST_ENTRIES) {
    throw new ConfigError({ where, expected: "nodes to be an integer of at least 1", received: nodes });
  }
  const edges = sources.length;
  if (targets.length !== edges) throw new ShapeError({ where, expected: `${edges} targets`, received: targets.length });
  if (weights !== undefined && weights.length !== edges) {
    throw new ShapeError({ where, expected: `${edges} weights`, received: weights.length });
  }
  for (let i = 0; i < edges; i++) {
    const [from, to] = [sources[i], targets[i]];
    if (!isNode(from, nodes) || !isNode(to, nodes)) {
      const expected = `two nodes from 0 to ${nodes - 1}`;
      throw new DataError({ where: `${where}, edge ${i}`, expected, received: `${from} and ${to}` });
    }
    if (weights !== undefined && !Number.isFinite(weights[i])) {
      throw new DataError({ where: `${where}, edge ${i}`, expected: "a finite weight", received: weights[i] });
    }
  }
}

function isNode(id: number | undefined, nodes: number): boolean {
  return id !== undefined && Number.isInteger(id) && id >= 0 && id < nodes;
}

function countLoops(sources: NodeIds, targets: NodeIds): number {
  let loops = 0;
  for (let i = 0; i < sources.length; i++) if (sources[i] === targets[i]) loops++;
  return loops;
}

/** Turns counts, each one place after its row, into offsets. */
function accumulate(counts: Int32Array): void {
  for (let i = 1; i < counts.length; i++) counts[i] = (counts[i] as number) + (counts[i - 1] as number);
}

/** Edges by source; the targets of each in the order of the edges. Row i has the targets of node i. */
function compress(sources: NodeIds, targets: NodeIds, options: EdgeOptions & { readonly entries: number }): CsrArrays {
  const { nodes, entries, undirected = false, weights } = options;
  const edges = sources.length;
  const offsets = new Int32Array(nodes + 1);
  for (let i = 0; i < edges; i++) {
    const from = sources[i] as number;
    const to = targets[i] as number;
    offsets[from + 1] = (offsets[from + 1] as number) + 1;
    if (undirected && from !== to) offsets[to + 1] = (offsets[to + 1] as number) + 1;
  }
  accumulate(offsets);
  const next = offsets.slice();
  const neighbors = new Int32Array(entries);
  const values = weights === undefined ? undefined : new Float32Array(entries);
  for (let i = 0; i < edges; i++) {
    const from = sources[i] as number;
    const to = targets[i] as number;
    const at = next[from] as number;
    next[from] = at + 1;
    neighbors[at] = to;
    if (values !== undefined) values[at] = weights?.[i] as number;
    if (!undirected || from === to) continue;
    const back = next[to] as number;
    next[to] = back + 1;
    neighbors[back] = from;
    if (values !== undefined) values[back] = weights?.[i] as number;
  }
  return { rows: nodes, columns: nodes, offsets, neighbors, ...(values && { weights: values }) };
}

function equal(a: CsrArrays, b: CsrArrays): boolean {
  const same = (x: ArrayLike<number> = [], y: ArrayLike<number> = []): boolean => {
    if (x.length !== y.length) return false;
    for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
    return true;
  };
  return (
    a.rows === b.rows && same(a.offsets, b.offsets) && same(a.neighbors, b.neighbors) && same(a.weights, b.weights)
  );
}

/** Columns as rows, the entries of each in the order of their rows. */
export function transpose({ rows, columns, offsets: starts, neighbors: from, weights }: CsrArrays): CsrArrays {
  const offsets = new Int32Array(columns + 1);
  for (let e = 0; e < from.length; e++) {
    const column = from[e] as number;
    offsets[column + 1] = (offsets[column + 1] as number) + 1;
  }
  accumulate(offsets);
  const next = offsets.slice(0, columns);
  const neighbors = new Int32Array(from.length);
  const values = weights === undefined ? undefined : new Float32Array(from.length);
  for (let row = 0; row < rows; row++) {
    const end = starts[row + 1] as number;
    for (let e = starts[row] as number; e < end; e++) {
      const column = from[e] as number;
      const at = next[column] as number;
      next[column] = at + 1;
      neighbors[at] = row;
      if (values !== undefined) values[at] = weights?.[e] as number;
    }
  }
  return { rows: columns, columns: rows, offsets, neighbors, ...(values && { weights: values }) };
}

/** Puts equal entries of a row together: their weights are added, and without weights one edge is left. Changes the arrays. */
function merge(arrays: CsrArrays): CsrArrays {
  const { rows, offsets, neighbors, weights } = arrays;
  let to = 0;
  let start = 0;
  for (let row = 0; row < rows; row++) {
    const end = offsets[row + 1] as number;
    const first = to;
    for (let e = start; e < end; e++) {
      if (to > first && neighbors[to - 1] === neighbors[e]) {
        if (weights !== undefined) weights[to - 1] = (weights[to - 1] as number) + (weights[e] as number);
        continue;
      }
      neighbors[to] = neighbors[e] as number;
      if (weights !== undefined) weights[to] = weights[e] as number;
      to++;
    }
    start = end;
    offsets[row + 1] = to;
  }
  if (to === neighbors.length) return arrays;
  return { ...arrays, neighbors: neighbors.slice(0, to), ...(weights && { weights: weights.slice(0, to) }) };
}

function check({ rows, columns, offsets, neighbors, weights }: CsrArrays): void {
  const where = "Csr";
  const entries = neighbors.length;
  if (offsets.length !== rows + 1 || (weights !== undefined && weights.length !== entries)) {
    const expected = `${rows + 1} offsets, and as many weights as neighbors, if any`;
    throw new ShapeError({ where, expected, received: `${offsets.length}, ${weights?.length} and ${entries}` });
  }
  if (offsets[0] !== 0 || offsets[rows] !== entries) {
    const expected = `offsets from 0 to the ${entries} entries`;
    throw new DataError({ where, expected, received: `from ${offsets[0]} to ${offsets[rows]}` });
  }
  for (let row = 0; row < rows; row++) {
    const start = offsets[row] as number;
    const end = offsets[row + 1] as number;
    if (end < start) {
      throw new DataError({ where: `${where}, row ${row}`, expected: "offsets that never fall", received: end });
    }
    let before = -1;
    for (let e = start; e < end; e++) {
      const column = neighbors[e] as number;
      if (weights !== undefined && !Number.isFinite(weights[e])) {
        throw new DataError({ where: `${where}, row ${row}`, expected: "finite weights", received: weights[e] });
      }
      if (column < 0 || column >= columns || column < before) {
        const expected = `columns from 0 to ${columns - 1}, ascending`;
        throw new DataError({ where: `${where}, row ${row}`, expected, received: column });
      }
      before = column;
    }
  }
}
