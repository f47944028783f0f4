import { DataError, ShapeError } from "../errors.ts";
import { ascendingOrder, forEachTie } from "./order.ts";
import { argmax, checkPredictions, type Predictions, probabilities } from "./predictions.ts";

/**
 * Share of rows whose largest logit is the label's; among equal logits the lowest class counts.
 *
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * accuracy({ logits: Float64Array.of(2, 0, 0, 1), labels: Int32Array.of(0, 0), classes: 2 }); // 0.5
 * ```
 */
export function accuracy(p: Predictions): number {
  const rows = checkPredictions(p, "accuracy");
  const { logits, labels, classes } = p;
  let correct = 0;
  for (let row = 0; row < rows; row++) {
    if (argmax(logits, row * classes, classes) === labels[row]) correct++;
  }
  return correct / rows;
}

/**
 * Rows counted by label and predicted class.
 *
 * @returns `matrix[label][predicted]`, `[classes][classes]`
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * confusionMatrix({ logits: Float64Array.of(2, 0, 0, 1), labels: Int32Array.of(0, 0), classes: 2 }); // [[1, 1], [0, 0]]
 * ```
 */
export function confusionMatrix(p: Predictions): number[][] {
  const rows = checkPredictions(p, "confusionMatrix");
  const { logits, labels, classes } = p;
  const counts = new Uint32Array(classes * classes);
  for (let row = 0; row < rows; row++) {
    const cell = (labels[row] as number) * classes + argmax(logits, row * classes, classes);
    counts[cell] = (counts[cell] as number) + 1;
  }
  return Array.from({ length: classes }, (_, k) => Array.from(counts.subarray(k * classes, (k + 1) * classes)));
}

/**
 * Mean over classes of F1 = 2 TP / (2 TP + FP + FN). As in scikit-learn, the mean is over the classes that occur among the
 * labels or among the predictions: a class that is never predicted counts as 0, a class that occurs nowhere does not count.
 *
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * macroF1({ logits: Float64Array.of(2, 0, 0, 1), labels: Int32Array.of(0, 1), classes: 2 }); // 1
 * ```
 */
export function macroF1(p: Predictions): number {
  checkPredictions(p, "macroF1");
  const matrix = confusionMatrix(p);
  const scores = matrix.flatMap((row, k) => {
    const labelled = row.reduce((sum, count) => sum + count, 0);
    const predicted = matrix.reduce((sum, other) => sum + (other[k] ?? 0), 0);
    // TP + FN and TP + FP
    return labelled + predicted === 0 ? [] : [(2 * (row[k] ?? 0)) / (labelled + predicted)];
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/**
 * Scores that order rows by the probability of class `k`. The difference of logits keeps apart binary rows whose
 * probabilities would both round to 1.
 */
function scoresOf(k: number, p: Predictions, softmax: Float64Array): Float64Array {
  const { logits, labels, classes } = p;
  const scores = new Float64Array(labels.length);
  for (let row = 0; row < scores.length; row++) {
    scores[row] =
      classes === 2
        ? (logits[row * 2 + k] as number) - (logits[row * 2 + 1 - k] as number)
        : (softmax[row * classes + k] as number);
  }
  return scores;
}

/** Mann and Whitney's U over the number of pairs, with midranks for ties. */
function areaUnderCurve(scores: Float64Array, labels: Int32Array, k: number): number {
  const order = ascendingOrder(scores);
  let positives = 0;
  let rankSum = 0;
  forEachTie(scores, order, (from, to) => {
    const midrank = (from + 1 + to) / 2;
    for (let i = from; i < to; i++) {
      if (labels[order[i] as number] === k) {
        positives++;
        rankSum += midrank;
      }
    }
  });
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (labels.length - positives));
}

/**
 * Area under the ROC curve: the probability that a row of the class scores higher than a row of another, ties counting half.
 * With 2 classes it is that of class 1; with more, the mean over classes of one against the rest. A class without rows has
 * no curve and is left out of that mean (scikit-learn refuses such data).
 *
 * @throws ShapeError or DataError when the predictions are malformed
 * @throws DataError when all rows have the same label
 *
 * @example
 * ```ts
 * const logits = Float64Array.of(0, -1, 0, 1, 0, 2);
 * auroc({ logits, labels: Int32Array.of(0, 0, 1), classes: 2 }); // 1
 * ```
 */
export function auroc(p: Predictions): number {
  checkPredictions(p, "auroc");
  const present = [...new Set(p.labels)];
  if (present.length < 2) {
    throw new DataError({
      where: "auroc",
      expected: "rows of at least two classes",
      received: `label ${present.join()} in all ${p.labels.length} rows`,
      hint: "AUROC compares rows of one class with rows of another; take a larger or stratified split",
    });
  }
  if (p.classes === 2) return areaUnderCurve(scoresOf(1, p, new Float64Array()), p.labels, 1);
  const softmax = probabilities(p);
  const sum = present.reduce((total, k) => total + areaUnderCurve(scoresOf(k, p, softmax), p.labels, k), 0);
  return sum / present.length;
}

/**
 * Average precision of class 1: precision at each distinct score, weighted by the recall it adds, without interpolation
 * (scikit-learn's `average_precision_score`). Binary predictions only.
 *
 * @throws ShapeError when there are more than 2 classes, ShapeError or DataError when the predictions are malformed
 * @throws DataError when no row has label 1
 *
 * @example
 * ```ts
 * const logits = Float64Array.of(0, -1, 0, 1, 0, 2);
 * averagePrecision({ logits, labels: Int32Array.of(0, 1, 0), classes: 2 }); // 0.5
 * ```
 */
export function averagePrecision(p: Predictions): number {
  checkPredictions(p, "averagePrecision");
  const { labels, classes } = p;
  if (classes !== 2) {
    throw new ShapeError({ where: "averagePrecision", expected: "2 classes", received: `${classes} classes` });
  }
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0) {
    throw new DataError({ where: "averagePrecision", expected: "a row with label 1", received: "label 0 in all rows" });
  }
  // Ascending in the score of class 0 is descending in that of class 1.
  const scores = scoresOf(0, p, new Float64Array());
  const order = ascendingOrder(scores);
  let found = 0;
  let area = 0;
  forEachTie(scores, order, (from, to) => {
    const before = found;
    for (let i = from; i < to; i++) found += labels[order[i] as number] as number;
    area += ((found - before) / positives) * (found / to);
  });
  return area;
}

/**
 * Mean negative log-likelihood of the labels in nats, by log-sum-exp from the logits: finite for any finite logits.
 *
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * negativeLogLikelihood({ logits: Float64Array.of(0, 0), labels: Int32Array.of(1), classes: 2 }); // 0.693: ln 2
 * ```
 */
export function negativeLogLikelihood(p: Predictions): number {
  const rows = checkPredictions(p, "negativeLogLikelihood");
  const { logits, labels, classes } = p;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    const best = start + argmax(logits, start, classes);
    const highest = logits[best] as number;
    // The largest logit's own term is 1; log1p of the others keeps a confident row's loss from rounding to 0.
    let others = 0;
    for (let i = start; i < start + classes; i++) {
      if (i !== best) others += Math.exp((logits[i] as number) - highest);
    }
    sum += highest - (logits[start + (labels[row] as number)] as number) + Math.log1p(others);
  }
  return sum / rows;
}

/**
 * Brier score: mean over rows of the squared distance between probabilities and the one-hot label, summed over classes
 * (Brier 1950). It lies in [0, 2]; with 2 classes it is twice the score of P(class 1) alone.
 *
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * brierScore({ logits: Float64Array.of(0, 0), labels: Int32Array.of(1), classes: 2 }); // 0.5
 * ```
 */
export function brierScore(p: Predictions): number {
  const rows = checkPredictions(p, "brierScore");
  const { labels, classes } = p;
  const softmax = probabilities(p);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < classes; k++) {
      const gap = (softmax[row * classes + k] as number) - (k === labels[row] ? 1 : 0);
      sum += gap * gap;
    }
  }
  return sum / rows;
}
