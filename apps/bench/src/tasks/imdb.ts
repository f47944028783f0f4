import { ConfigError } from "@l0gm/core";
import { loadImdb, type TextBatch } from "@l0gm/text";
import { z } from "zod";
import { dataSet, requireFolder } from "../data/folders.ts";
import type { Task } from "./task.ts";
import { textComparators } from "./text-comparators.ts";
import { textConfigs } from "./text-config.ts";
import { newTexts, textData, withModel } from "./text-data.ts";

const { config, configFor } = textConfigs(
  {
    epochs: 2,
    pathEpochs: 12,
    batchSize: 32,
    learningRate: 5e-4,
    gateLearningRate: 0.05,
    maximumLength: 256,
    truncation: "head-and-tail",
    hidden: 64,
    layers: 1,
    dropout: 0.3,
    // Without it, a small network knows the training reviews by heart after one epoch.
    tokenDropout: 0.5,
    vocabulary: { size: 8192, minimumCount: 5 },
  },
  { epochs: 2, learningRate: 1e-4 },
  {
    data: z
      .strictObject({
        validation: z.number().gt(0).lt(1).default(0.1).describe("share of the training half that becomes validation"),
      })
      .prefault({}),
  },
);

/** IMDB (the Large Movie Review Dataset): whether a review likes its film; official halves. */
export const imdb: Task<TextBatch, z.output<typeof config>> = {
  name: "imdb",
  config,
  configFor,
  splits: ["official"],
  comparators: textComparators(),
  async identify(source, settings) {
    const own = source.file ?? source.testFile;
    if (own !== undefined) {
      const hint = "for texts of your own: l0gm run text --data FILE --text COLUMN --label COLUMN";
      throw new ConfigError({ where: "imdb", expected: "no --data and no --test", received: own, hint });
    }
    const { checksum } = await loadImdb(requireFolder(dataSet("imdb"), source.dataDir));
    return withModel({ name: "imdb", checksum }, settings, source);
  },
  async load(request) {
    const { config: settings, source, seed } = request;
    const folder = requireFolder(dataSet("imdb"), source.dataDir);
    const { train, validation, test, testRowsAlsoInTrain } = await loadImdb(folder, { ...settings.data, seed });
    const repeated = new Set(testRowsAlsoInTrain);
    const others = Array.from(test.texts.keys()).filter((row) => !repeated.has(row));
    const subsets = { "without the test reviews that repeat training reviews": others };
    return textData({ train, validation, test, subsets }, request);
  },
  newRows: (file, settings, artefact) => newTexts(file, { text: "text" }, settings, artefact),
};
