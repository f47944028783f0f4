/**
 * The sampler's inner loops. They run on the caller's thread and, bundled as text, in worker threads, so that nothing of core or of
 * TensorFlow.js may be imported here.
 */

import type { StreamKeys } from "@l0gm/core/operations";
import type { CsrArrays } from "../csr.ts";
import { blockKey, mix } from "./hash.ts";

/** The neighbourhood of a batch. */
export interface DrawnNodes {
  /** From the features to the output: the rows of one are the columns of the next. */
  readonly blocks: readonly CsrArrays[];
  /** The graph's ids of the columns of the first block; those of any other are the first of these. */
  readonly nodes: Int32Array;
}

/** Positions up to this many are compared one by one to find a repetition; more are marked in an array. */
const FEW = 32;

/** More buckets than this are more ends of lists than a processor's caches hold. */
const BUCKET_BITS = 11;

/** Of Marcin Ciura, 2001; the gaps between them grow by 2.25 from there on. */
const GAPS = Int32Array.of(1750, 701, 301, 132, 57, 23, 10, 4, 1);

/** Draws neighbourhoods from one graph. Of its own it has 4 bytes for each node, and 4 for the largest degree. */
export class BlockDrawer {
  readonly #graph: CsrArrays;
  readonly #fanOut: readonly number[];
  /** Where a node stands in the batch, above `#base`; anything below it is of an earlier batch. */
  readonly #places: Int32Array;
  #base = 1;
  /** Whether the last batch failed, and left places that mean nothing. */
  #unfinished = false;
  /** Of the batch, in the order in which they were met. */
  #nodes = new Int32Array(1024);
  /** Positions within a row that are taken, where there are many: marked with the number of the row's turn. */
  #taken = new Int32Array(0);
  #turn = 0;

  /**
   * @param fanOut - neighbours of a node in each layer, the output's layer first; -1 is all
   */
  constructor(graph: CsrArrays, fanOut: readonly number[]) {
    this.#graph = graph;
    this.#fanOut = fanOut;
    this.#places = new Int32Array(graph.rows);
  }

  /**
   * @param seeds - the nodes of the batch, each once
   * @param keys - the stream of each layer, the output's first; node v draws from the numbers of its block v
   */
  draw(seeds: Int32Array, keys: readonly StreamKeys[]): DrawnNodes {
    if (this.#unfinished) this.#forget();
    this.#unfinished = true;
    let count = seeds.length;
    this.#makeRoom(0, count);
    for (let i = 0; i < count; i++) {
      const node = seeds[i] as number;
      this.#places[node] = this.#base + i;
      this.#nodes[i] = node;
    }
    const blocks: CsrArrays[] = [];
    for (const [layer, fanOut] of this.#fanOut.entries()) {
      const block = this.#layer(count, fanOut, keys[layer] as StreamKeys);
      blocks.push(block);
      count = block.columns;
    }
    this.#base += count;
    this.#unfinished = false;
    return { blocks: blocks.reverse(), nodes: this.#nodes.slice(0, count) };
  }

  /** One layer: rows are the nodes that the batch has so far. */
  #layer(rows: number, fanOut: number, keys: StreamKeys): CsrArrays {
    const { offsets: starts, neighbors: from, weights: values } = this.#graph;
    const offsets = new Int32Array(rows + 1);
    const most = fanOut < 0 ? from.length : fanOut;
    const known = this.#nodes;
    let entries = 0;
    for (let row = 0; row < rows; row++) {
      const node = known[row] as number;
      const degree = (starts[node + 1] as number) - (starts[node] as number);
      entries += Math.min(degree, most);
      offsets[row + 1] = entries;
    }
    if (entries > 2 ** 31 - 1) throw new RangeError(`a block of ${entries} entries, more than int32 can count`);
    this.#makeRoom(rows, entries);
    const neighbors = new Int32Array(entries);
    const weights = values === undefined ? undefined : new Float32Array(entries);
    this.#choose(rows, offsets, neighbors, weights, keys);
    const columns = this.#number(rows, neighbors);
    sortRows(rows, offsets, neighbors, weights);
    return { rows, columns, offsets, neighbors, ...(weights && { weights }) };
  }

  /** Writes the graph's ids of the neighbours that are chosen. */
  #choose(
    rows: number,
    offsets: Int32Array,
    neighbors: Int32Array,
    weights: Float32Array | undefined,
    { low, high }: StreamKeys,
  ): void {
    const { offsets: starts, neighbors: from, weights: values } = this.#graph;
    const nodes = this.#nodes;
    // The first half of the hash does not see the node.
    const halves = new Int32Array(FEW);
    for (let i = 0; i < FEW; i++) halves[i] = mix(i ^ low);
    for (let row = 0; row < rows; row++) {
      const node = nodes[row] as number;
      const start = starts[node] as number;
      const degree = (starts[node + 1] as number) - start;
      const first = offsets[row] as number;
      const count = (offsets[row + 1] as number) - first;
      if (count === degree) {
        for (let i = 0; i < count; i++) neighbors[first + i] = start + i;
      } else {
        const key = blockKey(high, node);
        if (count <= FEW) chooseFew(neighbors, first, count, degree, start, key, halves);
        else this.#chooseMany(neighbors, first, count, degree, start, key, low);
      }
    }
    if (weights !== undefined && values !== undefined) {
      for (let e = 0; e < weights.length; e++) weights[e] = values[neighbors[e] as number] as number;
    }
    lookUp(from, neighbors);
  }

  /** As `chooseFew`, with an array in which positions are marked. */
  #chooseMany(
    out: Int32Array,
    first: number,
    count: number,
    degree: number,
    start: number,
    key: number,
    low: number,
  ): void {
    if (this.#taken.length < degree) this.#taken = new Int32Array(degree);
    this.#turn++;
    if (this.#turn === 2 ** 31 - 1) {
      this.#taken.fill(0);
      this.#turn = 1;
    }
    const taken = this.#taken;
    const turn = this.#turn;
    for (let i = 0; i < count; i++) {
      const last = degree - count + i;
      let position = ((mix(mix(i ^ low) ^ key) >>> 0) * (last + 1) * 2 ** -32) | 0;
      if (taken[position] === turn) position = last;
      taken[position] = turn;
      out[first + i] = start + position;
    }
  }

  /**
   * Gives numbers to the nodes that the batch did not have, and writes numbers over the ids. The new ones are numbered in about the order of
   * their ids: the next layer, and whoever gathers features, then walks through memory instead of jumping in it.
   */
  #number(rows: number, neighbors: Int32Array): number {
    const places = this.#places;
    const nodes = this.#nodes;
    const base = this.#base;
    let count = rows;
    let read = 0;
    for (let chunk = 0; chunk < neighbors.length; chunk += 8) {
      // Eight reads that do not wait for each other, before those that wait for writes.
      read |= readEight(places, neighbors, chunk);
      const end = Math.min(neighbors.length, chunk + 8);
      for (let e = chunk; e < end; e++) {
        const node = neighbors[e] as number;
        const place = places[node] as number;
        // Whether a node is new is a coin's toss, which no processor foresees: 1 or 0, and no branch.
        const fresh = (place - base) >>> 31;
        places[node] = place + Math.imul(fresh, base - place);
        nodes[count] = node;
        count += fresh;
      }
    }
    // Asked, so that no compiler leaves the reads out.
    if (read < 0) throw new RangeError("a place in the batch is below 0");
    this.#sortById(rows, count);
    for (let i = rows; i < count; i++) places[nodes[i] as number] = base + i;
    lookUp(places, neighbors);
    for (let e = 0; e < neighbors.length; e++) neighbors[e] = (neighbors[e] as number) - base;
    return count;
  }

  /** Sorts the nodes from `start` to `end` - 1 by the leading bits of their ids. */
  #sortById(start: number, end: number): void {
    const nodes = this.#nodes;
    const shift = Math.max(0, 32 - Math.clz32(this.#places.length) - BUCKET_BITS);
    const next = new Int32Array(2 ** BUCKET_BITS + 1);
    for (let i = start; i < end; i++) {
      const bucket = ((nodes[i] as number) >>> shift) + 1;
      next[bucket] = (next[bucket] as number) + 1;
    }
    for (let bucket = 1; bucket < next.length; bucket++) {
      next[bucket] = (next[bucket] as number) + (next[bucket - 1] as number);
    }
    const unsorted = nodes.slice(start, end);
    for (let i = 0; i < unsorted.length; i++) {
      const node = unsorted[i] as number;
      const bucket = node >>> shift;
      const at = next[bucket] as number;
      nodes[start + at] = node;
      next[bucket] = at + 1;
    }
  }

  /** Room for `more` nodes behind the first `count`, in the list and in the numbers of places. */
  #makeRoom(count: number, more: number): void {
    // One more: a node that is not new is written there, too.
    const needed = count + Math.min(more, this.#places.length) + 1;
    if (this.#nodes.length < needed) {
      const nodes = new Int32Array(Math.max(needed, Math.ceil(1.5 * this.#nodes.length)));
      nodes.set(this.#nodes.subarray(0, count));
      this.#nodes = nodes;
    }
    // Only between batches do places all lose their meaning.
    if (count === 0 && this.#base > 2 ** 31 - 2 - this.#places.length) this.#forget();
  }

  #forget(): void {
    this.#places.fill(0);
    this.#base = 1;
  }
}

/**
 * `count` of the positions from 0 to `degree` - 1, every set of them equally likely (R. W. Floyd, in J. Bentley, "Programming pearls",
 * CACM 30(9), 1987). A position's probability is off by less than degree / 2^32 of itself, since 2^32 numbers are dealt out.
 */
function chooseFew(
  out: Int32Array,
  first: number,
  count: number,
  degree: number,
  start: number,
  key: number,
  halves: Int32Array,
): void {
  let last = degree - count;
  const end = first + count;
  for (let e = first; e < end; e++) {
    let position = start + (((mix((halves[e - first] as number) ^ key) >>> 0) * (last + 1) * 2 ** -32) | 0);
    for (let j = first; j < e; j++) {
      if (out[j] === position) {
        position = start + last;
        break;
      }
    }
    out[e] = position;
    last++;
  }
}

/**
 * Reads what stands at some places of a table, and writes it over them. Eight reads at a time, before the writes, keep more of them in
 * flight: the loop takes half the time of one that reads and writes in turn.
 */
function lookUp(table: Int32Array, places: Int32Array): void {
  const whole = places.length & ~7;
  for (let e = 0; e < whole; e += 8) {
    const v0 = table[places[e] as number] as number;
    const v1 = table[places[e + 1] as number] as number;
    const v2 = table[places[e + 2] as number] as number;
    const v3 = table[places[e + 3] as number] as number;
    const v4 = table[places[e + 4] as number] as number;
    const v5 = table[places[e + 5] as number] as number;
    const v6 = table[places[e + 6] as number] as number;
    const v7 = table[places[e + 7] as number] as number;
    places[e] = v0;
    places[e + 1] = v1;
    places[e + 2] = v2;
    places[e + 3] = v3;
    places[e + 4] = v4;
    places[e + 5] = v5;
    places[e + 6] = v6;
    places[e + 7] = v7;
  }
  for (let e = whole; e < places.length; e++) places[e] = table[places[e] as number] as number;
}

/** Eight reads from `start` on, or none where there are fewer. */
function readEight(table: Int32Array, places: Int32Array, start: number): number {
  if (start + 8 > places.length) return 0;
  return (
    (table[places[start] as number] as number) |
    (table[places[start + 1] as number] as number) |
    (table[places[start + 2] as number] as number) |
    (table[places[start + 3] as number] as number) |
    (table[places[start + 4] as number] as number) |
    (table[places[start + 5] as number] as number) |
    (table[places[start + 6] as number] as number) |
    (table[places[start + 7] as number] as number)
  );
}

/** Sorts the entries of every row; weights go with them. */
function sortRows(rows: number, offsets: Int32Array, neighbors: Int32Array, weights: Float32Array | undefined): void {
  for (let row = 0; row < rows; row++) {
    const start = offsets[row] as number;
    const end = offsets[row + 1] as number;
    if (weights !== undefined || end - start > FEW) {
      shellSort(neighbors, weights, start, end);
      continue;
    }
    for (let e = start + 1; e < end; e++) {
      const column = neighbors[e] as number;
      let to = e - 1;
      while (to >= start && (neighbors[to] as number) > column) {
        neighbors[to + 1] = neighbors[to] as number;
        to--;
      }
      neighbors[to + 1] = column;
    }
  }
}

function shellSort(neighbors: Int32Array, weights: Float32Array | undefined, start: number, end: number): void {
  for (let g = 0; g < GAPS.length; g++) {
    const gap = GAPS[g] as number;
    for (let e = start + gap; e < end; e++) {
      const column = neighbors[e] as number;
      const weight = weights === undefined ? 0 : (weights[e] as number);
      let to = e - gap;
      while (to >= start && (neighbors[to] as number) > column) {
        neighbors[to + gap] = neighbors[to] as number;
        if (weights !== undefined) weights[to + gap] = weights[to] as number;
        to -= gap;
      }
      neighbors[to + gap] = column;
      if (weights !== undefined) weights[to + gap] = weight;
    }
  }
}
