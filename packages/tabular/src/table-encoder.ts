import { ConfigError, ShapeError } from "@l0gm/core";
import { checkInteger, type ModuleEncoderOptions, type Trunk } from "@l0gm/core/modules";
import type { TableBatch } from "./dataset.ts";
import type { TablePreprocessor } from "./preprocess.ts";

/** The columns that an encoder reads. */
export interface TableColumns {
  /** Numeric columns of a batch. */
  readonly numeric: number;
  /** Number of indices of each categorical column. */
  readonly cardinalities: readonly number[];
  /** For each numeric column the ascending borders of its bins; needed by the piecewise-linear embedding alone. */
  readonly binEdges?: readonly (readonly number[])[];
}

/** What all encoders of this package take. */
export interface TableEncoderOptions extends ModuleEncoderOptions {
  /** The columns to read, as {@link encoderOptionsFrom} tells them. */
  readonly data: TableColumns;
}

/**
 * The part of an encoder's options that follows from the data.
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/core";
 * await useBackend("cpu");
 * const rows = [{ age: 31, town: "Ghent", class: "a" }, { age: 17, town: "Lyon", class: "b" }];
 * const preprocessor = TablePreprocessor.fit(rows, inferSchema(rows, { label: "class" }));
 * const encoder = mlpEncoder({ ...encoderOptionsFrom(preprocessor), width: 32 });
 * console.log(encoder.width); // 32
 * ```
 */
export function encoderOptionsFrom(preprocessor: TablePreprocessor): Pick<TableEncoderOptions, "data"> {
  const { numericNames, cardinalities, binEdges } = preprocessor;
  return { data: { numeric: numericNames.length, cardinalities, binEdges } };
}

/** @throws ConfigError when the columns are not told as they should be */
export function checkColumns(where: string, data: TableColumns | undefined): void {
  if (data === undefined || !Array.isArray(data.cardinalities)) {
    const hint = "Take it from encoderOptionsFrom(preprocessor).";
    throw new ConfigError({ where, expected: "data with numeric and cardinalities", received: data, hint });
  }
  checkInteger(where, "data.numeric", data.numeric, 0);
  for (const cardinality of data.cardinalities) checkInteger(where, "every cardinality", cardinality);
  if (data.numeric + data.cardinalities.length === 0) {
    throw new ConfigError({ where, expected: "at least one column", received: "none" });
  }
}

/** A trunk that reads batches of exactly the columns that were told. */
export function checkedTrunk(kind: string, data: TableColumns, trunk: Trunk<TableBatch>): Trunk<TableBatch> {
  const { numeric, cardinalities } = data;
  return {
    width: trunk.width,
    apply(batch, context) {
      for (const [name, expected] of [
        ["numeric", numeric],
        ["categorical", cardinalities.length],
      ] as const) {
        const { shape } = batch[name];
        if (shape.length === 2 && shape[1] === expected) continue;
        throw new ShapeError({ where: kind, expected: `${name} [rows, ${expected}]`, received: shape });
      }
      return trunk.apply(batch, context);
    },
  };
}
