import fc from "fast-check";
import type { Predictions } from "../../src/metrics/predictions.ts";

/** Small predictions with 2 to 4 classes; whole logits, drawn often, give ties. */
export const arbitraryPredictions: fc.Arbitrary<Predictions> = fc
  .record({ classes: fc.integer({ min: 2, max: 4 }), rows: fc.integer({ min: 1, max: 40 }) })
  .chain(({ classes, rows }) =>
    fc.record({
      classes: fc.constant(classes),
      logits: fc
        .array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -30, max: 30, noNaN: true })), {
          minLength: rows * classes,
          maxLength: rows * classes,
        })
        .map((logits) => Float64Array.from(logits)),
      labels: fc
        .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: rows, maxLength: rows })
        .map((labels) => Int32Array.from(labels)),
    }),
  );

/** The same rows in the order given. */
export function reordered({ logits, labels, classes }: Predictions, order: Int32Array): Predictions {
  return {
    logits: Float64Array.from(
      [...order].flatMap((row) => Array.from(logits.slice(row * classes, (row + 1) * classes))),
    ),
    labels: Int32Array.from(order, (row) => labels[row] ?? -1),
    classes,
  };
}

/** A row of logits a label, with given probabilities of class 1. */
export function binaryPredictions(probabilities: readonly number[], labels: readonly number[]): Predictions {
  return {
    logits: Float64Array.from(probabilities.flatMap((q) => [Math.log(1 - q), Math.log(q)])),
    labels: Int32Array.from(labels),
    classes: 2,
  };
}
