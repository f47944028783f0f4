import type { LabelledTexts, LabelledTokens, TokenSequence } from "@l0gm/text";

/** Some rows of texts, in the order of `rows`. */
export function selectTexts({ texts, pairs, labels, classes }: LabelledTexts, rows: ArrayLike<number>): LabelledTexts {
  return {
    texts: Array.from(rows, (row) => texts[row] as string),
    ...(pairs === undefined ? {} : { pairs: Array.from(rows, (row) => pairs[row] as string) }),
    labels: Int32Array.from(rows, (row) => labels[row] as number),
    classes,
  };
}

/** Some rows of token sequences, in the order of `rows`. */
export function selectTokens(tokens: LabelledTokens, rows: ArrayLike<number>): LabelledTokens {
  return {
    ...tokens,
    sequences: Array.from(rows, (row) => tokens.sequences[row] as TokenSequence),
    labels: Int32Array.from(rows, (row) => tokens.labels[row] as number),
  };
}

/** Rows at equal distances: of sorted texts, some of all lengths. */
export function evenSample(tokens: LabelledTokens, count: number): LabelledTokens {
  const { length } = tokens.sequences;
  const rows = Array.from({ length: Math.min(count, length) }, (_, i) =>
    Math.floor((i * length) / Math.min(count, length)),
  );
  return selectTokens(tokens, rows);
}
