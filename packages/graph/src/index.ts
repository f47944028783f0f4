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
export { type ProductsOptions, type SimulatedProducts, simulateProducts } from "./simulate-products.ts";
export { type SplitShares, stratifiedSplit } from "./stratified-split.ts";
export { writeOgb } from "./write-ogb.ts";
