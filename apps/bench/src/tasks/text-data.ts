import { createHash } from "node:crypto";
import { access, constants, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, type Dataset, type Encoder, FormatError } from "@l0gm/core";
import {
  bertEncoder,
  bertPrefix,
  type LabelledTexts,
  type LabelledTokens,
  loadTokenizer,
  readTexts,
  type TextBatch,
  type TextColumns,
  TextTokenizer,
  textDataset,
  textMacs,
  tokenize,
  tokenizerFiles,
  transformerEncoder,
} from "@l0gm/text";
import { cacheFeatures, cacheTokens } from "@l0gm/text/node";
import envPaths from "env-paths";
import { z } from "zod";
import { digestFile } from "../data/folders.ts";
import { MODEL_FILES, requireModel } from "../data/models.ts";
import { parseConfig, readJson } from "./config.ts";
import { headPruning } from "./head-pruning.ts";
import { pretrainedSizes } from "./pretrained.ts";
import type { DataIdentity, LoadRequest, NewRows, TaskData, TaskSource } from "./task.ts";
import type { TextConfig } from "./text-config.ts";
import { evenSample, selectTexts } from "./text-samples.ts";

/** Name of the artefact from which `l0gm predict` restores how texts become tokens. */
const TOKENIZER_FILE = "tokenizer.json";

const artefactSchema = z.object({
  tokenizer: z.record(z.string(), z.unknown()),
  config: z.record(z.string(), z.unknown()),
  classes: z.array(z.string()),
});

/** Texts whose batch is timed: a pretrained encoder takes seconds for the hundreds that are timed of tables. */
const TIMED_TEXTS = 16;

const SPLITS = ["train", "validation", "test"] as const;

type Split = (typeof SPLITS)[number];

/** Labelled texts of all splits. */
export interface SplitTexts extends Readonly<Record<Split, LabelledTexts>> {
  /** As in {@link TaskData}. */
  readonly subsets: TaskData<TextBatch>["subsets"];
}

/**
 * Identity of texts together with that of the pretrained model, if there is one.
 *
 * @throws ConfigError when texts may be longer than the model reads
 */
export async function withModel(
  data: DataIdentity,
  { encoder, tokens }: TextConfig,
  { modelDir }: TaskSource,
): Promise<DataIdentity> {
  if (encoder.kind !== "bert") return data;
  const folder = requireModel(encoder.model, modelDir);
  const { positions } = await pretrainedSizes(folder);
  if (tokens.maximumLength > positions) {
    throw new ConfigError({
      where: "tokens.maximumLength",
      expected: `at most ${positions}, the longest text that ${encoder.model} reads`,
      received: tokens.maximumLength,
      hint: `Put {"tokens": {"maximumLength": ${positions}}} into the file of --config.`,
    });
  }
  const hash = createHash("sha256").update(data.checksum);
  for (const name of MODEL_FILES) hash.update(` ${(await digestFile(join(folder, name))).sha256}`);
  return { ...data, checksum: hash.digest("hex") };
}

/** Splits of texts as a run's data. Tokens, and what frozen layers make of them, are kept in the cache folder. */
export async function textData(
  texts: SplitTexts,
  { config, source, onPrepare, signal }: LoadRequest<TextConfig>,
): Promise<TaskData<TextBatch>> {
  const { encoder, width } = config;
  const cache = await cacheFolder();
  const model = encoder.kind === "bert" ? requireModel(encoder.model, source.modelDir) : undefined;
  const files = model === undefined ? ownTokenizer(texts.train.texts, config) : await modelTokenizer(model);
  const tokenizer =
    model === undefined ? new TextTokenizer(...files, config.tokens) : await loadTokenizer(model, config.tokens);
  const makeEncoder = async (seed: number): Promise<Encoder<TextBatch>> => {
    if (encoder.kind === "bert") {
      const { kind: _, model: __, ...options } = encoder;
      return bertEncoder(model as string, { ...options, width, seed });
    }
    const { kind: _, vocabulary: __, ...options } = encoder;
    const { vocabularySize, maximumLength } = tokenizer;
    return transformerEncoder({ ...options, vocabularySize, maximumLength, width, seed });
  };
  // What is wrong with its settings shows before hours of work on the frozen layers.
  (await makeEncoder(0)).dispose();
  const { validation, test, subsets } = sortedByLength(texts);
  const labelled = { train: texts.train, validation, test };
  const tokens = {} as Record<Split, LabelledTokens>;
  for (const split of SPLITS) tokens[split] = await cacheTokens(labelled[split], tokenizer, join(cache, "tokens"));

  const { padToMultipleOf } = config.tokens;
  const frozen = model === undefined ? 0 : frozenLayers(config, (await pretrainedSizes(model)).heads.length);
  const datasets = {} as Record<Split, Dataset<TextBatch>>;
  if (model === undefined || frozen === 0) {
    for (const split of SPLITS) datasets[split] = textDataset(tokens[split], { padToMultipleOf });
  } else {
    const prefix = await bertPrefix(model, frozen);
    try {
      // All at once: however large the validation part is, the texts are the same.
      const features = await cacheFeatures(prefix, joined(SPLITS.map((split) => tokens[split])), {
        directory: join(cache, "features"),
        padToMultipleOf,
        onProgress: (done, rows) => onPrepare?.({ what: "frozen layers", done, rows }),
        ...(signal === undefined ? {} : { signal }),
      });
      let first = 0;
      for (const split of SPLITS) {
        const { length } = tokens[split].sequences;
        const start = first;
        datasets[split] = features.select(Int32Array.from({ length }, (_, row) => start + row));
        first += length;
      }
    } finally {
      prefix.dispose();
    }
  }
  const trainableLayers = encoder.kind === "bert" ? encoder.trainableLayers : undefined;
  const [tokenizerJson, tokenizerConfig] = files;
  return {
    ...datasets,
    macs: (ofModel) => averageMacs(ofModel, tokens.validation),
    timed: textDataset(evenSample(tokens.validation, TIMED_TEXTS), { padToMultipleOf }),
    classes: texts.train.classes,
    subsets,
    subgroups: [],
    encoder: makeEncoder,
    artefacts: {
      [TOKENIZER_FILE]: { tokenizer: tokenizerJson, config: tokenizerConfig, classes: texts.train.classes },
    },
    pruned: {
      heads: (classifier, kept) =>
        headPruning(classifier, kept, tokens.train, { trainableLayers, padToMultipleOf, signal }),
    },
  };
}

/** @throws ConfigError when nothing can be kept there */
async function cacheFolder(): Promise<string> {
  const { cache } = envPaths("l0gm", { suffix: "" });
  try {
    await mkdir(cache, { recursive: true });
    await access(cache, constants.W_OK);
    return cache;
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const hint = "On Linux, XDG_CACHE_HOME names another folder.";
    throw new ConfigError({ where: `cache folder ${cache}`, expected: "one to write to", received, hint }, { cause });
  }
}

function averageMacs(encoder: Encoder<TextBatch>, { sequences }: LabelledTokens): number {
  const sum = sequences.reduce((total, { ids }) => total + textMacs(encoder, ids.length), 0);
  return Math.round(sum / sequences.length);
}

function ownTokenizer(texts: readonly string[], { encoder }: TextConfig): [object, object] {
  return tokenizerFiles(texts, encoder.kind === "transformer" ? encoder.vocabulary : {});
}

async function modelTokenizer(model: string): Promise<[object, object]> {
  const read = async (name: string): Promise<object> => {
    const json = await readJson(join(model, name));
    if (typeof json === "object" && json !== null) return json;
    throw new FormatError({ where: join(model, name), expected: "a JSON object", received: json });
  };
  return [await read("tokenizer.json"), await read("tokenizer_config.json")];
}

/** How many blocks stay as they were loaded. Embeddings alone are not worth a cache: they are looked up. */
function frozenLayers({ encoder }: TextConfig, all: number): number {
  if (encoder.kind !== "bert" || encoder.trainableLayers === undefined) return 0;
  return (encoder.layers ?? all) - encoder.trainableLayers;
}

/**
 * Evaluation takes texts in their order, padded to the longest of a batch; sorted, there is hardly any padding. By their characters, so
 * that the order is the same for every tokenizer and runs can be compared row by row.
 */
function sortedByLength({
  validation,
  test,
  subsets,
}: SplitTexts): Pick<SplitTexts, "validation" | "test" | "subsets"> {
  const order = byLength(test.texts);
  const place = new Int32Array(order.length);
  order.forEach((row, i) => {
    place[row] = i;
  });
  const moved = Object.entries(subsets).map(([name, rows]) => [
    name,
    rows.map((row) => place[row] as number).sort((a, b) => a - b),
  ]);
  return {
    validation: selectTexts(validation, byLength(validation.texts)),
    test: selectTexts(test, order),
    subsets: Object.fromEntries(moved),
  };
}

function byLength(texts: readonly string[]): number[] {
  return Array.from(texts.keys()).sort((a, b) => (texts[a] as string).length - (texts[b] as string).length || a - b);
}

/** Token sequences of several splits, one after another. */
function joined(parts: readonly LabelledTokens[]): LabelledTokens {
  return {
    ...(parts[0] as LabelledTokens),
    sequences: parts.flatMap(({ sequences }) => sequences),
    labels: Int32Array.from(parts.flatMap(({ labels }) => [...labels])),
  };
}

/** Texts of a file for a finished run, in their order. */
export async function newTexts(
  file: string,
  { text }: TextColumns,
  config: TextConfig,
  artefact: (name: string) => Promise<unknown>,
): Promise<NewRows<TextBatch>> {
  const found = parseConfig(artefactSchema, await artefact(TOKENIZER_FILE), TOKENIZER_FILE);
  const tokenizer = new TextTokenizer(found.tokenizer, found.config, config.tokens, TOKENIZER_FILE);
  const texts = await readTexts(file, { text }, found.classes);
  const { padToMultipleOf } = config.tokens;
  return { rows: textDataset(tokenize(texts, tokenizer), { padToMultipleOf }), classes: found.classes };
}
