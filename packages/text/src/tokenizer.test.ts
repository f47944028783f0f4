import { memoryFiles } from "@l0gm/core";
import { describe, expect, test } from "vitest";
import { golden, MODELS, unlessThere } from "../test/models.ts";
import { loadTokenizer, TextTokenizer } from "./tokenizer.ts";
import { tokenizerFiles } from "./vocabulary.ts";

interface Cases {
  readonly cases: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly tokens: readonly string[];
  }[];
}

/** A tokenizer of whole words, with the special tokens of BERT. */
function words(options: ConstructorParameters<typeof TextTokenizer>[2] = {}): TextTokenizer {
  const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d", "e", "f"];
  const special = (content: string) => ({ id: vocabulary.indexOf(content), content, special: true });
  const piece = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
  const text = (id: string, type_id = 0) => ({ Sequence: { id, type_id } });
  return new TextTokenizer(
    {
      version: "1.0",
      added_tokens: vocabulary.slice(0, 4).map(special),
      normalizer: null,
      pre_tokenizer: { type: "Whitespace" },
      post_processor: {
        type: "TemplateProcessing",
        single: [piece("[CLS]"), text("A"), piece("[SEP]")],
        pair: [piece("[CLS]"), text("A"), piece("[SEP]"), text("B", 1), piece("[SEP]", 1)],
        special_tokens: {
          "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
          "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
        },
      },
      decoder: null,
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
      },
    },
    { pad_token: "[PAD]", model_max_length: 8 },
    options,
  );
}

describe.each(MODELS)("$name", ({ folder, there }) => {
  test.skipIf(!there)(`gives the ids of the Python tokenizer on all cases${unlessThere(there)}`, async () => {
    const tokenizer = await loadTokenizer(folder);
    const { cases } = golden<Cases>(folder, "tokenizer-cases.json");
    expect(cases).toHaveLength(34);
    for (const { text, ids, tokens } of cases) {
      expect([...tokenizer.encode(text).ids], text).toEqual(ids);
      expect(tokenizer.tokens(text), text).toEqual(tokens);
    }
    expect([tokenizer.paddingId, tokenizer.vocabularySize, tokenizer.maximumLength]).toEqual([0, 30_522, 512]);
  });
});

describe("TextTokenizer", () => {
  test("puts special tokens around a text, or around and between two", () => {
    const tokenizer = words();
    expect([...tokenizer.encode("a b x").ids]).toEqual([2, 4, 5, 1, 3]);
    const pair = tokenizer.encode("a b", "c");
    expect([...pair.ids]).toEqual([2, 4, 5, 3, 6, 3]);
    expect([...pair.types]).toEqual([0, 0, 0, 0, 1, 1]);
    expect([...tokenizer.encode("").ids]).toEqual([2, 3]);
    expect(tokenizer.decode([2, 4, 5, 3])).toMatch(/a ?b/);
  });

  test("keeps the first tokens of a long text, or the first and the last", () => {
    const text = "a b c d e f";
    expect([...words({ maximumLength: 6 }).encode(text).ids]).toEqual([2, 4, 5, 6, 7, 3]);
    const both = words({ maximumLength: 7, truncation: "head-and-tail" });
    expect([...both.encode(text).ids]).toEqual([2, 4, 5, 6, 8, 9, 3]);
    expect([...both.encode("a b").ids]).toEqual([2, 4, 5, 3]);
    expect(words().maximumLength).toBe(8);
  });

  test("cuts the longer of two texts first", () => {
    const tokenizer = words({ maximumLength: 8 });
    expect([...tokenizer.encode("a b c d e f", "a").ids]).toEqual([2, 4, 5, 6, 7, 3, 4, 3]);
    expect([...tokenizer.encode("a", "a b c d e f").ids]).toEqual([2, 4, 3, 4, 5, 6, 7, 3]);
    expect([...tokenizer.encode("a b c d", "d e f a").ids]).toEqual([2, 4, 5, 6, 3, 7, 8, 3]);
  });

  test("refuses lengths without room, and files that are absent or damaged", async () => {
    expect(() => words({ maximumLength: 3 })).toThrow(/above the 3 special tokens/);
    expect(() => words({ truncation: "tail" as "head" })).toThrow(/head-and-tail/);
    expect(() => new TextTokenizer({}, {})).toThrow(/a tokenizer in the Hugging Face format/);
    const files = memoryFiles();
    await expect(loadTokenizer(files)).rejects.toThrow(/tokenizer\.json.*no such file/s);
    await files.write("tokenizer.json", new TextEncoder().encode("{"));
    await files.write("tokenizer_config.json", new TextEncoder().encode("{}"));
    await expect(loadTokenizer(files)).rejects.toThrow(/JSON/);
  });
});

test("is compared with the model beside it", async () => {
  const files = memoryFiles();
  const write = (name: string, value: object) => files.write(name, new TextEncoder().encode(JSON.stringify(value)));
  const [tokenizer, config] = tokenizerFiles(["a good film", "a bad film"], { minimumCount: 1 });
  await write("tokenizer.json", tokenizer);
  await write("tokenizer_config.json", config);
  const { vocabularySize, maximumLength } = await loadTokenizer(files);
  expect(maximumLength).toBe(512);
  await write("config.json", { vocab_size: vocabularySize, max_position_embeddings: 32 });
  expect((await loadTokenizer(files)).maximumLength).toBe(32);
  await expect(loadTokenizer(files, { maximumLength: 33 })).rejects.toThrow(/at most 32.*received 33/);
  await write("config.json", { vocab_size: vocabularySize - 1, max_position_embeddings: 32 });
  await expect(loadTokenizer(files)).rejects.toThrow(/another model's/);
  // Ids need not be without gaps.
  const added = [...Reflect.get(tokenizer, "added_tokens"), { id: 40_000, content: "<new>", special: true }];
  await write("tokenizer.json", { ...tokenizer, added_tokens: added });
  await write("config.json", { vocab_size: 40_001 });
  expect((await loadTokenizer(files)).vocabularySize).toBe(40_001);
});
