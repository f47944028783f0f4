import { Tokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TextTokenizer } from "./tokenizer.ts";
import { tokenizerFiles } from "./vocabulary.ts";
import { encodesByChunk, WordCache } from "./word-cache.ts";

const [files, config] = tokenizerFiles(["A good film, and a bad one: σοφός 電影 naïve", "[x] CLS SEP"], {
  minimumCount: 1,
});

/** Pieces that something is made of by a rule of its own: special tokens, accents, final sigma, characters that are removed or set apart. */
const piece = fc.oneof(
  fc.constantFrom(
    "good",
    "FILM",
    "badfilm",
    "[CLS]",
    "[SEP]x",
    "naïve",
    "e\u0301",
    "\u0301",
    "ΣΟΦΟΣ",
    "Σ",
    "電影",
    "zebra",
  ),
  fc.constantFrom(
    " ",
    "\t",
    "\n",
    "\r\n",
    "\v",
    "\f",
    "\0",
    "\u00a0",
    "\u2028",
    "\ufeff",
    "\u200d",
    "\ufffd",
    "\ud83d",
    ",",
    "::",
  ),
  fc.string({ unit: "binary", maxLength: 4 }),
);

describe("WordCache", () => {
  test("gives what the tokenizer makes of the whole text, whatever is in it", () => {
    const tokenizer = new Tokenizer(files, config);
    const whole = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false }).ids;
    const cache = new WordCache(whole);
    expect(encodesByChunk(files)).toBe(true);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        expect(cache.encode(text)).toEqual(whole(text));
      }),
      { numRuns: 2000 },
    );
  });

  test("encodes a word once, but a long one each time", () => {
    const asked: string[] = [];
    const cache = new WordCache((chunk) => {
      asked.push(chunk);
      return [chunk.length];
    });
    expect(cache.encode(" one two\n one extraordinarily ")).toEqual([3, 3, 3, 15]);
    expect(cache.encode("two extraordinarily")).toEqual([3, 15]);
    expect(asked).toEqual(["one", "two", "extraordinarily", "extraordinarily"]);
  });
});

test.each([
  ["another normalizer", { normalizer: { type: "NFC" } }],
  ["another pre-tokenizer", { pre_tokenizer: { type: "ByteLevel" } }],
  ["none", { normalizer: null, pre_tokenizer: null }],
  ["unknown words that become one", { model: { type: "WordPiece", fuse_unk: true } }],
  ["white space in an added token", { added_tokens: [{ content: "[a b]" }] }],
])("a tokenizer with %s reads the whole text at once", (_, changes) => {
  expect(encodesByChunk({ ...files, ...changes })).toBe(false);
});

test("a tokenizer that unites unknown words is not cut at white space", () => {
  const model = { ...(Reflect.get(files, "model") as object), fuse_unk: true };
  const tokenizer = new TextTokenizer({ ...files, model }, config);
  expect(tokenizer.encode("\u4e00 \u4e01").ids).toHaveLength(3);
});
