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
export { type CsvGraph, type CsvGraphFiles, type CsvGraphOptions, loadGraphCsv } from "./graph-csv.ts";
export type { GraphEncoderOptions } from "./graph-trunk.ts";
export { type InferenceOptions, inferAllNodes } from "./inference.ts";
export type { InferenceProgress, LayerWiseOptions } from "./layer-wise.ts";
export { GatConv, type GatConvOptions } from "./layers/gat-conv.ts";
export { GcnConv, type GcnConvOptions } from "./layers/gcn-conv.ts";
export { GraphLayer, type GraphLayerArgs } from "./layers/graph-layer.ts";
export type { Messages } from "./layers/messages.ts";
export { SageConv, type SageConvOptions } from "./layers/sage-conv.ts";
export { type LoadedNpz, loadNpz } from "./npz.ts";
export { type LoadedGraph, loadOgb, type OgbOptions, readOgbCounts, readOgbSplits, simulationOf } from "./ogb.ts";
export { type SageEncoderOptions, sageEncoder } from "./sage-encoder.ts";
export { type DropEdgesOptions, dropEdges } from "./sampling/drop-edges.ts";
export type { NodeTable } from "./sampling/job.ts";
export {
  type BatchPlace,
  NeighborSampler,
  type NeighborSamplerOptions,
  type SampledBatchesOptions,
  type SampledNodes,
} from "./sampling/neighbor-sampler.ts";
export { type SampledDatasetOptions, sampledDataset } from "./sampling/sampled-dataset.ts";
export { type SparsifyOptions, sparsifyByDegree } from "./sampling/sparsify.ts";
export { type ProductsOptions, type SimulatedProducts, simulateProducts } from "./simulate-products.ts";
export { type SplitShares, splitNodes } from "./split-nodes.ts";
export { type Adjacency, type Aggregation, type Ends, type SpmmOptions, spmm } from "./spmm.ts";
export { wholeGraphDataset } from "./whole-graph-dataset.ts";
export { writeOgb } from "./write-ogb.ts";
