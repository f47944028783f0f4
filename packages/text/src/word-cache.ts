/** Chunks that are remembered: more than the frequent ones of a corpus of reviews. */
const ENTRIES = 65_536;

/** Longer chunks are rare; V8 keeps a slice of 13 characters or more as a reference to the whole text, which would stay in memory. */
const LONGEST = 12;

/**
 * White space that every part of such a tokenizer treats as a boundary. Others that JavaScript counts as white space are control characters
 * to BERT's normalizer, which removes them: "a\vb" is one word.
 */
const BOUNDARY = /[ \t\n\r]+/;

/**
 * Whether a tokenizer makes of a text what it makes of the chunks between white space, one after the other: BERT's, unless an added token
 * has white space in it or unknown words next to each other become one.
 *
 * @param tokenizer - the content of `tokenizer.json`
 */
export function encodesByChunk(tokenizer: object): boolean {
  const typeOf = (part: string): unknown => (Reflect.get(tokenizer, part) as { type?: unknown } | null)?.type;
  const model = Reflect.get(tokenizer, "model") as { fuse_unk?: unknown } | null;
  const added = Reflect.get(tokenizer, "added_tokens") as readonly { content: string }[];
  return (
    typeOf("normalizer") === "BertNormalizer" &&
    typeOf("pre_tokenizer") === "BertPreTokenizer" &&
    typeOf("model") === "WordPiece" &&
    model?.fuse_unk !== true &&
    added.every(({ content }) => /^[!-~]+$/.test(content))
  );
}

/** Encodes texts by their chunks between white space, and remembers what became of a chunk: language repeats itself. */
export class WordCache {
  readonly #encode: (chunk: string) => readonly number[];
  readonly #known = new Map<string, readonly number[]>();

  /** @param encode - of a tokenizer that {@link encodesByChunk} */
  constructor(encode: (chunk: string) => readonly number[]) {
    this.#encode = encode;
  }

  encode(text: string): number[] {
    const ids: number[] = [];
    for (const chunk of text.split(BOUNDARY)) {
      if (chunk === "") continue;
      for (const id of this.#idsOf(chunk)) ids.push(id);
    }
    return ids;
  }

  #idsOf(chunk: string): readonly number[] {
    const known = this.#known.get(chunk);
    if (known !== undefined) return known;
    const ids = this.#encode(chunk);
    if (chunk.length <= LONGEST && this.#known.size < ENTRIES) this.#known.set(chunk, ids);
    return ids;
  }
}
