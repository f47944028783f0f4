/**
 * Graphs for L0-gated learning: loading, sampling, message passing, encoders and inference over all nodes.
 *
 * @packageDocumentation
 */

export type { GraphBatch, SampledBatch, WholeGraphBatch } from "./batch.ts";
export { Csr, type CsrArrays, type EdgeOptions, type NodeIds } from "./csr.ts";
export { edgeSoftmax } from "./edge-softmax.ts";
export { type GatEncoderOptions, gatEncoder } from "./gat-encoder.ts";
export { type GcnEncoderOptions, gcnEncoder } from "./gcn-encoder.ts";
export type { NodeGraph, NodeSplit } from "./graph.ts";
export type { GraphEncoderOptions } from "./graph-trunk.ts";
export { type InferenceOptions, inferAllNodes } from "./inference.ts";
export type { InferenceProgress, LayerWiseOptions } from "./layer-wise.ts";
export { GatConv, type GatConvOptions } from "./layers/gat-conv.ts";
export { GcnConv, type GcnConvOptions } from "./layers/gcn-conv.ts";
export { GraphLayer, type GraphLayerArgs } from "./layers/graph-layer.ts";
export type { Messages } from "./layers/messages.ts";
export { SageConv, type SageConvOptions } from "./layers/sage-conv.ts";
export { type SageEncoderOptions, sageEncoder } from "./sage-encoder.ts";
export { type Adjacency, type Aggregation, type Ends, type SpmmOptions, spmm } from "./spmm.ts";
export { wholeGraphDataset } from "./whole-graph-dataset.ts";
