import { ConfigError } from "@l0gm/core";
import { discard, writeGzip } from "#files";
import type { NodeGraph, NodeSplit } from "./graph.ts";
import { SIMULATION } from "./ogb.ts";

const PIECE = 1 << 20;
/** No number that is written is longer, its separator included. */
const LONGEST_NUMBER = 32;
const ZERO = 48;
const COMMA = 44;
const NEWLINE = 10;
const POINT = 46;
const MINUS = 45;
const DECIMALS = 6;

/** Turns numbers into bytes without a string for each. */
class NumberWriter {
  #bytes = new Uint8Array(PIECE);
  #at = 0;

  get isFull(): boolean {
    return this.#at > PIECE - LONGEST_NUMBER;
  }

  /** What was written since the last time; the caller's. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = new Uint8Array(PIECE);
    this.#at = 0;
    return taken;
  }

  integer(value: number, separator: number): void {
    this.#digits(value, 1);
    this.#bytes[this.#at++] = separator;
  }

  /** With six decimals. */
  decimal(value: number, separator: number): void {
    const scaled = Math.round(Math.abs(value) * 10 ** DECIMALS);
    if (!(scaled <= Number.MAX_SAFE_INTEGER)) {
      throw new ConfigError({ where: "writeOgb", expected: "finite features below 9e9 in size", received: value });
    }
    if (value < 0 && scaled > 0) this.#bytes[this.#at++] = MINUS;
    const whole = Math.floor(scaled / 10 ** DECIMALS);
    this.#digits(whole, 1);
    this.#bytes[this.#at++] = POINT;
    this.#digits(scaled - whole * 10 ** DECIMALS, DECIMALS);
    this.#bytes[this.#at++] = separator;
  }

  #digits(value: number, least: number): void {
    let length = least;
    for (let limit = 10 ** least; value >= limit; limit *= 10) length++;
    let rest = value;
    for (let i = this.#at + length - 1; i >= this.#at; i--) {
      const tenth = Math.floor(rest / 10);
      this.#bytes[i] = ZERO + (rest - tenth * 10);
      rest = tenth;
    }
    this.#at += length;
  }
}

/**
 * Writes a graph in the layout of ogbn-products, which {@link loadOgb} and OGB's own package read: every pair of nodes once, as
 * `smaller,larger`; features with six decimals. Files are streamed, and appear whole or not at all. The folder of a
 * simulated graph says so in `SIMULATED.txt.gz`, which is there before anything else is.
 *
 * @param splitName - the folder under `split`
 * @throws ConfigError when the graph has a direction, as this layout has none, or a feature is not finite or not below 9e9 in size
 *
 * @example
 * ```ts
 * declare const folder: string; // which is made
 * const { graph, split } = await simulateProducts({ scale: 1 / 4096 });
 * await writeOgb(folder, graph, split, "random");
 * ```
 */
export async function writeOgb(folder: string, graph: NodeGraph, split: NodeSplit, splitName: string): Promise<void> {
  const { csr, features, columns, labels, classes, simulated } = graph;
  const edges = countPairs(graph);
  const write = (name: string, pieces: Iterable<Uint8Array>): Promise<void> =>
    writeGzip(`${folder}/${name}.csv.gz`, pieces);
  const mark = `${folder}/${SIMULATION}.gz`;
  if (simulated !== undefined) await writeGzip(mark, [new TextEncoder().encode(`${simulated}\n`)]);
  await write("raw/num-node-list", integers([csr.rows]));
  await write("raw/num-edge-list", integers([edges]));
  await write("raw/edge", pairs(graph));
  await write("raw/node-label", integers(labels));
  await write("raw/node-feat", rows(features, columns));
  const names = classes.map((name, i) => `${i},"${name.replaceAll('"', '""')}"\n`).join("");
  await write("mapping/labelidx2productcategory", [new TextEncoder().encode(`label idx,product category\n${names}`)]);
  await write(`split/${splitName}/train`, integers(split.train));
  await write(`split/${splitName}/valid`, integers(split.validation));
  await write(`split/${splitName}/test`, integers(split.test));
  // Not before: until now the folder may have held parts of a simulated graph.
  if (simulated === undefined) await discard(mark);
}

/** @throws ConfigError when an edge has no reverse */
function countPairs({ csr }: NodeGraph): number {
  let [below, above, loops] = [0, 0, 0];
  // Where all neighbours agree, so do the degrees of both directions, and with them the rows.
  const reverse = csr.transpose();
  for (let row = 0; row < csr.rows; row++) {
    for (let e = csr.offsets[row] as number; e < (csr.offsets[row + 1] as number); e++) {
      const column = csr.neighbors[e] as number;
      if (column === row) loops++;
      else if (column < row) below++;
      else above++;
      if (reverse.neighbors[e] !== column) {
        const expected = "a graph without direction";
        throw new ConfigError({ where: "writeOgb", expected, received: `${column} to ${row} without its reverse` });
      }
    }
  }
  return (below + above) / 2 + loops;
}

function* integers(values: ArrayLike<number>): Generator<Uint8Array> {
  const writer = new NumberWriter();
  for (let i = 0; i < values.length; i++) {
    writer.integer(values[i] as number, NEWLINE);
    if (writer.isFull) yield writer.take();
  }
  yield writer.take();
}

function* pairs({ csr }: NodeGraph): Generator<Uint8Array> {
  const writer = new NumberWriter();
  for (let row = 0; row < csr.rows; row++) {
    for (let e = csr.offsets[row] as number; e < (csr.offsets[row + 1] as number); e++) {
      const column = csr.neighbors[e] as number;
      if (column < row) continue;
      writer.integer(row, COMMA);
      writer.integer(column, NEWLINE);
      if (writer.isFull) yield writer.take();
    }
  }
  yield writer.take();
}

function* rows(features: Float32Array, columns: number): Generator<Uint8Array> {
  const writer = new NumberWriter();
  for (let start = 0; start < features.length; start += columns) {
    for (let i = start; i < start + columns; i++) {
      writer.decimal(features[i] as number, i === start + columns - 1 ? NEWLINE : COMMA);
      if (writer.isFull) yield writer.take();
    }
  }
  yield writer.take();
}
