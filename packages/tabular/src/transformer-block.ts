import type { EncodeContext } from "@l0gm/core";
import {
  dense,
  dropout,
  glorotUniform,
  heUniform,
  layerNorm,
  type Module,
  type ModuleWeights,
} from "@l0gm/core/modules";
import { type AttentionDropout, attention as attentionOperation } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";

/** Options of {@link transformerBlock}. */
export interface TransformerBlockOptions {
  /** Tokens of a row. */
  readonly tokens: number;
  readonly dimension: number;
  /** A divisor of `dimension`. */
  readonly heads: number;
  /** Width of the feed-forward part. */
  readonly hidden: number;
  /** Rate for attention weights and the feed-forward part. */
  readonly dropout: number;
  /** Whether the attention's input is normalised; not in the first block (Gorishniy et al. 2021). */
  readonly normalised: boolean;
  /** Whether the first token alone is computed, as in the last block, whose other tokens nobody reads. */
  readonly firstOnly: boolean;
}

/** `[rows, tokens, dimension]` to `[rows, tokens, dimension]`, or `[rows, 1, dimension]` with `firstOnly`. */
export type TransformerBlock = (x: tf.Tensor, context: EncodeContext) => tf.Tensor;

/** A pre-norm Transformer block: multi-head attention, then ReGLU (Shazeer 2020), each added to its input. */
export function transformerBlock(
  weights: ModuleWeights,
  name: string,
  { tokens, dimension, heads, hidden, dropout: rate, normalised, firstOnly }: TransformerBlockOptions,
): TransformerBlock {
  const queries = firstOnly ? 1 : tokens;
  const linear = (part: string, inputs: number, outputs: number, times: number): ((x: tf.Tensor) => tf.Tensor) =>
    weights.bind(`${name}/${part}`, dense({ inputs, outputs, times, fill: glorotUniform(inputs, outputs) }));
  const attentionNorm = normalised ? weights.bind(`${name}/attention_norm`, layerNorm(dimension)) : (x: tf.Tensor) => x;
  const query = linear("query", dimension, dimension, queries);
  const key = linear("key", dimension, dimension, tokens);
  const value = linear("value", dimension, dimension, tokens);
  const attend = weights.bind(`${name}/attention`, attention(tokens, queries, dimension, heads));
  const merge = linear("merge", dimension, dimension, queries);
  const feedForwardNorm = weights.bind(`${name}/feed_forward_norm`, layerNorm(dimension));
  const rise = { inputs: dimension, outputs: hidden, times: queries };
  const up = weights.bind(`${name}/up`, dense({ ...rise, fill: glorotUniform(dimension, hidden) }));
  const gate = weights.bind(`${name}/gate`, dense({ ...rise, fill: heUniform(dimension), activation: "relu" }));
  const down = linear("down", hidden, dimension, queries);
  return (x, context) => {
    const first = (of: tf.Tensor): tf.Tensor => (firstOnly ? tf.slice(of, [0, 0, 0], [-1, 1, -1]) : of);
    const normal = attentionNorm(x);
    const [rows = 0] = x.shape;
    const attended = attend({
      query: query(first(normal)),
      key: key(normal),
      value: value(normal),
      dropout:
        context.training && rate > 0
          ? { rate, source: context.random.take(rows * heads * queries * tokens) }
          : undefined,
    });
    const y = tf.add(first(x), merge(attended));
    const z = feedForwardNorm(y);
    return tf.add(y, down(dropout(tf.mul(up(z), gate(z)), rate, context)));
  };
}

interface AttentionInput {
  readonly query: tf.Tensor;
  readonly key: tf.Tensor;
  readonly value: tf.Tensor;
  /** Of the attention's weights. */
  readonly dropout: AttentionDropout | undefined;
}

/** Scaled dot products between the heads' parts of queries and keys; a module without weights, for its count of products. */
function attention(tokens: number, queries: number, dimension: number, heads: number): Module<AttentionInput, never> {
  return {
    weights: {},
    macs: 2 * queries * tokens * dimension,
    apply: (_, { query, key, value, dropout }) => {
      const options = { heads, ...(dropout === undefined ? {} : { dropout }) };
      return attentionOperation(query as tf.Tensor3D, key as tf.Tensor3D, value as tf.Tensor3D, options);
    },
  };
}
