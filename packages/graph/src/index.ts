/**
 * Graphs for L0-gated learning: loading, sampling, message passing, encoders and inference over all nodes.
 *
 * @packageDocumentation
 */

export type { GraphBatch, SampledBatch, WholeGraphBatch } from "./batch.ts";
export { Csr, type CsrArrays, type EdgeOptions, type NodeIds } from "./csr.ts";
export type { NodeGraph, NodeSplit } from "./graph.ts";
export { type CsvGraphFiles, type CsvGraphOptions, loadGraphCsv } from "./graph-csv.ts";
export { type LoadedNpz, loadNpz } from "./npz.ts";
export { type LoadedGraph, loadOgb, type OgbOptions, readOgbCounts } from "./ogb.ts";
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
export { type SplitShares, stratifiedSplit } from "./stratified-split.ts";
export { writeOgb } from "./write-ogb.ts";
