import { ConfigError, ShapeError } from "@l0gm/core";
import { type CsrMatrix, csrProduct } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";
import type { Csr, CsrArrays } from "./csr.ts";
import { meanFactors, symmetricFactors } from "./normalisation.ts";

/**
 * What becomes of a node's neighbours: the sum of weight times x, that over the sum of the weights ("mean"; 0 without neighbours), or
 * the node itself among them and everything times 1 / sqrt(degree + 1) of both ends ("symmetric"; Kipf and Welling 2017).
 */
export type Aggregation = "sum" | "mean" | "symmetric";

const AGGREGATIONS: readonly Aggregation[] = ["sum", "mean", "symmetric"];

/** Options of {@link spmm}. */
export interface SpmmOptions {
  /** @defaultValue "sum" */
  readonly aggregate?: Aggregation;
}

/** What messages pass over: a {@link Csr}, or a part of one whose columns need no order. */
export interface Adjacency extends CsrArrays {
  /** For gradients; absent, kernels make it when they need it. */
  readonly transposed?: CsrArrays | undefined;
}

/**
 * Aggregates over each node's neighbours, with a gradient through the transposed graph: call `csr.transpose()` once where the same
 * graph is used again and again, or it is transposed with every gradient. On a bipartite block, whose first `rows` columns are the
 * rows themselves, "symmetric" goes by the degrees within the block.
 *
 * @param x - `[columns, width]`
 * @returns `[rows, width]`, the caller's to dispose
 * @throws ShapeError when `x` does not fit, or "symmetric" is asked for with fewer columns than rows
 * @throws ConfigError when there is no such aggregation
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { useBackend } from "@l0gm/core";
 *
 * await useBackend("cpu");
 * const path = Csr.fromEdges([0, 1], [1, 2], { nodes: 3, undirected: true });
 * const means = spmm(path, tf.tensor2d([[1], [10], [100]]), { aggregate: "mean" });
 * console.log(means.arraySync()); // 10, 50.5, 10
 * ```
 */
export function spmm(csr: Csr, x: tf.Tensor2D, { aggregate: aggregation = "sum" }: SpmmOptions = {}): tf.Tensor2D {
  const where = "spmm";
  checkAggregation(where, aggregation);
  if (x.rank !== 2 || x.shape[0] !== csr.columns) {
    throw new ShapeError({ where, expected: `[${csr.columns}, width]`, received: x.shape });
  }
  if (aggregation === "symmetric" && csr.columns < csr.rows) {
    const expected = `at least as many columns as the ${csr.rows} rows, which come first`;
    throw new ShapeError({ where, expected, received: csr.columns });
  }
  return tf.tidy(() => {
    const own = aggregation === "symmetric" ? firstRows(x, csr.rows) : x;
    return aggregate(csr, { sources: x, own }, aggregation);
  });
}

/** @throws ConfigError when there is no such aggregation */
export function checkAggregation(
  where: string,
  aggregation: unknown,
  known: readonly Aggregation[] = AGGREGATIONS,
): void {
  if (known.some((one) => one === aggregation)) return;
  const expected = `aggregate to be ${known.map((one) => `"${one}"`).join(" or ")}`;
  throw new ConfigError({ where, expected, received: aggregation });
}

/** Numbers of those who send and of those who receive: `sources` is `[columns, width]`, `own` `[rows, width]`. */
export interface Ends {
  readonly sources: tf.Tensor2D;
  readonly own: tf.Tensor2D;
}

/** As {@link spmm}, for rows that need not be among the columns; leaves intermediate tensors. */
export function aggregate(graph: Adjacency, { sources, own }: Ends, aggregation: Aggregation): tf.Tensor2D {
  if (aggregation === "sum") return product(graph, sources);
  // Factors of rows and columns, not of entries: two cheap passes instead of a number more an entry.
  if (aggregation === "mean") return tf.mul(product(graph, sources), columnOf(meanFactors(graph)));
  const factors = symmetricFactors(graph);
  const received = product(graph, tf.mul(sources, columnOf(factors.columns)));
  return tf.mul(tf.add(received, tf.mul(own, columnOf(factors.self))), columnOf(factors.rows));
}

function product(graph: Adjacency, x: tf.Tensor2D): tf.Tensor2D {
  return csrProduct(matrixOf(graph), x);
}

/** The graph as tensors. */
export function matrixOf(graph: Adjacency): CsrMatrix {
  const own = tensorsOf(graph);
  const { transposed } = graph;
  if (transposed === undefined) return own;
  return { ...own, transposed: transposed === graph ? own : tensorsOf(transposed) };
}

function tensorsOf({ rows, columns, offsets, neighbors, weights }: CsrArrays): CsrMatrix {
  return {
    rows,
    columns,
    pointers: tf.tensor1d(offsets, "int32"),
    indices: tf.tensor1d(neighbors, "int32"),
    ...(weights === undefined ? {} : { values: tf.tensor1d(weights, "float32") }),
  };
}

function columnOf(values: Float32Array): tf.Tensor2D {
  return tf.tensor2d(values, [values.length, 1], "float32");
}

/** The receivers of a block, which are its first columns. */
export function firstRows(x: tf.Tensor2D, rows: number): tf.Tensor2D {
  return x.shape[0] === rows ? x : tf.slice(x, [0, 0], [rows, -1]);
}
