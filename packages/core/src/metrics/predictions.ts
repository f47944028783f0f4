import { DataError, ShapeError } from "../errors.ts";

/** Logits and labels of some rows: what every metric reads. */
export interface Predictions {
  /** Row-major `[n, classes]`, natural-log scale up to a constant a row. */
  readonly logits: Float32Array | Float64Array;
  /** `[n]`, each in [0, classes). */
  readonly labels: Int32Array;
  /** At least 2. */
  readonly classes: number;
}

/** The most probable class of every row, with its probability. */
export interface TopLabels {
  /** `[n]`; the lowest index among equals. */
  readonly predicted: Int32Array;
  /** `[n]`, the probability of the predicted class. */
  readonly confidence: Float64Array;
  /** `[n]`, 1 where the predicted class is the label, else 0. */
  readonly correct: Uint8Array;
}

/**
 * Refuses predictions that a metric would turn into a meaningless number. Every metric calls it first.
 *
 * @param where - the metric's name, shown in the error
 * @returns the number of rows
 * @throws ShapeError when there are fewer than 2 classes, or the lengths of logits and labels disagree
 * @throws DataError when there are no rows, a label is outside [0, classes), or a logit is NaN or infinite
 */
export function checkPredictions(p: Predictions, where: string): number {
  const { logits, labels, classes } = p;
  const rows = labels.length;
  if (!Number.isInteger(classes) || classes < 2) {
    throw new ShapeError({ where, expected: "classes to be an integer of at least 2", received: classes });
  }
  if (logits.length !== rows * classes) {
    throw new ShapeError({
      where,
      expected: `${rows} x ${classes} = ${rows * classes} logits, one for each of ${rows} labels and ${classes} classes`,
      received: `${logits.length} logits`,
      hint: "pass the logits row by row, [n, classes], flattened",
    });
  }
  if (rows === 0) throw new DataError({ where, expected: "at least one row", received: "0 rows" });
  for (let row = 0; row < rows; row++) {
    const label = labels[row] as number;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new DataError({
        where,
        expected: `labels that are integers from 0 to ${classes - 1}`,
        received: `${label} in row ${row}`,
      });
    }
  }
  for (let i = 0; i < logits.length; i++) {
    if (!Number.isFinite(logits[i])) {
      const row = Math.floor(i / classes);
      throw new DataError({
        where,
        expected: "finite logits",
        received: `${logits[i]} in row ${row}, class ${i - row * classes}`,
        hint: "a model that diverged in training gives such logits",
      });
    }
  }
  return rows;
}

/** Index in [0, classes) of the largest logit of the row that begins at `start`; the lowest index among equals. */
export function argmax(logits: Float32Array | Float64Array, start: number, classes: number): number {
  let best = 0;
  for (let k = 1; k < classes; k++) {
    if ((logits[start + k] as number) > (logits[start + best] as number)) best = k;
  }
  return best;
}

/**
 * Class probabilities by softmax, in Float64.
 *
 * @returns row-major `[n, classes]`; every row adds up to 1
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * const p = { logits: Float64Array.of(0, Math.log(3)), labels: Int32Array.of(1), classes: 2 };
 * console.log(...probabilities(p)); // 0.25 0.75
 * ```
 */
export function probabilities(p: Predictions): Float64Array {
  checkPredictions(p, "probabilities");
  const { logits, classes } = p;
  const out = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const highest = logits[start + argmax(logits, start, classes)] as number;
    let sum = 0;
    for (let i = start; i < start + classes; i++) {
      const weight = Math.exp((logits[i] as number) - highest);
      out[i] = weight;
      sum += weight;
    }
    for (let i = start; i < start + classes; i++) out[i] = (out[i] as number) / sum;
  }
  return out;
}

/** Predicted class, its probability, and whether it is the label, for predictions that were checked before. */
export function topLabels(p: Predictions): TopLabels {
  const { logits, labels, classes } = p;
  const rows = labels.length;
  const predicted = new Int32Array(rows);
  const confidence = new Float64Array(rows);
  const correct = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    const best = argmax(logits, start, classes);
    const highest = logits[start + best] as number;
    let sum = 0;
    for (let i = start; i < start + classes; i++) sum += Math.exp((logits[i] as number) - highest);
    predicted[row] = best;
    confidence[row] = 1 / sum;
    correct[row] = best === labels[row] ? 1 : 0;
  }
  return { predicted, confidence, correct };
}
