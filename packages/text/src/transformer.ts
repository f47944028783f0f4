import { ConfigError, type EncodeContext, type Encoder, registerEncoder } from "@l0gm/core";
import {
  checkInteger,
  checkRate,
  dropout,
  type EncoderKind,
  layerNorm,
  type ModuleEncoderOptions,
  type ModuleWeights,
  moduleEncoder,
  normal,
} from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import { headsLeft, isPrunable } from "./architecture.ts";
import { checkTokens, type TextBatch } from "./batch.ts";
import { type Block, linear, residual, selfAttention, table } from "./block-parts.ts";
import { checkPooling, type Pooling, pool } from "./pooling.ts";

/** How a Transformer knows where a token stands: by a learned vector, or by turning queries and keys (Su et al. 2021). */
export type Positions = "learned" | "rotary";

/** Options of {@link transformerEncoder}. It has no vectors for segments: two texts are told apart by the separator alone. */
export interface TransformerEncoderOptions extends ModuleEncoderOptions {
  /** Number of token ids: a tokenizer's `vocabularySize`. */
  readonly vocabularySize: number;
  /** Numbers a token. @defaultValue 128 */
  readonly hidden?: number;
  /** @defaultValue 2 */
  readonly layers?: number;
  /** A divisor of `hidden`. @defaultValue 4 */
  readonly heads?: number;
  /** Heads that are left out, by layer from the first on, in the numbering of the whole model. @defaultValue none */
  readonly prunedHeads?: readonly (readonly number[])[];
  /** Width of the feed-forward part. @defaultValue 2 * hidden */
  readonly intermediate?: number;
  /** @defaultValue "learned" */
  readonly positions?: Positions;
  /** Longest sequence; learned positions have a vector for each. @defaultValue 512 */
  readonly maximumLength?: number;
  /** @defaultValue "mean" */
  readonly pooling?: Pooling;
  /** Rate for embeddings, attention weights and both parts of a block. @defaultValue 0.1 */
  readonly dropout?: number;
  /**
   * Share of a training text's tokens that no other token sees and mean pooling leaves out, drawn anew each time (word dropout, Iyyer et
   * al. 2015): a small network then does not learn its texts by heart. A short text may lose all. @defaultValue 0
   */
  readonly tokenDropout?: number;
}

export const KIND = "text/transformer";

/** Base of the rotations' periods (Su et al. 2021). */
const PERIOD = 10_000;

type Sizes = Required<Omit<TransformerEncoderOptions, keyof ModuleEncoderOptions>>;

/**
 * Fills in the defaults.
 *
 * @throws ConfigError when an option is out of range
 */
export function sizesOf(options: TransformerEncoderOptions): Sizes {
  const { vocabularySize, hidden = 128, layers = 2, heads = 4, maximumLength = 512, dropout: rate = 0.1 } = options;
  const { tokenDropout = 0, prunedHeads = [] } = options;
  const { intermediate = 2 * hidden, positions = "learned", pooling = "mean" } = options;
  for (const [name, value] of Object.entries({ vocabularySize, hidden, layers, heads, intermediate, maximumLength })) {
    checkInteger(KIND, name, value);
  }
  checkRate(KIND, "dropout", rate);
  checkRate(KIND, "tokenDropout", tokenDropout);
  checkPooling(KIND, pooling);
  if (positions !== "learned" && positions !== "rotary") {
    throw new ConfigError({ where: KIND, expected: 'positions to be "learned" or "rotary"', received: positions });
  }
  const parts = positions === "rotary" ? 2 * heads : heads;
  if (hidden % parts !== 0) {
    const why = positions === "rotary" ? ", an even number of times" : "";
    throw new ConfigError({
      where: KIND,
      expected: `heads to divide the ${hidden} hidden numbers${why}`,
      received: heads,
    });
  }
  if (prunedHeads.length > layers || !prunedHeads.every((removed) => isPrunable(removed, heads))) {
    const expected = `prunedHeads of ${layers} layers at most, different ones from 0 to ${heads - 1}, but not all`;
    throw new ConfigError({ where: KIND, expected, received: prunedHeads });
  }
  const sizes = { vocabularySize, hidden, layers, heads, prunedHeads, intermediate, maximumLength };
  return { ...sizes, positions, pooling, dropout: rate, tokenDropout };
}

/** How the vectors of ids begin. */
const TABLE = { fill: normal(0.02), decay: false };

/** Turns each pair of numbers (i, i + half) of every head by an angle that grows with the token's place. */
function rotate(x: tf.Tensor3D, heads: number): tf.Tensor3D {
  const [rows, tokens, width] = x.shape;
  const half = width / heads / 2;
  const angles = Float32Array.from(
    { length: tokens * half },
    (_, i) => Math.floor(i / half) * PERIOD ** (-(i % half) / half),
  );
  const shape = [1, tokens, 1, half];
  const [cos, sin] = [tf.tensor(angles.map(Math.cos), shape), tf.tensor(angles.map(Math.sin), shape)];
  const [a, b] = tf.split(tf.reshape(x, [rows, tokens, heads, 2 * half]), 2, 3) as [tf.Tensor, tf.Tensor];
  const turned = [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))];
  return tf.reshape(tf.concat(turned, 3), [rows, tokens, width]);
}

/** Pre-norm: attention and a feed-forward part with GELU, each of normalised input and added to what came in. */
function block(weights: ModuleWeights, index: number, sizes: Sizes): Block {
  const { hidden, intermediate, positions, dropout: rate } = sizes;
  const name = `block${index}`;
  const heads = headsLeft(sizes, index).length;
  const width = (hidden / sizes.heads) * heads;
  const part = (path: string, inputs: number, outputs: number) =>
    weights.bind(`${name}/${path}`, linear(inputs, outputs));
  const attentionNorm = weights.bind(`${name}/attention_norm`, layerNorm(hidden));
  const [query, key, value] = [part("query", hidden, width), part("key", hidden, width), part("value", hidden, width)];
  const merge = part("merge", width, hidden);
  const feedForwardNorm = weights.bind(`${name}/feed_forward_norm`, layerNorm(hidden));
  const [rise, fall] = [part("rise", hidden, intermediate), part("fall", intermediate, hidden)];
  const gather = selfAttention({
    query,
    key,
    value,
    heads,
    dropout: rate,
    ...(positions === "rotary" ? { place: (x: tf.Tensor3D) => rotate(x, heads) } : {}),
  });
  return (x, mask, context, headMask) => {
    const gathered = gather(attentionNorm(x) as tf.Tensor3D, mask, context, headMask);
    const y = residual(merge, gathered, x, rate, context);
    const risen = rise({ x: feedForwardNorm(y), activation: "gelu" });
    return residual(fall, risen, y, rate, context) as tf.Tensor3D;
  };
}

const TRANSFORMER: EncoderKind<TextBatch, TransformerEncoderOptions> = {
  kind: KIND,
  trunk(weights, options) {
    const sizes = sizesOf(options);
    const { vocabularySize, hidden, layers, positions, maximumLength, pooling, dropout: rate, tokenDropout } = sizes;
    const words = weights.bind("words", table(vocabularySize, hidden, TABLE));
    const places = positions === "learned" ? weights.bind("positions", table(maximumLength, hidden, TABLE)) : undefined;
    const blocks = Array.from({ length: layers }, (_, i) => block(weights, i, sizes));
    const norm = weights.bind("norm", layerNorm(hidden));
    return {
      width: hidden,
      apply(batch, context) {
        if ("hidden" in batch) {
          throw new ConfigError({ where: KIND, expected: "token ids", received: "what another encoder has computed" });
        }
        checkTokens(batch, KIND, { vocabularySize, maximumLength });
        const { ids, mask, headMasks } = batch;
        const tokens = ids.shape[1];
        const embedded = tf.gather(words(undefined), ids) as tf.Tensor;
        const placed =
          places === undefined ? embedded : tf.add(embedded, tf.slice(places(undefined), [0, 0], [tokens, -1]));
        const start = dropout(placed, rate, context) as tf.Tensor3D;
        const seen = withoutDropped(mask, tokenDropout, context);
        const y = blocks.reduce((x, each, i) => each(x, seen, context, headMasks?.[i]), start);
        return pool(norm(y) as tf.Tensor3D, seen, pooling);
      },
    };
  },
};

/** A mask that hides some tokens in training. */
function withoutDropped(mask: tf.Tensor2D, rate: number, context: EncodeContext): tf.Tensor2D {
  if (!context.training || rate === 0) return mask;
  // The mask says what there is: dropout's scale is undone.
  return tf.mul(dropout(mask, rate, context), 1 - rate);
}

/**
 * A Transformer that is trained from scratch, sized for a CPU: embeddings of tokens, pre-norm blocks (Xiong et al. 2020) of multi-head
 * attention and a feed-forward part with GELU, a last normalisation, one vector of all tokens, and the linear projection that makes the
 * representation `[rows, width]`.
 *
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * import { EVALUATION, useBackend } from "@l0gm/core";
 * import * as tf from "@tensorflow/tfjs-core";
 * await useBackend("cpu");
 * const encoder = transformerEncoder({ vocabularySize: 100, hidden: 16, width: 8 });
 * const batch = { ids: tf.tensor2d([[2, 7, 3]], [1, 3], "int32"), mask: tf.ones<tf.Rank.R2>([1, 3]) };
 * console.log(encoder.encode(batch, EVALUATION).shape); // 1, 8
 * ```
 */
export function transformerEncoder(options: TransformerEncoderOptions): Encoder<TextBatch> {
  return moduleEncoder(TRANSFORMER, options);
}

registerEncoder(KIND, (config) => transformerEncoder(config as TransformerEncoderOptions) as Encoder<never>);
