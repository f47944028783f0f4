import { DataError } from "@l0gm/core";
import type { CsrArrays } from "./csr.ts";

/** Factors of the symmetric normalisation: an entry's weight times `rows[row]` times `columns[column]`. */
export interface SymmetricFactors {
  readonly rows: Float32Array;
  readonly columns: Float32Array;
  /** Those that the rows have as the ones who send, to themselves. */
  readonly self: Float32Array;
}

/** Where a part of a graph was cut out: its nodes have the factors that they have in the whole. */
interface Origin {
  readonly graph: CsrArrays;
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

const means = new WeakMap<CsrArrays, Float32Array>();
const symmetric = new WeakMap<CsrArrays, SymmetricFactors>();
const origins = new WeakMap<CsrArrays, Origin>();

/** @param part - rows of `graph` with all their entries, renumbered */
export function inheritFactors(part: CsrArrays, graph: CsrArrays, rows: Int32Array, columns: Int32Array): void {
  origins.set(part, { graph, rows, columns });
}

/** `[rows]`: 1 over the sum of each row's weights, and 0 where that is 0, as without entries. Computed once for a graph. */
export function meanFactors(graph: CsrArrays): Float32Array {
  return cached(means, graph, () => rowSums(graph).map((sum) => (sum === 0 ? 0 : 1 / sum)));
}

/**
 * D^-1/2 of rows and columns, where D are the sums of A + I (Kipf and Welling 2017). Computed once for a graph.
 *
 * @throws DataError when negative weights leave a sum that is not above 0
 */
export function symmetricFactors(graph: CsrArrays): SymmetricFactors {
  return cached(symmetric, graph, () => {
    const origin = origins.get(graph);
    if (origin !== undefined) {
      const whole = symmetricFactors(origin.graph);
      const read = (from: Float32Array, ids: Int32Array): Float32Array => Float32Array.from(ids, (id) => from[id] ?? 0);
      return {
        rows: read(whole.rows, origin.rows),
        columns: read(whole.columns, origin.columns),
        self: read(whole.self, origin.rows),
      };
    }
    const columns = inverseRoots(columnSums(graph));
    return { rows: inverseRoots(rowSums(graph)), columns, self: columns.subarray(0, graph.rows) };
  });
}

function cached<Factors>(cache: WeakMap<CsrArrays, Factors>, graph: CsrArrays, compute: () => Factors): Factors {
  const known = cache.get(graph);
  if (known !== undefined) return known;
  const made = compute();
  cache.set(graph, made);
  return made;
}

function rowSums({ rows, offsets, weights }: CsrArrays): Float32Array {
  return Float32Array.from({ length: rows }, (_, i) => {
    const [start = 0, end = 0] = [offsets[i], offsets[i + 1]];
    if (weights === undefined) return end - start;
    let sum = 0;
    for (let e = start; e < end; e++) sum += weights[e] as number;
    return sum;
  });
}

function columnSums({ columns, neighbors, weights }: CsrArrays): Float32Array {
  const sums = new Float32Array(columns);
  for (let e = 0; e < neighbors.length; e++) {
    const column = neighbors[e] as number;
    sums[column] = (sums[column] as number) + (weights === undefined ? 1 : (weights[e] as number));
  }
  return sums;
}

function inverseRoots(sums: Float32Array): Float32Array {
  return sums.map((sum, node) => {
    if (sum > -1) return 1 / Math.sqrt(1 + sum);
    const expected = "weights of a node that together stay above -1";
    throw new DataError({ where: `symmetric normalisation, node ${node}`, expected, received: sum });
  });
}
