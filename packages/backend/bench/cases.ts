/** What is measured: the products and the training steps, with the names that tables give them. */

import { MODEL_NAMES, type ModelName } from "./model-names.ts";
import type { Workload } from "./protocol.ts";

export interface Case {
  readonly name: string;
  readonly kind: "product" | "step";
  readonly workload: Workload;
  /** Floating-point operations of a product, in billions. */
  readonly work?: number;
  /** Whether the goals for large products speak of it. */
  readonly large?: boolean;
}

function product(name: string, a: number[], b: number[], transposed: "NN" | "NT" | "TN" = "NN", large = true): Case {
  const [transposeA, transposeB] = [transposed === "TN", transposed === "NT"];
  const columns = b.at(transposeB ? -2 : -1) ?? 1;
  const work = a.reduce((product, size) => product * size, 2e-9) * columns;
  return { name, kind: "product", workload: { a, b, transposeA, transposeB }, work, large };
}

const PRODUCTS: readonly Case[] = [
  product("1024x256x256 NN", [1024, 256], [256, 256]),
  product("1024x256x256 NT", [1024, 256], [256, 256], "NT"),
  product("256x1024x256 TN", [1024, 256], [1024, 256], "TN"),
  product("64 of 128x64x128", [64, 128, 64], [64, 64, 128]),
  product("1024x128x2", [1024, 128], [128, 2], "NN", false),
];

export const CASES: readonly Case[] = [
  ...PRODUCTS,
  ...MODEL_NAMES.map((model): Case => ({ name: model, kind: "step", workload: { model } })),
];

/** What each model is, for tables. */
export const DESCRIPTIONS: Readonly<Record<ModelName, string>> = {
  mlp: "MLP 108-256-128-2, batch 1024",
  featureTransformer: "feature-token Transformer, 2 blocks of width 64, 4 heads, batch 256 of 14 tokens",
  transformer: "Transformer, 4 blocks of width 128, 2 heads, 30,522 words, batch 32 of 128 tokens",
  trees: "GraphSAGE on sampled trees, fan-out 15, 10, 5, width 256, batch 128",
  graphs: "GraphSAGE on sampled graphs, 545,360 edges gathered and summed by segment, width 256",
};
