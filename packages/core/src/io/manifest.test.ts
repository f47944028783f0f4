import { expect, test } from "vitest";
import { FormatError } from "../errors.ts";
import { type Manifest, parseManifest } from "./manifest.ts";

const dense: Manifest = {
  format: "l0gm-model",
  version: 1,
  kind: "dense",
  encoder: { kind: "core/layers", config: { any: ["thing"] } },
  classes: 2,
  width: 3,
  head: { inputs: 3, outputs: 2 },
  versions: { l0gm: "0.1.0", tfjs: "4.22.0" },
  weights: { file: "weights-0123456789abcdef.safetensors", sha256: "00" },
};
const gated: Manifest = {
  ...dense,
  kind: "gated",
  gate: {
    options: {
      initialOpen: 0.9,
      noise: "row",
      rule: "median",
      groups: [0, 0, 1],
      costs: [1, 2],
      seed: 3,
      name: "gate",
    },
    params: { temperature: 0.5, gamma: -0.1, zeta: 1.1 },
    values: [0, 0, 1],
  },
  seeds: { split: 0, initial: 1, shuffle: 2, gate: 3, dropout: 4 },
  config: { epochs: 3 },
  data: { "adult.data": "abc" },
  extra: null,
};
const saving = { dense: 2, compacted: 1 };
const compact: Manifest = {
  ...dense,
  kind: "compact",
  compact: { active: [0, 4, 7], savings: { parameters: saving, embeddingBytes: saving, macs: saving } },
};

const parse = (manifest: unknown): Manifest => parseManifest(JSON.stringify(manifest), "m.json");

test.each([dense, gated, compact])("a $kind model's manifest comes back as it was", (manifest) => {
  expect(parse(manifest)).toEqual(manifest);
});

test("fields of no meaning are dropped", () => {
  expect(parse({ ...dense, colour: "red" })).toEqual(dense);
});

test.each<[string, unknown, RegExp]>([
  ["another program's JSON", { name: "x" }, /\$\.format: expected l0gm-model, received undefined/],
  ["a list", [], /m\.json: expected an object/],
  ["a later version", { ...dense, version: 2 }, /\$\.version: expected at most 1, received 2\n.*update @l0gm\/core/],
  ["a version that is no number", { ...dense, version: "1" }, /\$\.version: expected an integer/],
  [
    "an unknown kind",
    { ...dense, kind: "sparse" },
    /\$\.kind: expected one of \["gated","dense","compact"\], received sparse/,
  ],
  ["an encoder without a kind", { ...dense, encoder: {} }, /\$\.encoder\.kind: expected a string, received undefined/],
  ["a negative count", { ...dense, classes: -2 }, /\$\.classes: expected an integer >= 0/],
  [
    "a wrong entry of a list",
    { ...gated, gate: { ...gated.gate, values: [0, "1", 1] } },
    /\$\.gate\.values\[1\]: expected a finite number, received 1/,
  ],
  [
    "a wrong option",
    { ...gated, gate: { ...gated.gate, options: { noise: "rows" } } },
    /\$\.gate\.options\.noise: expected one of/,
  ],
  [
    "a missing constant",
    { ...gated, gate: { ...gated.gate, params: { gamma: -0.1 } } },
    /\$\.gate\.params\.temperature/,
  ],
  ["a checksum that is no text", { ...dense, data: { "a.csv": 3 } }, /\$\.data\.a\.csv: expected a string/],
  ["a missing seed", { ...dense, seeds: { split: 1 } }, /\$\.seeds\.initial/],
  [
    "a head of another shape",
    { ...dense, head: { inputs: 4, outputs: 2 } },
    /\$\.head: expected 3 inputs and 2 outputs/,
  ],
  [
    "a gated model without gates",
    { ...dense, kind: "gated" },
    /\$\.gate: expected one entry for each of 3 dimensions, received undefined/,
  ],
  ["a dense model with gates", { ...gated, kind: "dense" }, /\$\.gate: expected nothing in a dense model/],
  ["gates of another width", { ...gated, gate: { ...gated.gate, values: [1] } }, /\$\.gate: .*received 1$/m],
  ["a compact model without its dimensions", { ...dense, kind: "compact" }, /\$\.compact/],
])("%s is refused", (_, manifest, message) => {
  expect(() => parse(manifest)).toThrow(FormatError);
  expect(() => parse(manifest)).toThrow(message);
});

test("text that is not JSON is refused", () => {
  expect(() => parseManifest(JSON.stringify(dense).slice(0, -5), "m.json")).toThrow(/m\.json: expected JSON/);
});
