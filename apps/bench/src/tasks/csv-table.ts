import { ConfigError, DataError, stratifiedSplit } from "@l0gm/core";
import { type ColumnSchema, inferCsvSchema, readCsv, type TableBatch } from "@l0gm/tabular";
import { z } from "zod";
import { identityOfFiles, ownFiles } from "./own-files.ts";
import { tableConfig } from "./table-config.ts";
import { newTableRows, tableData } from "./table-data.ts";
import type { Task, TaskSource } from "./task.ts";

const share = z.number().gt(0).lt(1);
const kind = z.enum(["numeric", "categorical", "ignore"]);

const config = tableConfig.extend({
  data: z
    .strictObject({
      label: z.string().optional().describe("the column to predict; --label says it too"),
      columns: z
        .record(z.string(), z.union([kind, z.strictObject({ kind, complete: z.boolean().optional() })]))
        .default({})
        .describe("kinds of columns where the values mislead; complete: a missing number is an error"),
      missing: z.array(z.string()).optional().describe("texts that stand for a missing value"),
      delimiter: z.string().length(1).default(","),
      test: share.default(0.2).describe("share of the rows that becomes test rows, without a test file"),
      validation: share.default(0.15).describe("share of the other rows that becomes validation rows"),
    })
    .prefault({}),
});

/** A table of the user's own. */
export const csvTable: Task<TableBatch, z.output<typeof config>> = {
  name: "tabular",
  config,
  splits: ["stratified"],
  async identify(source, { data }) {
    const files = filesOf(source).filter((file) => file !== undefined);
    labelOf(data.label);
    return identityOfFiles(files);
  },
  async load({ config, source, seed }) {
    const { columns, missing, delimiter, ...data } = config.data;
    const [file, testFile] = filesOf(source);
    const label = labelOf(data.label);
    const schema = await inferCsvSchema(file, {
      label,
      delimiter,
      overrides: columns as Readonly<Record<string, Omit<ColumnSchema, "name">>>,
      ...(missing === undefined ? {} : { missing }),
    });
    const table = await readCsv(file, schema, { delimiter });
    const shares = testFile === undefined ? [data.validation * (1 - data.test), data.test] : [data.validation];
    const [train, validation, held] = stratifiedSplit(table.text(label).codes, shares, seed);
    if (train === undefined || validation === undefined || validation.length === 0 || held?.length === 0) {
      throw new DataError({
        where: file,
        expected: "enough rows of each class for training, validation and test",
        received: `${table.rows} rows`,
      });
    }
    return tableData({
      config,
      schema,
      train: table.select(train),
      validation: table.select(validation),
      test: testFile === undefined ? table.select(held ?? []) : await readCsv(testFile, schema, { delimiter }),
      subsets: {},
      subgroups: [],
    });
  },
  newRows: (file, { data: { delimiter } }, artefact) => newTableRows(file, { delimiter }, artefact),
};

function filesOf(source: TaskSource): readonly [file: string, testFile?: string] {
  return ownFiles("tabular", "FILE.csv", source);
}

function labelOf(label: string | undefined): string {
  if (label !== undefined) return label;
  throw new ConfigError({ where: "tabular", expected: "--label COLUMN, the column to predict", received: "none" });
}
