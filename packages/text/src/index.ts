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
export { type LabelledTexts, type LabelledTokens, type TextDatasetOptions, textDataset, tokenize } from "./dataset.ts";
export {
  attentionHeads,
  type HeadImportance,
  type HeadImportanceOptions,
  headImportance,
  leastImportantHeads,
  pruneHeads,
  textMacs,
} from "./heads.ts";
export { type Imdb, type ImdbOptions, loadImdb } from "./imdb.ts";
export type { Pooling } from "./pooling.ts";
export type { ModelFiles } from "./source.ts";
export { readTexts, type TextColumns } from "./text-file.ts";
export {
  loadTokenizer,
  TextTokenizer,
  type TokenizerOptions,
  type TokenSequence,
  type Truncation,
} from "./tokenizer.ts";
export { type Positions, type TransformerEncoderOptions, transformerEncoder } from "./transformer.ts";
export { buildTokenizer, tokenizerFiles, type VocabularyOptions } from "./vocabulary.ts";
