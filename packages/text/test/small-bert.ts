import { readFileSync } from "node:fs";
import { encodeSafetensors, type FileHandler, memoryFiles } from "@l0gm/core";

/** What golden/bert_gradients.py wrote. */
export interface Golden {
  readonly config: object;
  readonly ids: number[][];
  readonly mask: number[][];
  readonly outputWeights: number[];
  readonly loss: number;
  readonly pooled: number[];
  readonly weights: Readonly<
    Record<string, { readonly shape: number[]; readonly values: number[]; readonly gradient: number[] }>
  >;
}

export const golden = JSON.parse(
  readFileSync(new URL("./golden/bert-gradients.json", import.meta.url), "utf8"),
) as Golden;

/** The small BERT as a model in the Hugging Face format. */
export async function smallBert(): Promise<FileHandler> {
  const files = memoryFiles();
  const tensors = Object.entries(golden.weights).map(([name, { shape, values }]) => {
    return [name, { dtype: "F32", shape, data: Float32Array.from(values) }] as const;
  });
  await files.write("config.json", new TextEncoder().encode(JSON.stringify(golden.config)));
  await files.write("model.safetensors", encodeSafetensors(new Map(tensors)));
  return files;
}
