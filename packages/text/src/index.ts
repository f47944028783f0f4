/**
 * Text for L0-gated learning: tokenizers, datasets, pretrained BERT encoders and Transformers from scratch.
 *
 * @packageDocumentation
 */

export type { HiddenBatch, TextBatch, TokenBatch } from "./batch.ts";
export {
  type BertEncoderOptions,
  type BertPooling,
  type BertPrefix,
  bertEncoder,
  bertPrefix,
  saveBert,
} from "./bert.ts";
export type { Pooling } from "./pooling.ts";
export type { ModelFiles } from "./source.ts";
export {
  loadTokenizer,
  TextTokenizer,
  type TokenizerOptions,
  type TokenSequence,
  type Truncation,
} from "./tokenizer.ts";
