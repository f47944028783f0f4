import { type Encoder, EVALUATION, type GatedClassifier } from "@l0gm/core";
import { checkInteger } from "@l0gm/core/modules";
import type { GraphBatch, WholeGraphBatch } from "./batch.ts";
import type { NodeGraph } from "./graph.ts";
import type { LayerWiseOptions } from "./layer-wise.ts";
import { makePass } from "./passes.ts";

/** Options of {@link inferAllNodes}. */
export type InferenceOptions = LayerWiseOptions;

/** Nodes of which the last products are computed at a time. */
const ROWS = 8192;

/**
 * Applies a model or an encoder to all nodes of a graph, layer after layer, some nodes at a time: every node goes through every layer once,
 * with all its neighbours. Host memory holds the numbers of two layers, of three with {@link gatEncoder}: `4 * nodes * hidden` bytes
 * each; the backend's is bounded by `chunk`. Nothing else runs on this thread while a layer is computed.
 *
 * @returns row-major `[nodes, classes]`, logits, for a model, and `[nodes, width]` for an encoder
 * @throws ConfigError when `chunk` is no integer of at least 1
 * @throws ShapeError when the graph has other features than the encoder reads
 *
 * @example
 * ```ts
 * declare const model: GatedClassifier<GraphBatch>;
 * declare const graph: NodeGraph;
 * const logits = await inferAllNodes(model, graph, {
 *   onProgress: ({ done, total }) => console.error(`${Math.round((100 * done) / total)} %`),
 * });
 * ```
 */
export async function inferAllNodes(
  modelOrEncoder: GatedClassifier<GraphBatch> | Encoder<GraphBatch>,
  graph: NodeGraph,
  options: InferenceOptions = {},
): Promise<Float32Array> {
  if (options.chunk !== undefined) checkInteger("inferAllNodes", "chunk", options.chunk);
  const isEncoder = "encode" in modelOrEncoder;
  const columns = isEncoder ? modelOrEncoder.width : modelOrEncoder.classes;
  const pass = makePass(options);
  const nodes = graph.csr.rows;
  const values = new Float32Array(nodes * columns);
  for (let start = 0; start < nodes; start += ROWS) {
    const ids = Int32Array.from({ length: Math.min(ROWS, nodes - start) }, (_, i) => start + i);
    const batch: WholeGraphBatch = { kind: "whole", graph, nodes: ids, pass };
    const y = isEncoder ? modelOrEncoder.encode(batch, EVALUATION) : modelOrEncoder.logits(batch);
    try {
      values.set(await y.data<"float32">(), start * columns);
    } finally {
      y.dispose();
    }
  }
  return values;
}
