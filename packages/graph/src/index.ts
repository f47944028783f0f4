/**
 * Graphs for L0-gated learning: loading, sampling, message passing, encoders and inference over all nodes.
 *
 * @packageDocumentation
 */

export type { GraphBatch, SampledBatch, WholeGraphBatch } from "./batch.ts";
export { Csr, type CsrArrays, type EdgeOptions, type NodeIds } from "./csr.ts";
export type { NodeGraph, NodeSplit } from "./graph.ts";
