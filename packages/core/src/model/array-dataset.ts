import * as tf from "@tensorflow/tfjs-core";
import { DataError, ShapeError } from "../errors.ts";
import { checkInteger } from "../modules/checks.ts";
import type { Random } from "../random.ts";
import type { Dataset, LabelledBatch } from "./encoder.ts";

/**
 * Rows of numbers in host memory as a dataset of `[rows, columns]` tensors.
 *
 * @param values - row-major, `labels.length` rows of equal length
 * @param labels - `[rows]`, each in [0, classes)
 * @throws ShapeError when the values do not divide into as many rows as there are labels
 * @throws DataError when there are no rows or a label is out of range
 *
 * @example
 * ```ts
 * const xor = arrayDataset(Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), Int32Array.of(0, 1, 1, 0), 2);
 * console.log(xor.rows); // 4
 * ```
 */
export function arrayDataset(values: Float32Array, labels: Int32Array, classes: number): Dataset<tf.Tensor2D> {
  const where = "arrayDataset";
  const rows = labels.length;
  const columns = values.length / rows;
  if (rows === 0) throw new DataError({ where, expected: "at least one row", received: 0 });
  if (!Number.isInteger(columns) || columns === 0) {
    throw new ShapeError({ where, expected: `${rows} rows of equal length`, received: `${values.length} values` });
  }
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong >= 0) {
    throw new DataError({
      where: `${where}, row ${wrong}`,
      expected: `a label from 0 to ${classes - 1}`,
      received: labels[wrong],
    });
  }
  return {
    rows,
    classes,
    *batches(batchSize: number, shuffle?: Random): Generator<LabelledBatch<tf.Tensor2D>> {
      checkInteger(where, "batchSize", batchSize);
      const order = shuffle?.permutation(rows) ?? Int32Array.from(labels.keys());
      for (let start = 0; start < rows; start += batchSize) {
        const chosen = order.subarray(start, start + batchSize);
        const batch = new Float32Array(chosen.length * columns);
        chosen.forEach((row, i) => {
          batch.set(values.subarray(row * columns, (row + 1) * columns), i * columns);
        });
        const inputs = tf.tensor2d(batch, [chosen.length, columns]);
        try {
          yield { inputs, labels: Int32Array.from(chosen, (row) => labels[row] ?? 0) };
        } finally {
          inputs.dispose();
        }
      }
    },
  };
}
