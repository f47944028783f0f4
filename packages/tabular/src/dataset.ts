import { DataError, type Dataset, type LabelledBatch, type Random } from "@l0gm/core";
import { checkInteger } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { TableData } from "./preprocess.ts";

/** What the encoders of this package read. */
export interface TableBatch {
  /** float32 `[rows, numericColumns]` */
  readonly numeric: tf.Tensor2D;
  /** int32 `[rows, categoricalColumns]` */
  readonly categorical: tf.Tensor2D;
}

/** Options of {@link tableDataset}. */
export interface TableDatasetOptions {
  /** True for rows to predict: without labels every row gets label 0, so only the logits mean anything. @defaultValue false */
  readonly unlabelled?: boolean;
}

/**
 * Rows as batches. The last batch of a pass may be shorter. A batch's tensors are disposed when the next one is asked for, or the
 * loop is left.
 *
 * @throws DataError when the rows have no labels and `unlabelled` is not set
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/core";
 * const rows = [{ age: 31, class: "a" }, { age: 17, class: "b" }, { age: 25, class: "a" }];
 * const preprocessor = TablePreprocessor.fit(rows, inferSchema(rows, { label: "class" }));
 * const dataset = tableDataset(preprocessor.transform(rows));
 * await useBackend("cpu");
 * for await (const { inputs, labels } of dataset.batches(2)) inputs.numeric.print();
 * ```
 */
export function tableDataset(data: TableData, { unlabelled = false }: TableDatasetOptions = {}): Dataset<TableBatch> {
  const labels = data.labels ?? (unlabelled ? new Int32Array(data.rows) : undefined);
  if (labels === undefined) {
    throw new DataError({
      where: "tableDataset",
      expected: "rows with labels",
      received: "rows without",
      hint: "Set unlabelled to predict rows that have no labels.",
    });
  }
  return {
    rows: data.rows,
    classes: data.classes,
    batches: (batchSize, shuffle) => batches(data, labels, batchSize, shuffle),
  };
}

function* batches(
  data: TableData,
  labels: Int32Array,
  batchSize: number,
  shuffle: Random | undefined,
): Generator<LabelledBatch<TableBatch>, void, undefined> {
  checkInteger("tableDataset", "batchSize", batchSize);
  const order = shuffle?.permutation(data.rows) ?? Int32Array.from({ length: data.rows }, (_, i) => i);
  for (let start = 0; start < data.rows; start += batchSize) {
    const rows = order.subarray(start, start + batchSize);
    const numeric = gather(
      data.numeric,
      data.numericColumns,
      rows,
      new Float32Array(rows.length * data.numericColumns),
    );
    const categorical = gather(
      data.categorical,
      data.categoricalColumns,
      rows,
      new Int32Array(rows.length * data.categoricalColumns),
    );
    const inputs = {
      numeric: tf.tensor2d(numeric, [rows.length, data.numericColumns], "float32"),
      categorical: tf.tensor2d(categorical, [rows.length, data.categoricalColumns], "int32"),
    };
    try {
      yield { inputs, labels: rows.map((row) => labels[row] ?? 0) };
    } finally {
      tf.dispose([inputs.numeric, inputs.categorical]);
    }
  }
}

function gather<T extends Float32Array | Int32Array>(from: T, width: number, rows: Int32Array, to: T): T {
  // Rows are a few numbers wide: a loop copies them faster than views of them would be made.
  for (let i = 0; i < rows.length; i++) {
    const start = (rows[i] ?? 0) * width;
    for (let j = 0; j < width; j++) to[i * width + j] = from[start + j] ?? 0;
  }
  return to;
}
