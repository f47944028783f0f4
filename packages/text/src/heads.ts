import {
  ConfigError,
  DataError,
  type Dataset,
  type Encoder,
  type EncoderDescription,
  EVALUATION,
  type GatedClassifier,
  type LabelledBatch,
  rebuildEncoder,
} from "@l0gm/core";
import { checkInteger, yieldToEvents } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import { type AttentionHeads, headsLeft, isPrunable } from "./architecture.ts";
import type { TextBatch, TokenBatch } from "./batch.ts";
import { KIND as BERT, type BertConfig, variablesOf } from "./bert.ts";
import { sizesOf, KIND as TRANSFORMER, type TransformerEncoderOptions } from "./transformer.ts";

/** How much a model depends on one attention head. */
export interface HeadImportance {
  /** From 0. */
  readonly layer: number;
  /** In the numbering of the whole model, from 0. */
  readonly head: number;
  /** Mean over the rows of the absolute gradient of a row's loss by a factor on what the head gives, in nats. */
  readonly importance: number;
}

/** Options of {@link headImportance}. */
export interface HeadImportanceOptions {
  /** @defaultValue 32 */
  readonly batchSize?: number;
  /** Batches that are looked at, from the first on. @defaultValue all */
  readonly batches?: number;
  /** Stops before the next batch with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What the encoders that have attention heads say of them. */
interface HeadedEncoder extends AttentionHeads {
  /** Numbers of a token, and those within the feed-forward part. */
  readonly hidden: number;
  readonly intermediate: number;
  /** Whether one vector of a text goes through a layer of its own. */
  readonly pooler: boolean;
  /** That the model has, and those that are used. */
  readonly allLayers: number;
  readonly layers: number;
  /** The encoder's description, were these heads gone. */
  without(prunedHeads: readonly (readonly number[])[]): EncoderDescription;
}

function headedEncoder(encoder: Encoder<TextBatch>, where: string): HeadedEncoder {
  const { kind, config } = encoder.describe?.() ?? {};
  if (kind === BERT) {
    const { architecture, layers = architecture.layers, pooling } = config as BertConfig;
    return {
      ...architecture,
      pooler: pooling === "pooler",
      allLayers: architecture.layers,
      layers,
      without: (prunedHeads) => ({
        kind,
        config: { ...(config as BertConfig), architecture: { ...architecture, prunedHeads } },
      }),
    };
  }
  if (kind === TRANSFORMER) {
    const options = config as TransformerEncoderOptions;
    const sizes = sizesOf(options);
    const { layers } = sizes;
    return {
      ...sizes,
      pooler: false,
      allLayers: layers,
      layers,
      without: (removed) => ({ kind, config: { ...options, prunedHeads: removed } }),
    };
  }
  const expected = "an encoder of bertEncoder or transformerEncoder";
  throw new ConfigError({ where, expected, received: kind ?? "one that does not describe itself" });
}

/**
 * The attention heads of an encoder.
 *
 * @param encoder - of {@link bertEncoder} or {@link transformerEncoder}
 * @param where - who asks, for messages
 * @returns those that are left in each layer that is used, in the numbering of the whole model
 * @throws ConfigError when the encoder is of another kind
 *
 * @example
 * ```ts
 * declare const folder: string;
 * const encoder = await bertEncoder(folder, { layers: 2 });
 * console.log(attentionHeads(encoder)[1]); // [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
 * ```
 */
export function attentionHeads(encoder: Encoder<TextBatch>, where = "attentionHeads"): number[][] {
  const headed = headedEncoder(encoder, where);
  return Array.from({ length: headed.layers }, (_, layer) => headsLeft(headed, layer));
}

/**
 * Multiply-accumulates of encoding a text: of the linear layers and of attention's two products, which grow with the square of the length. The
 * encoder's own `cost.macs` is of the linear layers for one token.
 *
 * @param encoder - of {@link bertEncoder} or {@link transformerEncoder}; frozen layers count, removed heads do not
 * @param tokens - of the text, without padding
 * @throws ConfigError when the encoder is of another kind, or `tokens` no positive integer
 *
 * @example
 * ```ts
 * await useBackend("cpu");
 * const encoder = transformerEncoder({ vocabularySize: 100, hidden: 16, layers: 1, width: 8 });
 * console.log(textMacs(encoder, 1), textMacs(encoder, 10)); // 2208 23808
 * ```
 */
export function textMacs(encoder: Encoder<TextBatch>, tokens: number): number {
  const where = "textMacs";
  checkInteger(where, "tokens", tokens);
  const { hidden, intermediate, heads, pooler } = headedEncoder(encoder, where);
  const ofLayers = attentionHeads(encoder, where).map((left) => {
    const width = (hidden / heads) * left.length;
    const linear = 4 * hidden * width + 2 * hidden * intermediate;
    return tokens * (linear + 2 * tokens * width);
  });
  return ofLayers.reduce((sum, macs) => sum + macs, 0) + (pooler ? hidden ** 2 : 0) + hidden * encoder.width;
}

/**
 * The importance of every attention head of a classifier (Michel, Levy and Neubig 2019, equation 2): what the loss would change by, to
 * first order, were the head silenced. Gates have their deterministic values, and nothing is dropped out.
 *
 * @param model - around an encoder of {@link bertEncoder} or {@link transformerEncoder}
 * @param data - of the training split; batches of token ids, not of what a frozen prefix has computed
 * @returns one entry a head that the encoder has, layer by layer
 * @throws ConfigError when the encoder is of another kind, or the batches are not of token ids
 * @throws DataError when there are no rows
 *
 * @example
 * ```ts
 * declare const model: GatedClassifier<TextBatch>;
 * declare const train: Dataset<TokenBatch>;
 * const importance = await headImportance(model, train, { batches: 20 });
 * const slim = pruneHeads(model.encoder, leastImportantHeads(importance, 24));
 * ```
 */
export async function headImportance(
  model: GatedClassifier<TextBatch>,
  data: Dataset<TokenBatch>,
  { batchSize = 32, batches = Number.POSITIVE_INFINITY, signal }: HeadImportanceOptions = {},
): Promise<HeadImportance[]> {
  const where = "headImportance";
  const heads = attentionHeads(model.encoder, where);
  checkInteger(where, "batchSize", batchSize);
  if (batches !== Number.POSITIVE_INFINITY) checkInteger(where, "batches", batches);
  const sums = heads.map((layer) => new Float64Array(layer.length));
  let rows = 0;
  let seen = 0;
  for await (const batch of data.batches(batchSize)) {
    await yieldToEvents();
    signal?.throwIfAborted();
    if ("hidden" in batch.inputs) {
      throw new ConfigError({ where, expected: "batches of token ids", received: "what a frozen prefix has computed" });
    }
    const gradients = maskGradients(model, batch, heads);
    for (const [layer, gradient] of gradients.entries()) {
      const values = await gradient.data<"float32">();
      const sum = sums[layer] as Float64Array;
      for (let i = 0; i < values.length; i++)
        sum[i % sum.length] = (sum[i % sum.length] ?? 0) + Math.abs(values[i] ?? 0);
    }
    tf.dispose(gradients);
    rows += batch.labels.length;
    if (++seen >= batches) break;
  }
  if (rows === 0) throw new DataError({ where, expected: "rows", received: "no batch" });
  return heads.flatMap((layer, l) =>
    layer.map((head, i) => ({ layer: l, head, importance: (sums[l]?.[i] ?? 0) / rows })),
  );
}

/** Of the sum of the rows' losses, so that a row's masks get the gradient of its own: `[rows, heads]` a layer, the caller's. */
function maskGradients(
  model: GatedClassifier<TextBatch>,
  { inputs, labels }: LabelledBatch<TokenBatch>,
  heads: readonly (readonly number[])[],
): tf.Tensor[] {
  return tf.tidy(() => {
    const truth = tf.oneHot(tf.tensor1d(labels, "int32"), model.classes);
    const loss = (...headMasks: tf.Tensor[]): tf.Tensor => {
      const { logits } = model.forward({ ...inputs, headMasks: headMasks as tf.Tensor2D[] }, EVALUATION);
      return tf.neg(tf.sum(tf.mul(truth, tf.logSoftmax(logits))));
    };
    return tf.grads(loss)(heads.map((layer) => tf.ones([labels.length, layer.length])));
  });
}

/**
 * The heads that a model depends on least, the importance of each layer's heads being divided by their Euclidean norm (Michel, Levy and
 * Neubig 2019, section 4.1). Every layer keeps one head.
 *
 * @param importance - of all heads, as {@link headImportance} gives it
 * @param count - how many to choose
 * @returns heads by layer, as {@link pruneHeads} takes them
 * @throws ConfigError when layers would be left without a head
 *
 * @example
 * ```ts
 * const importance = [3, 1, 2].map((value, head) => ({ layer: 0, head, importance: value }));
 * console.log(leastImportantHeads(importance, 2)); // [[1, 2]]
 * ```
 */
export function leastImportantHeads(importance: readonly HeadImportance[], count: number): number[][] {
  const where = "leastImportantHeads";
  checkInteger(where, "count", count, 0);
  const layers = importance.reduce((most, { layer }) => Math.max(most, layer + 1), 0);
  const left = new Array<number>(layers).fill(0);
  const squares = new Array<number>(layers).fill(0);
  for (const { layer, importance: value } of importance) {
    left[layer] = (left[layer] ?? 0) + 1;
    squares[layer] = (squares[layer] ?? 0) + value * value;
  }
  const most = left.reduce((sum, heads) => sum + Math.max(0, heads - 1), 0);
  if (count > most) {
    throw new ConfigError({ where, expected: `at most ${most}, since a layer keeps a head`, received: count });
  }
  const share = ({ layer, importance: value }: HeadImportance): number =>
    value === 0 ? 0 : value / Math.sqrt(squares[layer] ?? 0);
  const chosen = left.map((): number[] => []);
  let missing = count;
  for (const { layer, head } of [...importance].sort((a, b) => share(a) - share(b))) {
    if (missing === 0) break;
    if (left[layer] === 1) continue;
    left[layer] = (left[layer] ?? 0) - 1;
    chosen[layer]?.push(head);
    missing--;
  }
  return chosen.map((heads) => heads.sort((a, b) => a - b));
}

/** Names of the matrices and biases that have a block a head: BERT's, and those of a Transformer from scratch. */
const OF_HEADS = [
  /^encoder\.layer\.(?<layer>\d+)\.attention\.(?:self\.\w+|(?<merging>output\.dense))\//,
  /^block(?<layer>\d+)\/(?:query|key|value|(?<merging>merge))\//,
];

/** Which axis of a weight goes through the heads. */
function axisOfHeads(name: string): { readonly layer: number; readonly axis: number } | undefined {
  const { layer, merging } = OF_HEADS.map((pattern) => pattern.exec(name)?.groups).find(Boolean) ?? {};
  if (layer === undefined) return undefined;
  const kernel = name.endsWith("/kernel");
  if (merging !== undefined) return kernel ? { layer: Number(layer), axis: 0 } : undefined;
  return { layer: Number(layer), axis: kernel ? 1 : 0 };
}

/** Of a tensor that has a block for each head in `from`, the blocks of the heads `to`. */
function selectHeads(x: tf.Tensor, axis: number, from: readonly number[], to: readonly number[]): tf.Tensor {
  const size = (x.shape[axis] ?? 0) / from.length;
  const indices = to.flatMap((head) => Array.from({ length: size }, (_, i) => from.indexOf(head) * size + i));
  return tf.gather(x, tf.tensor1d(indices, "int32"), axis);
}

/**
 * A copy of an encoder without some of its attention heads: their columns are cut out of queries, keys and values, and their rows out of the
 * matrix that merges the heads. It computes what the whole one does when those heads give 0, and can be trained, narrowed and saved.
 *
 * @param encoder - of {@link bertEncoder} or {@link transformerEncoder}; stays as it is
 * @param heads - to remove, by layer from the first on, in the numbering of the whole model; those that are gone already may be among them
 * @returns an encoder with weights of its own, the caller's
 * @throws ConfigError when the encoder is of another kind, there is no such head, or a layer would be left without one
 *
 * @example
 * ```ts
 * declare const folder: string;
 * const encoder = await bertEncoder(folder);
 * const slim = pruneHeads(encoder, [[0, 3], [], [5]]);
 * console.log(slim.cost.macs < encoder.cost.macs); // true
 * ```
 */
export function pruneHeads(encoder: Encoder<TextBatch>, heads: readonly (readonly number[])[]): Encoder<TextBatch> {
  const where = "pruneHeads";
  const headed = headedEncoder(encoder, where);
  const before = attentionHeads(encoder, where);
  if (heads.length > before.length) {
    throw new ConfigError({ where, expected: `heads of ${before.length} layers at most`, received: heads.length });
  }
  const prunedHeads = Array.from({ length: headed.allLayers }, (_, layer) => {
    const all = [...new Set([...(headed.prunedHeads?.[layer] ?? []), ...(heads[layer] ?? [])])];
    if (isPrunable(all, headed.heads)) return all.sort((a, b) => a - b);
    throw new ConfigError({
      where: `${where}: layer ${layer}`,
      expected: `heads from 0 to ${headed.heads - 1}, but not all`,
      received: heads[layer],
    });
  });
  const pruned = rebuildEncoder(headed.without(prunedHeads)) as Encoder<TextBatch>;
  const sources = new Map(variablesOf(encoder).map(({ name, variable }) => [name, variable]));
  tf.tidy(() => {
    for (const { name, variable } of variablesOf(pruned)) {
      const source = sources.get(name) as tf.Tensor;
      const place = axisOfHeads(name);
      const from = before[place?.layer ?? 0] ?? [];
      variable.assign(
        place === undefined
          ? source
          : selectHeads(source, place.axis, from, headsLeft({ heads: headed.heads, prunedHeads }, place.layer)),
      );
    }
  });
  return pruned;
}
