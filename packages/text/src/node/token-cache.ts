import { createHash } from "node:crypto";
import { decodeSafetensors, encodeSafetensors, FormatError, VERSION } from "@l0gm/core";
import { directory as openDirectory } from "@l0gm/core/node";
import { type LabelledTexts, type LabelledTokens, tokenize } from "../dataset.ts";
import type { TextTokenizer, TokenSequence } from "../tokenizer.ts";

/** To be changed with what {@link tokenize} makes of a text, or how it is kept: part of every file's name. */
const FORMAT = "l0gm-tokens-2";

/**
 * As {@link tokenize}, but what was done before is read from disk.
 *
 * @param directory - folder of all caches; a file's name says which texts, which tokenizer and which version of L0GM it is of
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
  const hash = createHash("sha256").update(JSON.stringify([FORMAT, VERSION, tokenizer.fingerprint]));
  for (const texts of [data.texts, data.pairs ?? []]) {
    hash.update(`\n${texts.length}`);
    for (const text of texts) hash.update(JSON.stringify(text));
  }
  const name = `tokens-${hash.digest("hex").slice(0, 16)}.safetensors`;
  const { labels, classes } = data;
  const rest = { labels, classes: classes.length, paddingId: tokenizer.paddingId };
  const bytes = await files.read(name);
  if (bytes !== undefined) return { ...rest, sequences: unpack(bytes, data.texts.length, `${files.location}/${name}`) };
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
  return encodeSafetensors(new Map(tensors), { format: FORMAT, sha256: checksumOf(lengths, ids, types) });
}

function checksumOf(...tensors: readonly Int32Array[]): string {
  const hash = createHash("sha256");
  for (const tensor of tensors) hash.update(tensor);
  return hash.digest("hex");
}

function unpack(bytes: Uint8Array, rows: number, where: string): TokenSequence[] {
  const hint = "Remove the file: it is made again.";
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  const integers = (name: string): Int32Array => {
    const tensor = tensors.get(name);
    if (tensor?.dtype === "I32") return tensor.data;
    throw new FormatError({ where, expected: `integers called ${name}`, received: tensor?.dtype, hint });
  };
  const [lengths, ids, types] = [integers("lengths"), integers("ids"), integers("types")];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (lengths.length !== rows || ids.length !== total || types.length !== total) {
    const received = `${lengths.length} texts and ${ids.length} tokens`;
    throw new FormatError({ where, expected: `${rows} texts and ${total} tokens`, received, hint });
  }
  const received = checksumOf(lengths, ids, types);
  if (received !== metadata["sha256"]) {
    throw new FormatError({ where, expected: `tokens with the SHA-256 ${metadata["sha256"]}`, received, hint });
  }
  let at = 0;
  return Array.from(lengths, (length) => {
    const sequence = {
      ids: ids.slice(at, at + length),
      types: Uint8Array.from(types.subarray(at, at + length)),
    };
    at += length;
    return sequence;
  });
}
