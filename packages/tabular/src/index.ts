/**
 * Tables for L0-gated learning: CSV, schema, preprocessing, and encoders.
 *
 * @packageDocumentation
 */

export { type Adult, type AdultOptions, loadAdult } from "./adult.ts";
export {
  type CsvFormat,
  type CsvOptions,
  type CsvSource,
  type InferCsvOptions,
  inferCsvSchema,
  readCsv,
} from "./csv.ts";
export { type TableBatch, type TableDatasetOptions, tableDataset } from "./dataset.ts";
export { type FeatureTransformerEncoderOptions, featureTransformerEncoder } from "./feature-transformer-encoder.ts";
export { CategoricalEmbedding, type CategoricalEmbeddingOptions } from "./layers/categorical-embedding.ts";
export { FeatureTokenizer, type FeatureTokenizerOptions } from "./layers/feature-tokenizer.ts";
export { PeriodicEmbedding, type PeriodicEmbeddingOptions } from "./layers/periodic-embedding.ts";
export { PiecewiseLinearEmbedding, type PiecewiseLinearEmbeddingOptions } from "./layers/piecewise-linear-embedding.ts";
export { type MlpEncoderOptions, mlpEncoder } from "./mlp-encoder.ts";
export type { QuantileScaling, Scaling, StandardScaling } from "./numeric-scaling.ts";
export {
  type CategoricalState,
  type NumericState,
  type PreprocessOptions,
  type TableData,
  TablePreprocessor,
  type TablePreprocessorJson,
} from "./preprocess.ts";
export {
  type ColumnKind,
  type ColumnSchema,
  checkSchema,
  columnNames,
  type InferOptions,
  MISSING_TEXTS,
  type TableSchema,
} from "./schema.ts";
export {
  type Column,
  inferSchema,
  type NumericColumn,
  type Origin,
  type Requirement,
  type RowsOptions,
  Table,
  type TableRow,
  type TextColumn,
  tableFromRows,
} from "./table.ts";
export { encoderOptionsFrom, type TableColumns, type TableEncoderOptions } from "./table-encoder.ts";
