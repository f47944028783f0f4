/** What is asked for a batch, on the caller's thread and in workers alike. */

import type { StreamKeys } from "@l0gm/core/operations";
import type { CsrArrays } from "../csr.ts";
import { gatherRows } from "../gather-rows.ts";
import { BlockDrawer, type DrawnNodes } from "./block-drawer.ts";

/** Rows of numbers, one a node. */
export interface NodeTable {
  /** Row-major, `[nodes, columns]`. */
  readonly values: Float32Array;
  readonly columns: number;
}

/** What stays the same over a pass. */
export interface Task {
  readonly graph: CsrArrays;
  /** As in `NeighborSampler`. */
  readonly fanOut: readonly number[];
  readonly features?: NodeTable;
}

export interface Job {
  readonly seeds: Int32Array;
  /** One a layer, the output's first. */
  readonly keys: readonly StreamKeys[];
}

export interface Answer extends DrawnNodes {
  /** Row-major, of `nodes`. */
  readonly features?: Float32Array;
}

export function makeDrawer({ graph, fanOut }: Task): BlockDrawer {
  return new BlockDrawer(graph, fanOut);
}

export function answer({ features }: Task, drawer: BlockDrawer, { seeds, keys }: Job): Answer {
  const drawn = drawer.draw(seeds, keys);
  return features === undefined
    ? drawn
    : { ...drawn, features: gatherRows(features.values, features.columns, drawn.nodes) };
}

/** The buffers that change hands instead of being copied. */
export function transferable({ blocks, nodes, features }: Answer): ArrayBuffer[] {
  const arrays = blocks.flatMap(({ offsets, neighbors, weights }) => [offsets, neighbors, weights]);
  return [...arrays, nodes, features].flatMap((array) => (array === undefined ? [] : [array.buffer as ArrayBuffer]));
}
