import { z } from "zod";
import { runConfig } from "./config.ts";

const size = z.int().positive();
const dropout = z.number().min(0).lt(1);

const mlp = z.strictObject({
  kind: z.literal("mlp"),
  hidden: z.array(size).min(1).default([256]).describe("widths of the hidden layers"),
  dropout: dropout.default(0.2),
  numericEmbedding: z.enum(["none", "piecewise-linear", "periodic"]).default("piecewise-linear"),
  numericDimension: size.default(8).describe("numbers that stand for a numeric value"),
  categoricalDimension: size.default(8).describe("numbers that stand for a category"),
});

const featureTransformer = z.strictObject({
  kind: z.literal("feature-transformer"),
  tokenWidth: size.default(32),
  blocks: size.default(2),
  heads: size.default(4).describe("attention heads, a divisor of tokenWidth"),
  hidden: size.default(43).describe("width of the feed-forward part"),
  dropout: dropout.default(0.1),
});

/** Settings of runs on tables. */
export const tableConfig = runConfig.extend({
  encoder: z.discriminatedUnion("kind", [mlp, featureTransformer]).prefault({ kind: "mlp" }),
  preprocess: z
    .strictObject({
      numeric: z.enum(["quantile", "standard"]).default("quantile"),
      minimumCount: size.default(1).describe("categories with fewer training rows are folded into one"),
      bins: size.default(96).describe("bins a column for the piecewise-linear embedding"),
    })
    .prefault({}),
});

export type TableConfig = z.output<typeof tableConfig>;
