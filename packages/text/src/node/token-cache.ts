import { createHash } from "node:crypto";
import { decodeSafetensors, encodeSafetensors } from "@l0gm/core";
import { directory as openDirectory } from "@l0gm/core/node";
import { type LabelledTexts, type LabelledTokens, tokenize } from "../dataset.ts";
import type { TextTokenizer, TokenSequence } from "../tokenizer.ts";

/**
 * As {@link tokenize}, but what was done before is read from disk.
 *
 * @param directory - folder of all caches; a file's name says which texts and which tokenizer it is of
 * @throws DataError when a text has nothing but white space
 * @throws FormatError when a file is damaged
 *
 * @example
 * ```ts
 * import { type LabelledTexts, loadTokenizer } from "@l0gm/text";
 * declare const [model, texts]: [string, LabelledTexts];
 * const tokens = await cacheTokens(texts, await loadTokenizer(model), "cache");
 * ```
 */
export async function cacheTokens(
  data: LabelledTexts,
  tokenizer: TextTokenizer,
  directory: string,
): Promise<LabelledTokens> {
  const files = openDirectory(directory);
  const hash = createHash("sha256").update(tokenizer.fingerprint);
  for (const text of data.texts) hash.update(text).update("\0");
  for (const text of data.pairs ?? []) hash.update("\0").update(text);
  const name = `tokens-${hash.digest("hex").slice(0, 16)}.safetensors`;
  const { labels, classes } = data;
  const rest = { labels, classes: classes.length, paddingId: tokenizer.paddingId };
  const bytes = await files.read(name);
  if (bytes !== undefined) return { ...rest, sequences: unpack(bytes, `${files.location}/${name}`) };
  const { sequences } = tokenize(data, tokenizer);
  await files.write(name, pack(sequences));
  return { ...rest, sequences };
}

function pack(sequences: readonly TokenSequence[]): Uint8Array {
  const lengths = Int32Array.from(sequences, ({ ids }) => ids.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const [ids, types] = [new Int32Array(total), new Int32Array(total)];
  let at = 0;
  for (const sequence of sequences) {
    ids.set(sequence.ids, at);
    types.set(sequence.types, at);
    at += sequence.ids.length;
  }
  const tensors = Object.entries({ lengths, ids, types }).map(
    ([name, data]) => [name, { dtype: "I32", shape: [data.length], data }] as const,
  );
  return encodeSafetensors(new Map(tensors));
}

function unpack(bytes: Uint8Array, where: string): TokenSequence[] {
  const { tensors } = decodeSafetensors(bytes, where);
  const [lengths, ids, types] = ["lengths", "ids", "types"].map((name) => tensors.get(name)?.data as Int32Array);
  let at = 0;
  return Array.from(lengths ?? [], (length) => {
    const sequence = {
      ids: (ids as Int32Array).slice(at, at + length),
      types: Uint8Array.from((types as Int32Array).subarray(at, at + length)),
    };
    at += length;
    return sequence;
  });
}
