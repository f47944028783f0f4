import type * as tf from "@tensorflow/tfjs-core";
import type { Csr } from "./csr.ts";
import type { NodeGraph } from "./graph.ts";

/**
 * Nodes with as much of the graph around them as was sampled. The blocks run from the features to the output: the rows of one are the
 * columns of the next, and the last one's rows are the nodes of the batch. In every block the first `rows` columns are the rows themselves.
 */
export interface SampledBatch {
  readonly kind: "sampled";
  /** One a layer; row i lists the columns from which row i receives. */
  readonly blocks: readonly Csr[];
  /** float32, `[columns of the first block, features]` */
  readonly features: tf.Tensor2D;
}

/** Nodes of a graph that is seen as a whole. */
export interface WholeGraphBatch {
  readonly kind: "whole";
  readonly graph: NodeGraph;
  /** Ids of the nodes of the batch. */
  readonly nodes: Int32Array;
  /** The same object for all batches of one pass over a dataset: while weights do not change, what one batch made serves the others. */
  readonly pass: object;
}

/** What the encoders of this package read. */
export type GraphBatch = SampledBatch | WholeGraphBatch;
