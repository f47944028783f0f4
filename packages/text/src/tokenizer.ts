import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { ConfigError, FormatError } from "@l0gm/core";
import { CONFIG_FILE, type ModelFiles, ModelSource } from "./source.ts";
import { encodesByChunk, WordCache } from "./word-cache.ts";

/** Which tokens of a long text stay. */
export type Truncation = "head" | "head-and-tail";

/** Options of {@link loadTokenizer}. */
export interface TokenizerOptions {
  /** Longest sequence, special tokens included. @defaultValue what the tokenizer states, 512 at most */
  readonly maximumLength?: number;
  /** The first tokens, or the first and the last half of them (a review's verdict often stands at its end). @defaultValue "head" */
  readonly truncation?: Truncation;
}

/** A text as a model reads it. */
export interface TokenSequence {
  readonly ids: Int32Array;
  /** Which of two texts each token belongs to, 0 or 1. */
  readonly types: Uint8Array;
}

/** Special tokens around one text, or around and between two. */
interface Template {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
}

const FILES = { tokenizer: "tokenizer.json", config: "tokenizer_config.json" } as const;

/** What the supported models read at most. It also stands in where a tokenizer states no length, or 10^30 for none. */
const LONGEST = 512;

/**
 * Turns texts into token ids, as the tokenizer of a Hugging Face model does, with truncation.
 *
 * @example
 * ```ts
 * declare const tokenizer: TextTokenizer; // await loadTokenizer("models/all-minilm-l6-v2")
 * const { ids } = tokenizer.encode("A film to remember.");
 * ```
 */
export class TextTokenizer {
  readonly maximumLength: number;
  readonly truncation: Truncation;
  /** Id that fills the ends of shorter sequences; the mask hides it. */
  readonly paddingId: number;
  /** One more than the largest id, special and added tokens included. */
  readonly vocabularySize: number;
  /** The same for tokenizers that make the same ids of every text. */
  readonly fingerprint: string;
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #words: WordCache | undefined;
  readonly #single: Template;
  readonly #pair: Template;

  /**
   * @param tokenizer - the content of `tokenizer.json`
   * @param config - that of `tokenizer_config.json`
   * @param where - for messages
   * @throws FormatError when they describe no tokenizer
   * @throws ConfigError when an option is out of range
   */
  constructor(tokenizer: object, config: object, options: TokenizerOptions = {}, where = "TextTokenizer") {
    try {
      this.#tokenizer = new HuggingFaceTokenizer(tokenizer, config);
    } catch (cause) {
      const received = cause instanceof Error ? cause.message : String(cause);
      throw new FormatError({ where, expected: "a tokenizer in the Hugging Face format", received }, { cause });
    }
    this.#words = encodesByChunk(tokenizer) ? new WordCache((chunk) => this.#whole(chunk)) : undefined;
    const { maximumLength = statedLength(config), truncation = "head" } = options;
    this.#single = this.#template();
    this.#pair = this.#template(SAMPLE);
    const special = [this.#pair.before, this.#pair.between, this.#pair.after].flat().length;
    if (!Number.isSafeInteger(maximumLength) || maximumLength <= special) {
      const expected = `maximumLength to be an integer above the ${special} special tokens`;
      throw new ConfigError({ where, expected, received: maximumLength });
    }
    if (truncation !== "head" && truncation !== "head-and-tail") {
      throw new ConfigError({ where, expected: 'truncation to be "head" or "head-and-tail"', received: truncation });
    }
    this.maximumLength = maximumLength;
    this.truncation = truncation;
    const padding = Reflect.get(config, "pad_token");
    const content = typeof padding === "object" && padding !== null ? Reflect.get(padding, "content") : padding;
    this.paddingId = this.#tokenizer.token_to_id(typeof content === "string" ? content : "[PAD]") ?? 0;
    this.fingerprint = JSON.stringify([tokenizer, config, maximumLength, truncation]);
    let largest = -1;
    for (const id of this.#tokenizer.get_vocab(true).values()) largest = Math.max(largest, id);
    this.vocabularySize = largest + 1;
  }

  /**
   * @param pair - a second text, for models that compare two
   * @returns at most `maximumLength` tokens; of two texts the longer one is cut first
   */
  encode(text: string, pair?: string): TokenSequence {
    const { before, between, after } = pair === undefined ? this.#single : this.#pair;
    const room = this.maximumLength - before.length - between.length - after.length;
    let first = this.#plain(text);
    let second = pair === undefined ? [] : this.#plain(pair);
    if (first.length + second.length > room) {
      const half = Math.floor(room / 2);
      const kept = Math.min(second.length, Math.max(half, room - first.length));
      second = this.#cut(second, kept);
      first = this.#cut(first, room - kept);
    }
    const ids = Int32Array.from([...before, ...first, ...between, ...second, ...after]);
    const types = new Uint8Array(ids.length);
    if (pair !== undefined) types.fill(1, before.length + first.length + between.length);
    return { ids, types };
  }

  /** The text of token ids, special tokens left out. */
  decode(ids: ArrayLike<number>): string {
    return this.#tokenizer.decode(Array.from(ids), { skip_special_tokens: true });
  }

  /** The tokens of a text, special ones included, as the vocabulary spells them. */
  tokens(text: string): string[] {
    return this.#tokenizer.tokenize(text, { add_special_tokens: true });
  }

  #plain(text: string): number[] {
    return this.#words?.encode(text) ?? this.#whole(text);
  }

  #whole(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  #cut(ids: number[], length: number): number[] {
    if (ids.length <= length) return ids;
    if (this.truncation === "head") return ids.slice(0, length);
    const tail = Math.floor(length / 2);
    return [...ids.slice(0, length - tail), ...ids.slice(ids.length - tail)];
  }

  /** What the tokenizer puts around a text, found out by letting it. */
  #template(pair?: string): Template {
    const content = this.#plain(SAMPLE);
    const whole = this.#tokenizer.encode(SAMPLE, { ...(pair === undefined ? {} : { text_pair: pair }) }).ids;
    const start = indexOfRun(whole, content, 0);
    const end = start + content.length;
    const before = whole.slice(0, start);
    if (pair === undefined) return { before, between: [], after: whole.slice(end) };
    const second = indexOfRun(whole, content, end);
    return { before, between: whole.slice(end, second), after: whole.slice(second + content.length) };
  }
}

/** How long a sequence may be by the tokenizer's own word. */
function statedLength(config: object): number {
  const stated = Number(Reflect.get(config, "model_max_length"));
  return stated > 0 && stated < LONGEST ? stated : LONGEST;
}

/** A word that every tokenizer makes something of. */
const SAMPLE = "a";

function indexOfRun(ids: readonly number[], run: readonly number[], from: number): number {
  for (let start = from; start + run.length <= ids.length; start++) {
    if (run.every((id, i) => ids[start + i] === id)) return start;
  }
  throw new FormatError({
    where: "tokenizer.json",
    expected: "special tokens around a text, and none within it",
    received: `${ids} for a text of ${run}`,
  });
}

/**
 * The tokenizer of a model in the Hugging Face format. Where the model's `config.json` lies beside it, the two are compared.
 *
 * @param files - the model's folder, or anything that reads its files
 * @throws FormatError when a file is absent or damaged, or the tokenizer has more ids than the model
 * @throws ConfigError when an option is out of range, or `maximumLength` above what the model reads
 *
 * @example
 * ```ts
 * declare const folder: string; // with tokenizer.json and tokenizer_config.json
 * const tokenizer = await loadTokenizer(folder, { maximumLength: 256, truncation: "head-and-tail" });
 * ```
 */
export async function loadTokenizer(files: ModelFiles, options: TokenizerOptions = {}): Promise<TextTokenizer> {
  const source = new ModelSource(files);
  const [json, config] = await Promise.all([source.json(FILES.tokenizer), source.json(FILES.config)]);
  const where = source.pathOf(FILES.tokenizer);
  const model = (await source.has(CONFIG_FILE)) ? await source.json(CONFIG_FILE) : {};
  const { vocab_size: ids, max_position_embeddings: positions } = model;
  const longest = typeof positions === "number" ? positions : Number.POSITIVE_INFINITY;
  const { maximumLength = Math.min(statedLength(config), longest) } = options;
  if (maximumLength > longest) {
    const expected = `maximumLength to be at most ${longest}, the longest text that the model reads`;
    throw new ConfigError({ where, expected, received: maximumLength });
  }
  const tokenizer = new TextTokenizer(json, config, { ...options, maximumLength }, where);
  if (typeof ids === "number" && tokenizer.vocabularySize > ids) {
    throw new FormatError({
      where,
      expected: `at most ${ids} token ids, as the model's ${CONFIG_FILE} says`,
      received: tokenizer.vocabularySize,
      hint: "The tokenizer is another model's: take all files from one.",
    });
  }
  return tokenizer;
}
