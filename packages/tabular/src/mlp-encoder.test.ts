import { ConfigError, useBackend } from "@l0gm/core";
import { expect, test } from "vitest";
import { type MlpEncoderOptions, mlpEncoder } from "./mlp-encoder.ts";

await useBackend("cpu");

const data = { numeric: 2, cardinalities: [3] };

test.each<[string, Partial<MlpEncoderOptions>, RegExp]>([
  ["no bins for the piecewise-linear embedding", {}, /data\.binEdges for 2 numeric columns, received none/],
  ["bins for other columns", { data: { ...data, binEdges: [[0, 1]] } }, /received for 1/],
  ["no hidden layer", { numericEmbedding: "none", hidden: [] }, /number of hidden layers/],
  ["a dropout rate of 1", { numericEmbedding: "none", dropout: 1 }, /dropout to be at least 0 and below 1/],
  ["no width", { numericEmbedding: "none", width: 0 }, /width to be an integer/],
  ["a negative seed", { numericEmbedding: "none", seed: -1 }, /seed/],
  ["an unknown embedding", { numericEmbedding: "spline" as "none" }, /"none", "piecewise-linear" or "periodic"/],
  ["no embedding of categories", { numericEmbedding: "none", categoricalDimension: 0 }, /categoricalDimension/],
  [
    "no columns told",
    { data: undefined as unknown as MlpEncoderOptions["data"] },
    /data with numeric and cardinalities/,
  ],
])("refuses %s", (_, options, message) => {
  expect(() => mlpEncoder({ data, ...options })).toThrow(ConfigError);
  expect(() => mlpEncoder({ data, ...options })).toThrow(message);
});

test("names and decays its parameters as documented", () => {
  const encoder = mlpEncoder({ data, numericEmbedding: "periodic", hidden: [4] });
  expect(encoder.parameters.map(({ name, decay }) => `${name} ${decay}`)).toEqual([
    "numeric/frequencies false",
    "numeric/kernel true",
    "numeric/bias false",
    "categorical/table false",
    "hidden0/kernel true",
    "hidden0/bias false",
    "projection/kernel true",
    "projection/bias false",
  ]);
});
