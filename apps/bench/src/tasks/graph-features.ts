import type { Csr, NodeGraph } from "@l0gm/graph";

/** What the columns of features are shifted and scaled by. */
export interface FeatureScale {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}

/** Means and inverse deviations of each column over some nodes; a column that does not vary there keeps its scale. */
export function scaleOf(features: Float32Array, columns: number, nodes: Int32Array): FeatureScale {
  const mean = new Float64Array(columns);
  const square = new Float64Array(columns);
  for (const node of nodes) {
    for (let j = 0; j < columns; j++) mean[j] = (mean[j] as number) + (features[node * columns + j] as number);
  }
  for (let j = 0; j < columns; j++) mean[j] = (mean[j] as number) / nodes.length;
  for (const node of nodes) {
    for (let j = 0; j < columns; j++) {
      square[j] = (square[j] as number) + ((features[node * columns + j] as number) - (mean[j] as number)) ** 2;
    }
  }
  const scale = Array.from(square, (sum) => {
    const deviation = Math.sqrt(sum / nodes.length);
    return deviation > 1e-6 ? 1 / deviation : 1;
  });
  return { mean: Array.from(mean), scale };
}

/** Changes the features in place: at the size of ogbn-products a copy is a gigabyte. */
export function applyScale(features: Float32Array, columns: number, { mean, scale }: FeatureScale): void {
  for (let at = 0, j = 0; at < features.length; at++, j = j + 1 === columns ? 0 : j + 1) {
    features[at] = ((features[at] as number) - (mean[j] as number)) * (scale[j] as number);
  }
}

/** Divides each node's features by the sum of their sizes, in place. */
export function normaliseRows(features: Float32Array, columns: number): void {
  for (let start = 0; start < features.length; start += columns) {
    const row = features.subarray(start, start + columns);
    const sum = row.reduce((total, value) => total + Math.abs(value), 0);
    if (sum > 0)
      row.forEach((value, j) => {
        row[j] = value / sum;
      });
  }
}

/** The features after each node took the mean over itself and its neighbours, some times. */
export function averagedFeatures({ csr, features, columns }: NodeGraph, times: number): Float32Array {
  let from = features;
  for (let time = 0; time < times; time++) from = averagedOnce(csr, from, columns);
  return from;
}

function averagedOnce({ rows, offsets, neighbors }: Csr, from: Float32Array, columns: number): Float32Array {
  const to = from.slice();
  for (let node = 0; node < rows; node++) {
    const start = offsets[node] as number;
    const end = offsets[node + 1] as number;
    const own = node * columns;
    for (let e = start; e < end; e++) {
      const other = (neighbors[e] as number) * columns;
      for (let j = 0; j < columns; j++) to[own + j] = (to[own + j] as number) + (from[other + j] as number);
    }
    for (let j = 0; j < columns; j++) to[own + j] = (to[own + j] as number) / (end - start + 1);
  }
  return to;
}
