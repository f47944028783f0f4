import type { EncodeContext } from "@l0gm/core";
import { dropout, type ModuleWeights, ones, zeros } from "@l0gm/core/modules";
import { gelu, layerNorm } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";
import { type BertArchitecture, COMPUTED, headsLeft } from "./architecture.ts";
import type { TokenBatch } from "./batch.ts";
import { type Block, type Linear, linear, residual, selfAttention, table, type WeightOptions } from "./block-parts.ts";

/** The weights have the paths of Hugging Face, so that a part's place in a file is its name. */
export class BertParts {
  readonly #weights: ModuleWeights;
  readonly #architecture: BertArchitecture;

  constructor(weights: ModuleWeights, architecture: BertArchitecture) {
    this.#weights = weights;
    this.#architecture = architecture;
  }

  /** Sums of the embeddings of words, positions and segments, normalised: `[rows, tokens, hidden]`. */
  embeddings(options: Required<WeightOptions>): (batch: TokenBatch, context: EncodeContext) => tf.Tensor3D {
    const { vocabularySize, positions, types, hidden, dropout: rate } = this.#architecture;
    const word = this.#table("embeddings.word_embeddings", vocabularySize, options);
    const position = this.#table("embeddings.position_embeddings", positions, options);
    const type = this.#table("embeddings.token_type_embeddings", types, options);
    const norm = this.#norm("embeddings.LayerNorm", options);
    return ({ ids, types: segments }, context) => {
      const [rows, tokens] = ids.shape;
      const place = tf.slice(position(), [0, 0], [tokens, -1]);
      const words = tf.gather(word(), ids);
      const first = tf.slice(type(), [0, 0], [1, -1]);
      // Mostly there is one segment: its vector joins those of the positions, which are few.
      const sum =
        segments === undefined
          ? tf.add(words, tf.reshape(tf.add(place, first), [1, tokens, hidden]))
          : tf.add(tf.add(words, tf.reshape(place, [1, tokens, hidden])), tf.gather(type(), segments));
      return dropout(norm(tf.reshape(sum, [rows, tokens, hidden])), rate, context) as tf.Tensor3D;
    };
  }

  /** One block: attention, then the feed-forward part, each added to its input and then normalised (Devlin et al. 2019). */
  layer(index: number, options: Required<WeightOptions>): Block {
    const architecture = this.#architecture;
    const { hidden, intermediate, dropout: rate, attentionDropout } = architecture;
    const heads = headsLeft(architecture, index).length;
    const width = (hidden / architecture.heads) * heads;
    const path = `encoder.layer.${index}`;
    const linear = (name: string, inputs: number, outputs: number) =>
      this.#linear(`${path}.${name}`, inputs, outputs, options);
    const query = linear("attention.self.query", hidden, width);
    const key = linear("attention.self.key", hidden, width);
    const value = linear("attention.self.value", hidden, width);
    const merge = linear("attention.output.dense", width, hidden);
    const attentionNorm = this.#norm(`${path}.attention.output.LayerNorm`, options);
    const rise = linear("intermediate.dense", hidden, intermediate);
    const fall = linear("output.dense", intermediate, hidden);
    const outputNorm = this.#norm(`${path}.output.LayerNorm`, options);
    const { dense: activation = "linear", gelu: after } = COMPUTED[architecture.activation];
    const gather = selfAttention({ query, key, value, heads, dropout: attentionDropout });
    return (x, mask, context, headMask) => {
      const gathered = gather(x, mask, context, headMask);
      const y = attentionNorm(residual(merge, gathered, x, rate, context));
      const risen = rise({ x: y, activation });
      const active = after === undefined ? risen : gelu(risen, after);
      return outputNorm(residual(fall, active, y, rate, context)) as tf.Tensor3D;
    };
  }

  /** Of the first token: a dense layer with tanh, as BERT was trained to judge pairs of sentences with. */
  pooler(options: Required<WeightOptions>): (hidden: tf.Tensor2D) => tf.Tensor2D {
    const { hidden } = this.#architecture;
    const layer = this.#linear("pooler.dense", hidden, hidden, options);
    return (x) => tf.tanh(layer({ x })) as tf.Tensor2D;
  }

  #table(path: string, rows: number, options: Required<WeightOptions>): () => tf.Tensor2D {
    const apply = this.#weights.bind(path, table(rows, this.#architecture.hidden, { ...options, decay: true }));
    return () => apply(undefined) as tf.Tensor2D;
  }

  #norm(path: string, { trainable, rate }: Required<WeightOptions>): (x: tf.Tensor) => tf.Tensor {
    const { hidden, epsilon } = this.#architecture;
    return this.#weights.bind(path, {
      weights: {
        scale: { shape: [hidden], fill: ones, decay: false, trainable, rate },
        shift: { shape: [hidden], fill: zeros, decay: false, trainable, rate },
      },
      macs: 0,
      apply: ({ scale, shift }, x: tf.Tensor) => layerNorm(x, scale as tf.Tensor1D, shift as tf.Tensor1D, epsilon),
    });
  }

  #linear(path: string, inputs: number, outputs: number, options: Required<WeightOptions>): Linear {
    return this.#weights.bind(path, linear(inputs, outputs, options));
  }
}
