import { join } from "node:path";
import { z } from "zod";
import { parseConfig, readJson } from "./config.ts";

const size = z.int().positive();
const configSchema = z.object({
  num_hidden_layers: size,
  num_attention_heads: size,
  max_position_embeddings: size,
  pruned_heads: z.record(z.string(), z.array(z.int())).default({}),
});

/** Sizes of a pretrained encoder. */
interface PretrainedSizes {
  /** Attention heads of each block. */
  readonly heads: readonly number[];
  /** Longest text. */
  readonly positions: number;
}

/**
 * @param folder - of a model in the Hugging Face format
 * @throws ConfigError when its `config.json` does not state them
 */
export async function pretrainedSizes(folder: string): Promise<PretrainedSizes> {
  const path = join(folder, "config.json");
  const config = parseConfig(configSchema, await readJson(path), path);
  const { num_hidden_layers: length, num_attention_heads: heads, pruned_heads: pruned } = config;
  return {
    heads: Array.from({ length }, (_, layer) => heads - (pruned[layer]?.length ?? 0)),
    positions: config.max_position_embeddings,
  };
}
