import { ConfigError, type Random } from "@l0gm/core";
import { checkRate } from "@l0gm/core/modules";
import { Csr, type CsrArrays, TRUSTED } from "../csr.ts";
import { zerosLike } from "../shared-arrays.ts";
import { priorities } from "./edge-priorities.ts";

/** Options of {@link dropEdges}. */
export interface DropEdgesOptions {
  /** Both directions of an edge go or stay together; set it to false for a graph whose directions mean something. @defaultValue true */
  readonly undirected?: boolean;
}

/**
 * The graph without a random share of its edges: DropEdge (Rong et al. 2020), which is called anew for every epoch of training and never
 * for evaluation. Every edge goes with probability `rate`, whatever becomes of the others. Weights stay as they are.
 *
 * @param random - a number of it is drawn, on which all else depends
 * @throws ConfigError when the rate is not from 0 to below 1, or edges have no reverse because rows and columns differ in number
 *
 * @example
 * ```ts
 * import { Random } from "@l0gm/core";
 * const ring = Csr.fromEdges([0, 1, 2, 3], [1, 2, 3, 0], { nodes: 4, undirected: true });
 * const epoch = 5;
 * const thinned = dropEdges(ring, 0.5, Random.from(7, "drop-edge", epoch));
 * ```
 */
export function dropEdges(csr: Csr, rate: number, random: Random, { undirected = true }: DropEdgesOptions = {}): Csr {
  const where = "dropEdges";
  checkRate(where, "rate", rate);
  if (undirected && csr.rows !== csr.columns) {
    const expected = "as many rows as columns, so that edges have a reverse";
    const hint = "Set undirected to false.";
    throw new ConfigError({ where, expected, received: `${csr.rows} and ${csr.columns}`, hint });
  }
  const priority = priorities(random, undirected);
  if (rate === 0) return csr;
  const least = rate * 2 ** 32;
  return keepEdges(csr, (row, column) => priority(row, column) >= least);
}

/** The graph of the edges for which `keep` is true, which is asked once for each. Its arrays are in shared memory where `csr`'s are. */
export function keepEdges(csr: Csr, keep: (row: number, column: number) => boolean): Csr {
  const { rows, columns, offsets: starts, neighbors: from, weights: values } = csr;
  const offsets = zerosLike(starts, rows + 1);
  // One bit an entry, since the number of those that stay is known only at the end.
  const kept = new Uint8Array(Math.ceil(from.length / 8));
  let entries = 0;
  for (let row = 0; row < rows; row++) {
    const end = starts[row + 1] as number;
    for (let e = starts[row] as number; e < end; e++) {
      if (!keep(row, from[e] as number)) continue;
      kept[e >>> 3] = (kept[e >>> 3] as number) | (1 << (e & 7));
      entries++;
    }
    offsets[row + 1] = entries;
  }
  const neighbors = zerosLike(from, entries);
  const weights = values === undefined ? undefined : zerosLike(values, entries);
  let to = 0;
  for (let e = 0; e < from.length; e++) {
    if (((kept[e >>> 3] as number) & (1 << (e & 7))) === 0) continue;
    neighbors[to] = from[e] as number;
    if (weights !== undefined) weights[to] = values?.[e] as number;
    to++;
  }
  const arrays: CsrArrays = { rows, columns, offsets, neighbors, ...(weights && { weights }) };
  return new Csr(arrays, TRUSTED);
}
