import { join } from "node:path";
import { z } from "zod";
import { parseConfig, readJson } from "./config.ts";

const sizesSchema = z.object({ num_hidden_layers: z.int().positive(), num_attention_heads: z.int().positive() });

/** Blocks of a pretrained encoder, and heads of each. */
export interface PretrainedSizes {
  readonly layers: number;
  readonly heads: number;
}

/**
 * @param folder - of a model in the Hugging Face format
 * @throws ConfigError when its `config.json` does not state them
 */
export async function pretrainedSizes(folder: string): Promise<PretrainedSizes> {
  const path = join(folder, "config.json");
  const { num_hidden_layers: layers, num_attention_heads: heads } = parseConfig(
    sizesSchema,
    await readJson(path),
    path,
  );
  return { layers, heads };
}
