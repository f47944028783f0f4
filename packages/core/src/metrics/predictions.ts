/** Logits and labels of some rows: what every metric reads. */
export interface Predictions {
  /** Row-major `[n, classes]`, natural-log scale up to a constant a row. */
  readonly logits: Float32Array | Float64Array;
  /** `[n]`, each in [0, classes). */
  readonly labels: Int32Array;
  /** At least 2. */
  readonly classes: number;
}
