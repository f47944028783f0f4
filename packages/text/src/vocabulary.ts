import { ConfigError, DataError } from "@l0gm/core";
import { TextTokenizer, type TokenizerOptions } from "./tokenizer.ts";

/** Options of {@link buildTokenizer}. */
export interface VocabularyOptions extends TokenizerOptions {
  /** Most entries, special tokens and single characters included. @defaultValue 16384 */
  readonly size?: number;
  /** Words that occur less often are spelt by shorter entries. @defaultValue 3 */
  readonly minimumCount?: number;
}

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] as const;

/** What stands before an entry that continues a word. */
const CONTINUED = "##";

/** As the pre-tokenizer of BERT: words, and each sign of punctuation alone. */
const WORDS = /[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu;

/** Endings up to this length become entries of their own. */
const LONGEST_ENDING = 4;

function normalized(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "");
}

function countInto(counts: Map<string, number>, entry: string, times = 1): void {
  counts.set(entry, (counts.get(entry) ?? 0) + times);
}

function byCount(counts: ReadonlyMap<string, number>, least: number): string[] {
  return [...counts]
    .filter(([, count]) => count >= least)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([entry]) => entry);
}

/**
 * A tokenizer whose vocabulary is made of the given texts: every character, the most frequent words, and frequent endings, so that rare
 * words are spelt by a known beginning, endings and characters and none is unknown whose characters were seen, but for words of more than
 * 100 characters. Texts are lower-cased and lose their accents, as for BERT without case. The same texts give the same tokenizer.
 *
 * @param texts - of the training rows alone
 * @throws DataError when there is no word in them
 * @throws ConfigError when `size` leaves no room for words
 *
 * @example
 * ```ts
 * const tokenizer = buildTokenizer(["A good film.", "A bad film."], { minimumCount: 1 });
 * console.log(tokenizer.tokens("a good badfilm").join(" ")); // [CLS] a good bad ##f ##i ##l ##m [SEP]
 * ```
 */
export function buildTokenizer(texts: readonly string[], options: VocabularyOptions = {}): TextTokenizer {
  return new TextTokenizer(...tokenizerFiles(texts, options), options, "buildTokenizer");
}

/** The contents of `tokenizer.json` and `tokenizer_config.json`, to be kept with a model. */
export function tokenizerFiles(
  texts: readonly string[],
  options: VocabularyOptions = {},
): [tokenizer: object, config: object] {
  const where = "buildTokenizer";
  const { size = 16_384, minimumCount = 3 } = options;
  const words = new Map<string, number>();
  for (const text of texts) for (const word of normalized(text).match(WORDS) ?? []) countInto(words, word);
  if (words.size === 0) throw new DataError({ where, expected: "texts with words in them", received: texts.length });
  const characters = new Map<string, number>();
  const endings = new Map<string, number>();
  for (const [word, count] of words) {
    const letters = [...word];
    for (const letter of letters) countInto(characters, letter, count);
    for (let length = 2; length <= Math.min(LONGEST_ENDING, letters.length - 1); length++) {
      countInto(endings, letters.slice(-length).join(""), count);
    }
  }
  const single = byCount(characters, 1);
  const spelling = [...single, ...single.map((letter) => CONTINUED + letter)];
  const room = size - SPECIAL.length - spelling.length;
  if (!Number.isSafeInteger(size) || room < 1) {
    const expected = `size to be an integer above the ${SPECIAL.length + spelling.length} special tokens and characters`;
    throw new ConfigError({ where, expected, received: size });
  }
  const common = byCount(endings, minimumCount).slice(0, Math.floor(room / 16));
  const longer = byCount(words, minimumCount).filter((word) => [...word].length > 1);
  const entries = [
    ...SPECIAL,
    ...spelling,
    ...common.map((ending) => CONTINUED + ending),
    ...longer.slice(0, room - common.length),
  ];
  return [tokenizerOf(entries), { tokenizer_class: "BertTokenizer", do_lower_case: true, pad_token: "[PAD]" }];
}

/** The format of Hugging Face, as for BERT without case. */
function tokenizerOf(entries: readonly string[]): object {
  const ids = Object.fromEntries(entries.map((entry, id) => [entry, id]));
  const special = (content: string): object => ({ id: content, ids: [ids[content]], tokens: [content] });
  const token = (id: string, type: number): object => ({ SpecialToken: { id, type_id: type } });
  const sequence = (id: string, type: number): object => ({ Sequence: { id, type_id: type } });
  const single = [token("[CLS]", 0), sequence("A", 0), token("[SEP]", 0)];
  return {
    version: "1.0",
    added_tokens: SPECIAL.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, sequence("B", 1), token("[SEP]", 1)],
      special_tokens: { "[CLS]": special("[CLS]"), "[SEP]": special("[SEP]") },
    },
    decoder: { type: "WordPiece", prefix: CONTINUED, cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: CONTINUED,
      max_input_chars_per_word: 100,
      vocab: ids,
    },
  };
}
