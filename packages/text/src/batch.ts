import type * as tf from "@tensorflow/tfjs-core";

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
}

/** What the encoders of this package read. */
export type TextBatch = TokenBatch | HiddenBatch;
