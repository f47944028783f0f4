import type { WholeGraphBatch } from "./batch.ts";
import { gatherRows } from "./gather-rows.ts";
import type { NodeGraph } from "./graph.ts";
import type { LayerWiseOptions } from "./layer-wise.ts";

/** What a pass over a graph is about. */
export interface PassOptions extends LayerWiseOptions {
  /** All that its batches ask for. @defaultValue all of the graph */
  readonly nodes?: Int32Array;
}

const options = new WeakMap<object, PassOptions>();

/** A key for the batches of one pass. */
export function makePass(about: PassOptions): object {
  const pass = {};
  options.set(pass, about);
  return pass;
}

/** What an encoder computes of nodes: row-major, as many rows as nodes. */
export type Evaluate = (graph: NodeGraph, about: PassOptions) => Float32Array;

/** What was computed in one pass. */
interface Computed {
  readonly graph: NodeGraph;
  readonly values: Float32Array;
  /** `[nodes of the graph]`, -1 for those that the pass is not about; absent, all are where their ids say. */
  readonly places: Int32Array | undefined;
  readonly served: WeakSet<WholeGraphBatch>;
}

/** An encoder's results of the passes that are under way. */
export class Passes {
  readonly #evaluate: Evaluate;
  readonly #computed = new WeakMap<object, Computed>();

  constructor(evaluate: Evaluate) {
    this.#evaluate = evaluate;
  }

  /**
   * What the batch's pass has of its nodes. A batch that is asked for again is computed anew, by itself: whoever asks twice wants to
   * measure it, or has changed the weights.
   *
   * @returns `[nodes of the batch, width]`
   */
  read(batch: WholeGraphBatch, width: number): Float32Array {
    const { graph, nodes, pass } = batch;
    const computed = this.#computed.get(pass) ?? this.#begin(batch);
    const ids = placesOf(computed, nodes);
    if (ids === undefined || computed.graph !== graph || computed.served.has(batch)) {
      return this.#evaluate(graph, { ...options.get(pass), nodes });
    }
    computed.served.add(batch);
    return gatherRows(computed.values, width, ids);
  }

  #begin({ graph, pass }: WholeGraphBatch): Computed {
    const about = options.get(pass) ?? {};
    const { nodes } = about;
    const places = nodes && new Int32Array(graph.csr.rows).fill(-1);
    nodes?.forEach((node, place) => {
      if (places !== undefined) places[node] = place;
    });
    const values = this.#evaluate(graph, about);
    const computed = { graph, values, places, served: new WeakSet<WholeGraphBatch>() };
    this.#computed.set(pass, computed);
    return computed;
  }
}

/** Absent where the pass does not have all of the nodes. */
function placesOf({ places }: Computed, nodes: Int32Array): Int32Array | undefined {
  if (places === undefined) return nodes;
  const found = nodes.map((node) => places[node] ?? -1);
  return found.includes(-1) ? undefined : found;
}
