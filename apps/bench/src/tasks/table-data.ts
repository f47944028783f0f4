import type { Encoder } from "@l0gm/core";
import {
  type CsvFormat,
  encoderOptionsFrom,
  featureTransformerEncoder,
  mlpEncoder,
  readCsv,
  type Table,
  type TableBatch,
  TablePreprocessor,
  type TableSchema,
  tableDataset,
} from "@l0gm/tabular";
import type { TableConfig } from "./table-config.ts";
import type { NewRows, TaskData } from "./task.ts";

/** Name of the artefact from which `l0gm predict` restores the preprocessing. */
const PREPROCESSOR_FILE = "preprocessor.json";

/** Three tables and what else a task knows of them, as a run's data. Everything is fitted on the training rows. */
export function tableData(parts: {
  readonly config: TableConfig;
  readonly schema: TableSchema;
  readonly train: Table;
  readonly validation: Table;
  readonly test: Table;
  readonly subsets: TaskData<TableBatch>["subsets"];
  readonly subgroups: TaskData<TableBatch>["subgroups"];
}): TaskData<TableBatch> {
  const { config, schema, subsets, subgroups } = parts;
  const preprocessor = TablePreprocessor.fit(parts.train, schema, config.preprocess);
  const dataset = (table: Table) => tableDataset(preprocessor.transform(table));
  return {
    train: dataset(parts.train),
    validation: dataset(parts.validation),
    test: dataset(parts.test),
    classes: preprocessor.classes,
    subsets,
    subgroups,
    encoder: (seed) => makeEncoder(preprocessor, config, seed),
    artefacts: { [PREPROCESSOR_FILE]: preprocessor.toJSON() },
  };
}

function makeEncoder(preprocessor: TablePreprocessor, config: TableConfig, seed: number): Encoder<TableBatch> {
  const { encoder } = config;
  const common = { ...encoderOptionsFrom(preprocessor), width: config.width, seed };
  switch (encoder.kind) {
    case "mlp":
      return mlpEncoder({ ...withoutKind(encoder), ...common });
    case "feature-transformer":
      return featureTransformerEncoder({ ...withoutKind(encoder), ...common });
  }
}

function withoutKind<T extends { kind: string }>({ kind: _, ...settings }: T): Omit<T, "kind"> {
  return settings;
}

/** Rows of a file with a header line, prepared by a run's preprocessor. A label column may be there and is not read. */
export async function newTableRows(
  file: string,
  format: CsvFormat,
  artefact: (name: string) => Promise<unknown>,
): Promise<NewRows<TableBatch>> {
  const preprocessor = TablePreprocessor.fromJSON(await artefact(PREPROCESSOR_FILE));
  const { columns, missing } = preprocessor.schema;
  const features = columns.filter(({ kind }) => kind !== "label");
  const table = await readCsv(file, { columns: features, missing }, format);
  return {
    rows: tableDataset(preprocessor.transform(table), { unlabelled: true }),
    classes: preprocessor.classes,
  };
}
