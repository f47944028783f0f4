import { ConfigError, useBackend } from "@l0gm/core";
import { expect, test } from "vitest";
import { type FeatureTransformerEncoderOptions, featureTransformerEncoder } from "./feature-transformer-encoder.ts";

await useBackend("cpu");

const data = { numeric: 2, cardinalities: [3] };

test.each<[string, Partial<FeatureTransformerEncoderOptions>, RegExp]>([
  ["heads that do not divide the token width", { tokenWidth: 10, heads: 4 }, /heads to divide the token width 10/],
  ["no block", { blocks: 0 }, /blocks to be an integer/],
  ["no feed-forward width", { hidden: 0 }, /hidden/],
  ["a dropout rate below 0", { dropout: -0.1 }, /dropout/],
])("refuses %s", (_, options, message) => {
  expect(() => featureTransformerEncoder({ data, ...options })).toThrow(ConfigError);
  expect(() => featureTransformerEncoder({ data, ...options })).toThrow(message);
});

test("the first block alone goes without a normalisation before its attention", () => {
  const names = featureTransformerEncoder({ data, blocks: 2 }).parameters.map(({ name }) => name);
  expect(names.filter((name) => name.includes("attention_norm/scale"))).toEqual(["block1/attention_norm/scale"]);
  expect(names.slice(0, 3)).toEqual(["tokens/weight", "tokens/table", "tokens/bias"]);
});
