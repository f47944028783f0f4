import { ConfigError, DataError, stratifiedSplit } from "@l0gm/core";
import { readTexts, type TextBatch } from "@l0gm/text";
import { z } from "zod";
import { identityOfFiles, ownFiles } from "./own-files.ts";
import type { Task, TaskSource } from "./task.ts";
import { textComparators } from "./text-comparators.ts";
import { textConfigs } from "./text-config.ts";
import { newTexts, textData, withModel } from "./text-data.ts";
import { selectTexts } from "./text-samples.ts";

const share = z.number().gt(0).lt(1);

const { config, configFor } = textConfigs(
  {
    epochs: 8,
    pathEpochs: 12,
    batchSize: 32,
    learningRate: 1e-3,
    gateLearningRate: 0.05,
    maximumLength: 256,
    truncation: "head",
    hidden: 64,
    layers: 1,
    dropout: 0.1,
    tokenDropout: 0,
    vocabulary: { size: 16_384, minimumCount: 3 },
  },
  { epochs: 3, learningRate: 1e-4 },
  {
    data: z
      .strictObject({
        text: z.string().optional().describe("the column of the texts; --text says it too"),
        label: z.string().optional().describe("the column to predict; --label says it too"),
        test: share.default(0.2).describe("share of the rows that becomes test rows, without a test file"),
        validation: share.default(0.15).describe("share of the other rows that becomes validation rows"),
      })
      .prefault({}),
  },
);

type OwnTextConfig = z.output<typeof config>;

/** Texts of the user's own. */
export const ownText: Task<TextBatch, OwnTextConfig> = {
  name: "text",
  config,
  configFor,
  splits: ["stratified"],
  comparators: textComparators(),
  async identify(source, settings) {
    columnsOf(settings);
    const files = filesOf(source).filter((file) => file !== undefined);
    return withModel(await identityOfFiles(files), settings, source);
  },
  async load(request) {
    const { config: settings, source, seed } = request;
    const { data } = settings;
    const columns = columnsOf(settings);
    const [file, testFile] = filesOf(source);
    const all = await readTexts(file, columns);
    const shares = testFile === undefined ? [data.validation * (1 - data.test), data.test] : [data.validation];
    const [train, validation, held] = stratifiedSplit(all.labels, shares, seed).map((rows) => selectTexts(all, rows));
    const test = testFile === undefined ? held : await readTexts(testFile, columns, all.classes);
    if (train === undefined || !validation?.texts.length || !test?.texts.length) {
      const expected = "enough rows of each class for training, validation and test";
      throw new DataError({ where: file, expected, received: `${all.texts.length} rows` });
    }
    return textData({ train, validation, test, subsets: {} }, request);
  },
  newRows: (file, settings, artefact) => newTexts(file, columnsOf(settings), settings, artefact),
};

function columnsOf({ data: { text, label } }: OwnTextConfig): { text: string; label: string } {
  if (text !== undefined && label !== undefined) return { text, label };
  throw new ConfigError({
    where: "text",
    expected: "--text COLUMN and --label COLUMN, what is read and what is predicted",
    received: `text ${text ?? "not said"}, label ${label ?? "not said"}`,
  });
}

function filesOf(source: TaskSource): readonly [file: string, testFile?: string] {
  return ownFiles("text", "FILE (csv, jsonl or parquet)", source);
}
