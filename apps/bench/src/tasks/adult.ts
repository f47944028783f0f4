import { createHash } from "node:crypto";
import { ConfigError } from "@l0gm/core";
import { loadAdult, type Table, type TableBatch } from "@l0gm/tabular";
import { z } from "zod";
import { dataSet, digestFile, filePath, requireFolder } from "../data/folders.ts";
import { tableConfig } from "./table-config.ts";
import { newTableRows, tableData } from "./table-data.ts";
import type { Subgroup, Task } from "./task.ts";

const config = tableConfig.extend({
  data: z
    .strictObject({
      validation: z.number().gt(0).lt(1).default(0.15).describe("share of adult.data that becomes validation rows"),
      withoutWeight: z.boolean().default(false).describe("leaves out fnlwgt, a survey weight"),
    })
    .prefault({}),
});

/** Columns by whose values the test rows are grouped. */
const GROUPED = ["sex", "race"];

/** Adult (Census Income): whether a person earns more than 50,000 dollars a year; official split. */
export const adult: Task<TableBatch, z.output<typeof config>> = {
  name: "adult",
  config,
  splits: ["official"],
  async identify({ dataDir, file, testFile }, { data }) {
    const own = file ?? testFile;
    if (own !== undefined) {
      throw new ConfigError({
        where: "adult",
        expected: "no --data and no --test",
        received: own,
        hint: "for a file of your own: l0gm run tabular --data FILE --label COLUMN",
      });
    }
    const set = dataSet("adult");
    const folder = requireFolder(set, dataDir);
    const hash = createHash("sha256");
    for (const each of set.files) {
      const { sha256 } = await digestFile(filePath(folder, each) ?? "");
      hash.update(`${each.name} ${sha256}\n`);
    }
    // Another name keeps results without the column apart in every table.
    return { name: data.withoutWeight ? "adult without fnlwgt" : "adult", checksum: hash.digest("hex") };
  },
  async load({ config, source, seed }) {
    const folder = requireFolder(dataSet("adult"), source.dataDir);
    const { schema, train, validation, test, testRowsAlsoInTrain } = await loadAdult(folder, { ...config.data, seed });
    const repeated = new Set(testRowsAlsoInTrain);
    const others = Array.from({ length: test.rows }, (_, row) => row).filter((row) => !repeated.has(row));
    return tableData({
      config,
      schema,
      train,
      validation,
      test,
      subsets: { "without the test rows that repeat training rows": others },
      subgroups: GROUPED.flatMap((column) => subgroupsBy(test, column)),
    });
  },
  newRows: (file, _config, artefact) => newTableRows(file, {}, artefact),
};

function subgroupsBy(table: Table, column: string): Subgroup[] {
  const rows = new Map<string, number[]>();
  table.strings(column).forEach((value = "missing", row) => {
    const members = rows.get(value);
    if (members === undefined) rows.set(value, [row]);
    else members.push(row);
  });
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([value, members]) => ({ column, value, rows: members }));
}
