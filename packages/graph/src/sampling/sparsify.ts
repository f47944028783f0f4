import { ConfigError, type Random } from "@l0gm/core";
import { checkInteger } from "@l0gm/core/modules";
import type { Csr } from "../csr.ts";
import { keepEdges } from "./drop-edges.ts";
import { priorities } from "./edge-priorities.ts";

/** How {@link sparsifyByDegree} thins a graph: one of two rules. */
export type SparsifyOptions =
  | {
      /** Share of the edges that is expected to stay, above 0 and at most 1. */
      readonly fraction: number;
      readonly maximumDegree?: never;
    }
  | {
      /** Edges of a node that stay at most. */
      readonly maximumDegree: number;
      readonly fraction?: never;
    };

/**
 * An undirected graph with fewer edges, made once before training and the same for all epochs and for evaluation.
 *
 * - `fraction`: an edge between u and v stays with probability min(1, c (1/d(u) + 1/d(v))), which bounds its effective resistance (Spielman
 *   and Srivastava 2011) from both sides and is the rule of DSpar (Liu et al. 2023), with c such that the expected number of edges is the
 *   one asked for. Edges of small nodes stay, those between large ones go first. Unlike in DSpar's theory the edges that stay get no
 *   larger weight: a mean over neighbours needs none.
 * - `maximumDegree`: every edge draws a random rank, and stays where it is among the first `maximumDegree` of both its ends, as Hamilton et
 *   al. (2017) cap degrees at 128.
 *
 * @param csr - symmetric
 * @param random - a number of it is drawn, on which all else depends
 * @throws ConfigError when an option is out of range or the graph is not square
 *
 * @example
 * ```ts
 * import { Random } from "@l0gm/core";
 * const star = Csr.fromEdges([0, 0, 0, 0], [1, 2, 3, 4], { nodes: 5, undirected: true });
 * console.log(sparsifyByDegree(star, { maximumDegree: 3 }, Random.from(7, "sparsify")).entries); // 6
 * ```
 */
export function sparsifyByDegree(csr: Csr, options: SparsifyOptions, random: Random): Csr {
  const where = "sparsifyByDegree";
  if (csr.rows !== csr.columns) {
    const received = `${csr.rows} and ${csr.columns}`;
    throw new ConfigError({ where, expected: "as many rows as columns", received });
  }
  const { fraction, maximumDegree } = options;
  if ((fraction === undefined) === (maximumDegree === undefined)) {
    throw new ConfigError({ where, expected: "a fraction or a maximumDegree", received: JSON.stringify(options) });
  }
  if (fraction !== undefined) {
    if (!(fraction > 0 && fraction <= 1)) {
      throw new ConfigError({ where, expected: "a fraction above 0 and at most 1", received: fraction });
    }
    return byResistance(csr, fraction, random);
  }
  checkInteger(where, "maximumDegree", maximumDegree);
  return capped(csr, maximumDegree, random);
}

function byResistance(csr: Csr, fraction: number, random: Random): Csr {
  const priority = priorities(random, true);
  if (fraction === 1) return csr;
  const inverse = Float64Array.from(csr.degrees(), (degree) => 1 / degree);
  const factor = factorFor(csr, inverse, fraction);
  return keepEdges(csr, (row, column) => {
    const probability = factor * ((inverse[row] as number) + (inverse[column] as number));
    return priority(row, column) < probability * 2 ** 32;
  });
}

/** Bins of the histogram below. */
const BINS = 2 ** 16;

/**
 * The c with which `fraction` of the entries is expected to stay. What is expected grows with c: it is found by bisection, on a histogram
 * of 1/d(u) + 1/d(v) whose bins are the leading bits of a float32, at most 1/256 wide relative to their place, with the mean of each.
 */
function factorFor({ rows, offsets, neighbors }: Csr, inverse: Float64Array, fraction: number): number {
  const counts = new Float64Array(BINS);
  const sums = new Float64Array(BINS);
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  for (let row = 0; row < rows; row++) {
    const end = offsets[row + 1] as number;
    for (let e = offsets[row] as number; e < end; e++) {
      const sum = (inverse[row] as number) + (inverse[neighbors[e] as number] as number);
      float[0] = sum;
      const bin = (bits[0] as number) >>> 15;
      counts[bin] = (counts[bin] as number) + 1;
      sums[bin] = (sums[bin] as number) + sum;
    }
  }
  const wanted = fraction * neighbors.length;
  const expected = (factor: number): number => {
    let total = 0;
    for (let bin = 0; bin < BINS; bin++) {
      total += Math.min(counts[bin] as number, factor * (sums[bin] as number));
    }
    return total;
  };
  // An edge's sum is at least 2 / nodes: with c = nodes / 2 all stay.
  let [low, high] = [0, rows / 2];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (expected(middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

function capped(csr: Csr, maximumDegree: number, random: Random): Csr {
  const priority = priorities(random, true);
  const { rows, offsets, neighbors } = csr;
  // The largest priority with which an edge of the node stays.
  const limits = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  for (let row = 0; row < rows; row++) {
    const start = offsets[row] as number;
    const degree = (offsets[row + 1] as number) - start;
    if (degree <= maximumDegree) continue;
    const ranks = Float64Array.from({ length: degree }, (_, i) => priority(row, neighbors[start + i] as number)).sort();
    const limit = ranks[maximumDegree - 1] as number;
    // Of edges with the same priority none stays where not all can.
    limits[row] = ranks[maximumDegree] === limit ? limit - 1 : limit;
  }
  return keepEdges(csr, (row, column) => {
    const own = priority(row, column);
    return own <= (limits[row] as number) && own <= (limits[column] as number);
  });
}
