import { ConfigError, DataError, ShapeError } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";

/** Texts as token ids, padded to the longest of them. */
export interface TokenBatch {
  /** int32 `[rows, tokens]` */
  readonly ids: tf.Tensor2D;
  /** float32 `[rows, tokens]`: 1 for a token, 0 for padding. */
  readonly mask: tf.Tensor2D;
  /** int32 `[rows, tokens]`: which of two texts a token belongs to; absent, there is one. */
  readonly types?: tf.Tensor2D;
  /**
   * Factors on what an encoder's attention heads give, `[rows, heads]` for each layer that is used, of the heads that it has: 0 silences a
   * head. The gradient of a loss by them tells how much it depends on a head.
   */
  readonly headMasks?: readonly tf.Tensor2D[];
}

/** Texts as a frozen prefix of an encoder has left them: what a feature cache holds. */
export interface HiddenBatch {
  /** float32 `[rows, tokens, hidden]` */
  readonly hidden: tf.Tensor3D;
  /** float32 `[rows, tokens]`: 1 for a token, 0 for padding. */
  readonly mask: tf.Tensor2D;
  /** Blocks that they have gone through. */
  readonly layers: number;
}

/** What the encoders of this package read. */
export type TextBatch = TokenBatch | HiddenBatch;

/** What an encoder can read. */
export interface TokenLimits {
  /** Number of token ids. */
  readonly vocabularySize: number;
  /** Longest sequence. */
  readonly maximumLength: number;
  /** Kinds of segments; absent, segments are not looked at. */
  readonly types?: number;
}

/**
 * @throws ShapeError when the tensors do not belong together
 * @throws ConfigError when the texts are longer than an encoder can read
 * @throws DataError when an id is not in the vocabulary, or a type is of no segment; WebGPU, which has no way to read ids at once, takes another one's vector
 */
export function checkTokens({ ids, mask, types }: TokenBatch, where: string, limits: TokenLimits): void {
  const same = [mask, ...(types === undefined ? [] : [types])].every(
    ({ shape }) => String(shape) === String(ids.shape),
  );
  if (ids.rank !== 2 || !same) {
    const received = [ids, mask, types].map((tensor) => `[${tensor?.shape}]`).join(", ");
    throw new ShapeError({ where, expected: "ids, mask and types [rows, tokens]", received });
  }
  const [, tokens] = ids.shape;
  if (tokens > limits.maximumLength) {
    const hint = `Give the tokenizer a maximumLength of ${limits.maximumLength}.`;
    const expected = `texts of ${limits.maximumLength} tokens at most`;
    throw new ConfigError({ where, expected, received: tokens, hint });
  }
  if (tf.getBackend() === "webgpu") return;
  const firstBeyond = (tensor: tf.Tensor, limit: number): number | undefined =>
    tensor.dataSync().find((id) => !(id >= 0 && id < limit));
  const segment = limits.types === undefined || types === undefined ? undefined : firstBeyond(types, limits.types);
  if (segment !== undefined) {
    const hint = limits.types === 1 ? "The model reads single texts, no pairs." : undefined;
    const expected = `types from 0 to ${(limits.types ?? 0) - 1}`;
    throw new DataError({ where, expected, received: segment, ...(hint === undefined ? {} : { hint }) });
  }
  const id = firstBeyond(ids, limits.vocabularySize);
  if (id === undefined) return;
  throw new DataError({
    where,
    expected: `token ids from 0 to ${limits.vocabularySize - 1}`,
    received: id,
    hint: "The tokenizer is another model's: load it from the encoder's folder.",
  });
}
