import { ConfigError, type Encoder, registerEncoder } from "@l0gm/core";
import { checkInteger, checkRate, type EncoderKind, layerNorm, moduleEncoder } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { TableBatch } from "./dataset.ts";
import { featureTokenizer, tokenCount } from "./layers/feature-tokenizer.ts";
import { checkColumns, checkedTrunk, type TableEncoderOptions } from "./table-encoder.ts";
import { transformerBlock } from "./transformer-block.ts";

/** Options of {@link featureTransformerEncoder}. */
export interface FeatureTransformerEncoderOptions extends TableEncoderOptions {
  /** Numbers a token. @defaultValue 32 */
  readonly tokenWidth?: number;
  /** Transformer blocks. @defaultValue 2 */
  readonly blocks?: number;
  /** Attention heads, a divisor of `tokenWidth`. @defaultValue 4 */
  readonly heads?: number;
  /** Width of the feed-forward part. @defaultValue 4/3 of `tokenWidth`, rounded */
  readonly hidden?: number;
  /** Rate for attention weights and the feed-forward part. @defaultValue 0.1 */
  readonly dropout?: number;
}

const KIND = "tabular/feature-transformer";

const FEATURE_TRANSFORMER: EncoderKind<TableBatch, FeatureTransformerEncoderOptions> = {
  kind: KIND,
  trunk(weights, options) {
    checkColumns(KIND, options.data);
    const { data, tokenWidth: dimension = 32, blocks = 2, heads = 4, dropout = 0.1 } = options;
    const hidden = options.hidden ?? Math.round((dimension * 4) / 3);
    for (const [name, value] of Object.entries({ tokenWidth: dimension, blocks, heads, hidden })) {
      checkInteger(KIND, name, value);
    }
    checkRate(KIND, "dropout", dropout);
    if (dimension % heads !== 0) {
      throw new ConfigError({ where: KIND, expected: `heads to divide the token width ${dimension}`, received: heads });
    }
    const columns = { columns: data.numeric, cardinalities: data.cardinalities, dimension };
    const tokenize = weights.bind("tokens", featureTokenizer(columns));
    const shape = { tokens: tokenCount(columns), dimension, heads, hidden, dropout };
    const stack = Array.from({ length: blocks }, (_, i) =>
      transformerBlock(weights, `block${i}`, { ...shape, normalised: i > 0, firstOnly: i === blocks - 1 }),
    );
    const norm = weights.bind("norm", layerNorm(dimension));
    return checkedTrunk(KIND, data, {
      width: dimension,
      apply({ numeric, categorical }, context) {
        const inputs = [
          ...(data.numeric > 0 ? [numeric] : []),
          ...(data.cardinalities.length > 0 ? [categorical] : []),
        ];
        const y = stack.reduce((x, block) => block(x, context), tokenize(inputs));
        return tf.relu(norm(tf.reshape(y, [-1, dimension])));
      },
    });
  },
};

/**
 * The FT-Transformer of Gorishniy, Rubachev, Khrulkov and Babenko, "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021:
 * a token for every column and a [CLS] token, pre-norm Transformer blocks with ReGLU, then of [CLS] a layer normalisation, a ReLU and
 * the linear projection that makes the representation `[rows, width]`.
 *
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * import { EVALUATION, useBackend } from "@l0gm/core";
 * await useBackend("cpu");
 * const encoder = featureTransformerEncoder({ data: { numeric: 3, cardinalities: [4, 5] }, width: 16 });
 * const batch = { numeric: tf.zeros<tf.Rank.R2>([2, 3]), categorical: tf.zeros<tf.Rank.R2>([2, 2], "int32") };
 * const representation = encoder.encode(batch, EVALUATION);
 * console.log(representation.shape[1]); // 16
 * ```
 */
export function featureTransformerEncoder(options: FeatureTransformerEncoderOptions): Encoder<TableBatch> {
  return moduleEncoder(FEATURE_TRANSFORMER, options);
}

registerEncoder(
  KIND,
  (config) => featureTransformerEncoder(config as FeatureTransformerEncoderOptions) as Encoder<never>,
);
