import {
  ConfigError,
  type EncodeContext,
  type Encoder,
  EVALUATION,
  type FileHandler,
  type NamedVariable,
  registerEncoder,
  sha256,
} from "@l0gm/core";
import {
  checkInteger,
  type EncoderKind,
  type Fill,
  type ModuleEncoderOptions,
  ModuleWeights,
  moduleEncoder,
  zeros,
} from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import { type BertArchitecture, parseArchitecture } from "./architecture.ts";
import { checkTokens, type HiddenBatch, type TextBatch, type TokenBatch, type TokenLimits } from "./batch.ts";
import { BertParts } from "./bert-layers.ts";
import { checkPooling, POOLINGS, type Pooling, pool } from "./pooling.ts";
import { CONFIG_FILE, type ModelFiles, ModelSource } from "./source.ts";
import { assignBertWeights, WEIGHTS_FILE, writeBertWeights } from "./weights.ts";

/** How one vector is made of a text's: see {@link Pooling}, or by BERT's own pooler, which not every model has. */
export type BertPooling = Pooling | "pooler";

/** Options of {@link bertEncoder}. */
export interface BertEncoderOptions extends ModuleEncoderOptions {
  /** @defaultValue "mean" */
  readonly pooling?: BertPooling;
  /** Blocks that are used, from the first on. @defaultValue all */
  readonly layers?: number;
  /**
   * Blocks that are trained, from the last one back; the ones before them, and the embeddings, stay as they were loaded, without
   * dropout, so that what they make of a text can be computed once. @defaultValue all, and the embeddings
   */
  readonly trainableLayers?: number;
  /**
   * Layer-wise decay of the learning rate (Howard and Ruder 2018): a block's rate is that of the block above it times this, so that what was
   * learnt first changes least. @defaultValue 1
   */
  readonly layerDecay?: number;
}

/** What a BERT encoder is rebuilt from. */
export interface BertConfig extends BertEncoderOptions {
  readonly architecture: BertArchitecture;
}

export const KIND = "text/bert";

/** Blocks that are used, and how many of them are frozen; -1 when the embeddings are trained, too. */
function depths({
  architecture,
  layers = architecture.layers,
  trainableLayers,
}: BertConfig): [layers: number, frozen: number] {
  checkInteger(KIND, "layers", layers);
  if (layers > architecture.layers) {
    throw new ConfigError({ where: KIND, expected: `layers to be at most ${architecture.layers}`, received: layers });
  }
  if (trainableLayers === undefined) return [layers, -1];
  checkInteger(KIND, "trainableLayers", trainableLayers, 0);
  if (trainableLayers > layers) {
    throw new ConfigError({
      where: KIND,
      expected: `trainableLayers to be at most ${layers}`,
      received: trainableLayers,
    });
  }
  return [layers, layers - trainableLayers];
}

function limitsOf({ vocabularySize, positions, types }: BertArchitecture): TokenLimits {
  return { vocabularySize, maximumLength: positions, types };
}

type Prefix = (batch: TokenBatch) => tf.Tensor3D;

/** Embeddings and blocks that no gradient reaches. */
function frozenPrefix(parts: BertParts, blocks: number, fill: Fill): Prefix {
  const options = { fill, trainable: false, rate: 0 };
  const embed = parts.embeddings(options);
  const layers = Array.from({ length: blocks }, (_, i) => parts.layer(i, options));
  return (batch) =>
    layers.reduce((x, layer, i) => layer(x, batch.mask, EVALUATION, batch.headMasks?.[i]), embed(batch, EVALUATION));
}

function isHidden(batch: TextBatch): batch is HiddenBatch {
  return "hidden" in batch;
}

const BERT: EncoderKind<TextBatch, BertConfig> = {
  kind: KIND,
  trunk(weights, config) {
    const { architecture, pooling = "mean" } = config;
    checkPooling(KIND, pooling, [...POOLINGS, "pooler"]);
    const [layers, frozen] = depths(config);
    const limits = limitsOf(architecture);
    const parts = new BertParts(weights, architecture);
    const { layerDecay = 1 } = config;
    if (!(layerDecay > 0 && layerDecay <= 1)) {
      throw new ConfigError({ where: KIND, expected: "layerDecay above 0 and at most 1", received: layerDecay });
    }
    /** @param below - blocks between this part and the last one, that one included */
    const trained = (below: number) => ({ fill: zeros, trainable: true, rate: layerDecay ** below });
    const prefix = frozen < 0 ? undefined : frozenPrefix(parts, frozen, zeros);
    const embed = prefix === undefined ? parts.embeddings(trained(layers)) : undefined;
    const first = Math.max(frozen, 0);
    const rest = Array.from({ length: layers - first }, (_, i) =>
      parts.layer(first + i, trained(layers - 1 - first - i)),
    );
    const pooler = pooling === "pooler" ? parts.pooler(trained(0)) : undefined;
    const start = (batch: TextBatch, context: EncodeContext): tf.Tensor3D => {
      if (isHidden(batch)) {
        if (batch.layers === frozen) return batch.hidden;
        const expected = frozen < 0 ? "token ids, since no layer is frozen" : `what the first ${frozen} layers make`;
        throw new ConfigError({ where: KIND, expected, received: `what ${batch.layers} layers have made` });
      }
      checkTokens(batch, KIND, limits);
      return embed?.(batch, context) ?? (prefix as Prefix)(batch);
    };
    return {
      width: architecture.hidden,
      apply(batch, context) {
        const masks = isHidden(batch) ? undefined : batch.headMasks;
        const y = rest.reduce(
          (x, layer, i) => layer(x, batch.mask, context, masks?.[first + i]),
          start(batch, context),
        );
        if (pooler !== undefined) return pooler(pool(y, batch.mask, "cls"));
        return pool(y, batch.mask, pooling as Pooling);
      },
    };
  },
};

async function readModel(source: ModelSource): Promise<{ architecture: BertArchitecture; bytes: Uint8Array }> {
  const [config, bytes] = await Promise.all([source.json(CONFIG_FILE), source.bytes(WEIGHTS_FILE)]);
  return { architecture: parseArchitecture(config, source.pathOf(CONFIG_FILE)), bytes };
}

/**
 * A pretrained BERT encoder (Devlin et al. 2019) in the Hugging Face format, with a pooled embedding and the linear projection that makes
 * the representation `[rows, width]` of it. Weights may be F32, F16 or BF16; they are computed with, and trained, in float32.
 *
 * @param files - the folder with `config.json` and `model.safetensors`, or anything that reads them
 * @throws FormatError when a file is absent or damaged, the architecture is another, or the weights lack what the pooling needs
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * declare const folder: string;
 * const encoder = await bertEncoder(folder, { trainableLayers: 2, width: 128 });
 * const tokenizer = await loadTokenizer(folder, { maximumLength: 256 });
 * ```
 */
export async function bertEncoder(files: ModelFiles, options: BertEncoderOptions = {}): Promise<Encoder<TextBatch>> {
  const source = new ModelSource(files);
  const { architecture, bytes } = await readModel(source);
  const encoder = moduleEncoder(BERT, { architecture, ...options });
  try {
    assignBertWeights(variablesOf(encoder), bytes, source.pathOf(WEIGHTS_FILE));
    return encoder;
  } catch (error) {
    encoder.dispose();
    throw error;
  }
}

/** @throws ConfigError when the encoder was not made by {@link bertEncoder} */
export function configOf(encoder: Encoder<TextBatch>, where: string): BertConfig {
  const description = encoder.describe?.();
  if (description?.kind === KIND) return description.config as BertConfig;
  throw new ConfigError({ where, expected: "an encoder of bertEncoder", received: description?.kind });
}

export function variablesOf(encoder: Encoder<TextBatch>): NamedVariable[] {
  return [...encoder.parameters, ...(encoder.buffers ?? [])];
}

/** The frozen part of a pretrained encoder, alone. */
export interface BertPrefix {
  /** Blocks. */
  readonly layers: number;
  /** SHA-256, in hexadecimal, of the model's weight file and of its architecture. */
  readonly checksum: string;
  /** Numbers a token. */
  readonly hidden: number;
  /** @returns `[rows, tokens, hidden]`, the caller's */
  apply(batch: TokenBatch): tf.Tensor3D;
  dispose(): void;
}

/**
 * The embeddings and the first blocks of a pretrained encoder: what {@link bertEncoder} freezes with `trainableLayers`.
 *
 * @param layers - number of blocks; 0 is the embeddings alone
 * @throws FormatError as {@link bertEncoder} does
 * @throws ConfigError when there are not that many blocks
 *
 * @example
 * ```ts
 * declare const [folder, batch]: [string, TokenBatch];
 * const prefix = await bertPrefix(folder, 4); // what bertEncoder(folder, { trainableLayers: 2 }) freezes of six layers
 * const hidden = prefix.apply(batch); // [rows, tokens, prefix.hidden]
 * prefix.dispose();
 * ```
 */
export async function bertPrefix(files: ModelFiles, layers: number): Promise<BertPrefix> {
  const source = new ModelSource(files);
  const { architecture, bytes } = await readModel(source);
  checkInteger("bertPrefix", "layers", layers, 0);
  if (layers > architecture.layers) {
    throw new ConfigError({ where: "bertPrefix", expected: `at most ${architecture.layers} layers`, received: layers });
  }
  const described = new TextEncoder().encode(JSON.stringify(architecture));
  const checksum = await sha256(new TextEncoder().encode((await sha256(bytes)) + (await sha256(described))));
  const weights = ModuleWeights.seeded(0);
  const prefix = frozenPrefix(new BertParts(weights, architecture), layers, zeros);
  try {
    assignBertWeights(weights.buffers, bytes, source.pathOf(WEIGHTS_FILE));
  } catch (error) {
    weights.dispose();
    throw error;
  }
  return {
    layers,
    checksum,
    hidden: architecture.hidden,
    apply(batch) {
      checkTokens(batch, "bertPrefix", limitsOf(architecture));
      return tf.tidy(() => prefix(batch));
    },
    dispose: () => weights.dispose(),
  };
}

/**
 * Writes an encoder's weights, fine-tuned or not, as a model in the Hugging Face format, which Python's transformers reads. The projection
 * is not part of BERT and stays with the gated model that `save` of @l0gm/core writes. Heads that were removed are listed in the config as
 * `pruned_heads`, which transformers knows up to version 4.
 *
 * @param original - the folder that the encoder was made from: config and tokenizer are copied
 * @throws ConfigError when the encoder was not made by {@link bertEncoder}
 * @throws FormatError when `original` lacks a file; nothing is written then
 *
 * @example
 * ```ts
 * declare const folder: string;
 * const encoder = await bertEncoder(folder);
 * await saveBert(encoder, folder, memoryFiles()); // directory("mine") of @l0gm/core/node for a folder
 * ```
 */
export async function saveBert(encoder: Encoder<TextBatch>, original: ModelFiles, files: FileHandler): Promise<void> {
  const { architecture, layers = architecture.layers } = configOf(encoder, "saveBert");
  const source = new ModelSource(original);
  const tokenizer = await Promise.all(
    ["tokenizer.json", "tokenizer_config.json"].map(async (name) => [name, await source.bytes(name)] as const),
  );
  const pruned = (architecture.prunedHeads ?? []).slice(0, layers);
  // The type of the original's numbers, `torch_dtype` of old: these are written in float32.
  const { dtype: _, ...described } = await source.json(CONFIG_FILE);
  const config = {
    ...described,
    num_hidden_layers: layers,
    torch_dtype: "float32",
    pruned_heads: Object.fromEntries(pruned.flatMap((heads, layer) => (heads.length > 0 ? [[layer, heads]] : []))),
  };
  await writeBertWeights(variablesOf(encoder), files);
  await files.write(CONFIG_FILE, new TextEncoder().encode(`${JSON.stringify(config, undefined, 2)}\n`));
  for (const [name, bytes] of tokenizer) await files.write(name, bytes);
}

registerEncoder(KIND, (config) => moduleEncoder(BERT, config as BertConfig) as Encoder<never>);
