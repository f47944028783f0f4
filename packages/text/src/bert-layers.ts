import type { EncodeContext } from "@l0gm/core";
import { dropout, type Fill, type Module, type ModuleWeights, ones, zeros } from "@l0gm/core/modules";
import { attention, dense, gelu, layerNorm } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";
import { type BertArchitecture, COMPUTED, headsLeft } from "./architecture.ts";
import type { TokenBatch } from "./batch.ts";

/** How the weights of a part begin, and whether they are trained. */
export interface PartOptions {
  /** Of matrices; biases begin at 0 and normalisations at 1. */
  readonly fill: Fill;
  readonly trainable: boolean;
  /** Factor on the learning rate. */
  readonly rate: number;
}

/** What a linear layer adds its result to, and what it is fed. */
interface LinearInput {
  readonly x: tf.Tensor;
  readonly addend?: tf.Tensor;
}

/** @param headMask - `[rows, heads]`, factors on what the heads give */
type Hidden = (x: tf.Tensor3D, mask: tf.Tensor2D, context: EncodeContext, headMask?: tf.Tensor2D) => tf.Tensor3D;

/** @param factors - `[rows, heads]` */
export function scaleHeads(x: tf.Tensor3D, heads: number, factors: tf.Tensor2D): tf.Tensor3D {
  const [rows, tokens, width] = x.shape;
  const apart = tf.reshape(x, [rows, tokens, heads, width / heads]);
  return tf.reshape(tf.mul(apart, tf.reshape(factors, [rows, 1, heads, 1])), x.shape);
}

/** The weights have the paths of Hugging Face, so that a part's place in a file is its name. */
export class BertParts {
  readonly #weights: ModuleWeights;
  readonly #architecture: BertArchitecture;

  constructor(weights: ModuleWeights, architecture: BertArchitecture) {
    this.#weights = weights;
    this.#architecture = architecture;
  }

  /** Sums of the embeddings of words, positions and segments, normalised: `[rows, tokens, hidden]`. */
  embeddings(options: PartOptions): (batch: TokenBatch, context: EncodeContext) => tf.Tensor3D {
    const { vocabularySize, positions, types, hidden, dropout: rate } = this.#architecture;
    const word = this.#table("embeddings.word_embeddings", [vocabularySize, hidden], options);
    const position = this.#table("embeddings.position_embeddings", [positions, hidden], options);
    const type = this.#table("embeddings.token_type_embeddings", [types, hidden], options);
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
  layer(index: number, options: PartOptions): Hidden {
    const { hidden, intermediate, activation, dropout: rate, attentionDropout } = this.#architecture;
    const heads = headsLeft(this.#architecture, index).length;
    const width = (hidden / this.#architecture.heads) * heads;
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
    const { dense: within = "linear", gelu: after } = COMPUTED[activation];
    /** Dropped out in training, else the addition costs no pass of its own. */
    const residual = (layer: typeof merge, x: tf.Tensor, addend: tf.Tensor, context: EncodeContext): tf.Tensor =>
      context.training && rate > 0 ? tf.add(addend, dropout(layer({ x }), rate, context)) : layer({ x, addend });
    return (x, mask, context, headMask) => {
      const [rows, tokens] = x.shape;
      const whole = attention(query({ x }) as tf.Tensor3D, key({ x }) as tf.Tensor3D, value({ x }) as tf.Tensor3D, {
        heads,
        mask,
        ...(context.training && attentionDropout > 0
          ? { dropout: { rate: attentionDropout, source: context.random.take(rows * heads * tokens * tokens) } }
          : {}),
      });
      const attended = headMask === undefined ? whole : scaleHeads(whole, heads, headMask);
      const y = attentionNorm(residual(merge, attended, x, context));
      const risen = rise({ x: y }, within);
      const active = after === undefined ? risen : gelu(risen, after);
      return outputNorm(residual(fall, active, y, context)) as tf.Tensor3D;
    };
  }

  /** Of the first token: a dense layer with tanh, as BERT was trained to judge pairs of sentences with. */
  pooler(options: PartOptions): (hidden: tf.Tensor2D) => tf.Tensor2D {
    const { hidden } = this.#architecture;
    const layer = this.#linear("pooler.dense", hidden, hidden, options);
    return (x) => tf.tanh(layer({ x })) as tf.Tensor2D;
  }

  #table(path: string, shape: readonly [number, number], { fill, trainable, rate }: PartOptions): () => tf.Tensor2D {
    const module: Module<undefined, "table"> = {
      weights: { table: { shape, fill, decay: true, trainable, rate } },
      macs: 0,
      apply: ({ table }) => table,
    };
    const apply = this.#weights.bind(path, module);
    return () => apply(undefined) as tf.Tensor2D;
  }

  #norm(path: string, { trainable, rate }: PartOptions): (x: tf.Tensor) => tf.Tensor {
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

  #linear(
    path: string,
    inputs: number,
    outputs: number,
    { fill, trainable, rate }: PartOptions,
  ): (input: LinearInput, activation?: Parameters<typeof dense>[3]) => tf.Tensor {
    const apply = this.#weights.bind(path, {
      weights: {
        kernel: { shape: [inputs, outputs], fill, decay: true, trainable, rate },
        bias: { shape: [outputs], fill: zeros, decay: false, trainable, rate },
      },
      macs: inputs * outputs,
      apply: (
        { kernel, bias },
        { x, addend, activation }: LinearInput & { activation?: Parameters<typeof dense>[3] },
      ) => dense(x, kernel as tf.Tensor2D, bias as tf.Tensor1D, activation, addend),
    });
    return (input, activation = "linear") => apply({ ...input, activation });
  }
}
