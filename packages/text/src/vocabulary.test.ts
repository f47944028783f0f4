import { ConfigError, DataError } from "@l0gm/core";
import { expect, test } from "vitest";
import { TextTokenizer } from "./tokenizer.ts";
import { buildTokenizer, tokenizerFiles } from "./vocabulary.ts";

const texts = Array.from({ length: 5 }, () => "The films were moving, and the caf\u00e9 closing!").concat("Zyx.");

test("spells rare words by characters and endings, and no word of known characters is unknown", () => {
  const tokenizer = buildTokenizer(texts);
  expect(tokenizer.tokens("The CAFE, moving")).toEqual(["[CLS]", "the", "cafe", ",", "moving", "[SEP]"]);
  expect(tokenizer.tokens("zyx loving")).not.toContain("[UNK]");
  expect(tokenizer.tokens("loving").slice(1, -1).join("")).toBe("l##o##ving");
  expect(tokenizer.tokens("\u0416")).toEqual(["[CLS]", "[UNK]", "[SEP]"]);
  expect([tokenizer.paddingId, tokenizer.encode("").ids.length]).toEqual([0, 2]);
});

test("keeps the size asked for, most frequent words first", () => {
  const small = buildTokenizer(texts, { size: 4 + 2 * 20 + 18, minimumCount: 1 });
  expect(small.vocabularySize).toBeLessThanOrEqual(62);
  expect(small.tokens("the zyx").slice(1, 2)).toEqual(["the"]);
});

test("is the same for the same texts, and again from its files", () => {
  const [tokenizer, config] = tokenizerFiles(texts);
  expect(tokenizerFiles(texts)).toEqual([tokenizer, config]);
  const restored = new TextTokenizer(JSON.parse(JSON.stringify(tokenizer)), JSON.parse(JSON.stringify(config)));
  expect(restored.encode("the moving films")).toEqual(buildTokenizer(texts).encode("the moving films"));
});

test("refuses no words and too little room", () => {
  expect(() => buildTokenizer([" "])).toThrow(DataError);
  expect(() => buildTokenizer(texts, { size: 10 })).toThrow(ConfigError);
});
