import type { EncodeContext } from "@l0gm/core";
import { dropout, glorotUniform, type Module, type Weight, zeros } from "@l0gm/core/modules";
import { attention, type DenseActivation, dense } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";

/** What a linear layer is fed, and what its result is added to. */
export interface LinearInput {
  readonly x: tf.Tensor;
  readonly activation?: DenseActivation;
  readonly addend?: tf.Tensor;
}

export type Linear = (input: LinearInput) => tf.Tensor;

/** How weights begin, and how they are trained. */
export type WeightOptions = Partial<Pick<Weight, "fill" | "trainable" | "rate">>;

/** @param options - `fill` is the kernel's: biases begin at 0 */
export function linear(
  inputs: number,
  outputs: number,
  { fill = glorotUniform(inputs, outputs), ...training }: WeightOptions = {},
): Module<LinearInput, "kernel" | "bias"> {
  return {
    weights: {
      kernel: { shape: [inputs, outputs], fill, decay: true, ...training },
      bias: { shape: [outputs], fill: zeros, decay: false, ...training },
    },
    macs: inputs * outputs,
    apply: ({ kernel, bias }, { x, activation, addend }) =>
      dense(x, kernel as tf.Tensor2D, bias as tf.Tensor1D, activation, addend),
  };
}

/** A vector for each of so many ids. */
export function table(
  rows: number,
  width: number,
  options: WeightOptions & Pick<Weight, "fill" | "decay">,
): Module<undefined, "table"> {
  return { weights: { table: { shape: [rows, width], ...options } }, macs: 0, apply: (weights) => weights.table };
}

/** `addend + layer(x)`. Dropped out in training, else the addition costs no pass of its own. */
export function residual(
  layer: Linear,
  x: tf.Tensor,
  addend: tf.Tensor,
  rate: number,
  context: EncodeContext,
): tf.Tensor {
  return context.training && rate > 0 ? tf.add(addend, dropout(layer({ x }), rate, context)) : layer({ x, addend });
}

/** @param headMask - `[rows, heads]`, factors on what the heads give */
export type Block = (x: tf.Tensor3D, mask: tf.Tensor2D, context: EncodeContext, headMask?: tf.Tensor2D) => tf.Tensor3D;

/** The linear layers in front of attention; how many heads share their results, and the rate at which attention weights drop out. */
export interface SelfAttentionOptions {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly heads: number;
  readonly dropout: number;
  /** What is done to queries and keys, `[rows, tokens, width]`. */
  readonly place?: (x: tf.Tensor3D) => tf.Tensor3D;
}

/** What every token gathers from the others, `[rows, tokens, width]`, the heads' parts side by side. */
export function selfAttention(options: SelfAttentionOptions): Block {
  const { query, key, value, heads, dropout: rate, place = (x) => x } = options;
  return (x, mask, context, headMask) => {
    const [rows, tokens] = x.shape;
    const [q, k] = [place(query({ x }) as tf.Tensor3D), place(key({ x }) as tf.Tensor3D)];
    const dropped =
      context.training && rate > 0
        ? { dropout: { rate, source: context.random.take(rows * heads * tokens * tokens) } }
        : {};
    const gathered = attention(q, k, value({ x }) as tf.Tensor3D, { heads, mask, ...dropped });
    return headMask === undefined ? gathered : scaleHeads(gathered, heads, headMask);
  };
}

function scaleHeads(x: tf.Tensor3D, heads: number, factors: tf.Tensor2D): tf.Tensor3D {
  const [rows, tokens, width] = x.shape;
  const apart = tf.reshape(x, [rows, tokens, heads, width / heads]);
  return tf.reshape(tf.mul(apart, tf.reshape(factors, [rows, 1, heads, 1])), x.shape);
}
