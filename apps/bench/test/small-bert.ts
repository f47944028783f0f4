import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeSafetensors, Random } from "@l0gm/core";
import { tokenizerFiles } from "@l0gm/text";

const SIZES = { hidden: 8, heads: 4, layers: 2, intermediate: 16, positions: 32 };

/** Writes a BERT of random weights, with a vocabulary of the texts, into a folder in the Hugging Face format. */
export function writeSmallBert(folder: string, texts: readonly string[]): void {
  const { hidden, heads, layers, intermediate, positions } = SIZES;
  const [tokenizer, tokenizerConfig] = tokenizerFiles(texts, { size: 200, minimumCount: 1 });
  const vocabulary = 400;
  const random = Random.from(3, "small-bert");
  const tensor = (shape: readonly number[], deviation: number, mean = 0) => {
    const data = random.normals(
      shape.reduce((a, b) => a * b, 1),
      mean,
      deviation,
    );
    return { dtype: "F32", shape, data } as const;
  };
  const linear = (name: string, inputs: number, outputs: number) =>
    [
      [`${name}.weight`, tensor([outputs, inputs], 0.4)],
      [`${name}.bias`, tensor([outputs], 0.1)],
    ] as const;
  const norm = (name: string) =>
    [
      [`${name}.weight`, tensor([hidden], 0, 1)],
      [`${name}.bias`, tensor([hidden], 0)],
    ] as const;
  const layer = (path: string) => [
    ...["query", "key", "value"].flatMap((part) => linear(`${path}.attention.self.${part}`, hidden, hidden)),
    ...linear(`${path}.attention.output.dense`, hidden, hidden),
    ...norm(`${path}.attention.output.LayerNorm`),
    ...linear(`${path}.intermediate.dense`, hidden, intermediate),
    ...linear(`${path}.output.dense`, intermediate, hidden),
    ...norm(`${path}.output.LayerNorm`),
  ];
  const tensors = new Map([
    ["embeddings.word_embeddings.weight", tensor([vocabulary, hidden], 1)],
    ["embeddings.position_embeddings.weight", tensor([positions, hidden], 0.1)],
    ["embeddings.token_type_embeddings.weight", tensor([2, hidden], 0.1)],
    ...norm("embeddings.LayerNorm"),
    ...Array.from({ length: layers }, (_, i) => layer(`encoder.layer.${i}`)).flat(),
  ]);
  const config = {
    model_type: "bert",
    vocab_size: vocabulary,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: intermediate,
    max_position_embeddings: positions,
    type_vocab_size: 2,
    hidden_act: "gelu",
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(tensors));
  for (const [name, json] of Object.entries({ config, tokenizer, tokenizer_config: tokenizerConfig })) {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(json));
  }
}
