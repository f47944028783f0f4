import { FormatError } from "@l0gm/core";
import type { DenseActivation, GeluForm } from "@l0gm/core/operations";

/** Sizes of a BERT encoder, as `config.json` states them. */
export interface BertArchitecture {
  readonly vocabularySize: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of the feed-forward part. */
  readonly intermediate: number;
  /** Longest sequence. */
  readonly positions: number;
  /** Kinds of segments. */
  readonly types: number;
  readonly activation: "gelu" | "gelu-tanh" | "relu";
  /** Added to the variance in layer normalisation. */
  readonly epsilon: number;
  readonly dropout: number;
  readonly attentionDropout: number;
  /** Attention heads that were removed, by layer from the first on, in the numbering of the whole model. */
  readonly prunedHeads?: readonly (readonly number[])[];
}

/** The attention heads of a model's layers. */
export type AttentionHeads = Pick<BertArchitecture, "heads" | "prunedHeads">;

/** Heads of a layer that are left, in the numbering of the whole model. */
export function headsLeft({ heads, prunedHeads }: AttentionHeads, layer: number): number[] {
  const removed = new Set(prunedHeads?.[layer]);
  return Array.from({ length: heads }, (_, head) => head).filter((head) => !removed.has(head));
}

/** Names of Hugging Face. */
const ACTIVATIONS: Readonly<Record<string, BertArchitecture["activation"]>> = {
  gelu: "gelu",
  gelu_new: "gelu-tanh",
  gelu_pytorch_tanh: "gelu-tanh",
  relu: "relu",
};

/** How our operations compute an activation: within the product, or after it. */
export const COMPUTED: Readonly<
  Record<BertArchitecture["activation"], { readonly dense: DenseActivation; readonly gelu?: GeluForm }>
> = {
  gelu: { dense: "gelu" },
  "gelu-tanh": { dense: "linear", gelu: "tanh" },
  relu: { dense: "relu" },
};

/**
 * Reads a `config.json` of Hugging Face.
 *
 * @param where - the file, for messages
 * @throws FormatError when it is of another architecture, or a size is absent or impossible
 */
export function parseArchitecture(config: Readonly<Record<string, unknown>>, where: string): BertArchitecture {
  if (config["model_type"] !== "bert") {
    throw new FormatError({
      where: `${where}: model_type`,
      expected: '"bert", the architecture that is supported',
      received: config["model_type"],
    });
  }
  if (config["is_decoder"] === true) {
    throw new FormatError({
      where: `${where}: is_decoder`,
      expected: "an encoder, whose tokens see those after them",
      received: true,
    });
  }
  const positionType = config["position_embedding_type"] ?? "absolute";
  if (positionType !== "absolute") {
    throw new FormatError({
      where: `${where}: position_embedding_type`,
      expected: '"absolute"',
      received: positionType,
    });
  }
  const activation = ACTIVATIONS[String(config["hidden_act"] ?? "gelu")];
  if (activation === undefined) {
    throw new FormatError({
      where: `${where}: hidden_act`,
      expected: `one of ${Object.keys(ACTIVATIONS).join(", ")}`,
      received: config["hidden_act"],
    });
  }
  const size = (name: string): number => {
    const value = config[name];
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    throw new FormatError({ where: `${where}: ${name}`, expected: "an integer of at least 1", received: value });
  };
  const rate = (name: string): number => {
    const value = config[name] ?? 0.1;
    if (typeof value === "number" && value >= 0 && value < 1) return value;
    throw new FormatError({ where: `${where}: ${name}`, expected: "a rate from 0 up to 1", received: value });
  };
  const epsilon = config["layer_norm_eps"] ?? 1e-12;
  if (typeof epsilon !== "number" || !(epsilon > 0)) {
    throw new FormatError({ where: `${where}: layer_norm_eps`, expected: "a positive number", received: epsilon });
  }
  const [hidden, heads] = [size("hidden_size"), size("num_attention_heads")];
  if (hidden % heads !== 0) {
    throw new FormatError({
      where: `${where}: num_attention_heads`,
      expected: `a divisor of hidden_size ${hidden}`,
      received: heads,
    });
  }
  const layers = size("num_hidden_layers");
  const prunedHeads = parsePrunedHeads(config["pruned_heads"] ?? {}, layers, heads, `${where}: pruned_heads`);
  return {
    vocabularySize: size("vocab_size"),
    hidden,
    layers,
    heads,
    ...(prunedHeads === undefined ? {} : { prunedHeads }),
    intermediate: size("intermediate_size"),
    positions: size("max_position_embeddings"),
    types: size("type_vocab_size"),
    activation,
    epsilon,
    dropout: rate("hidden_dropout_prob"),
    attentionDropout: rate("attention_probs_dropout_prob"),
  };
}

/** Reads layers' removed heads, which Hugging Face lists under the layer's number. */
function parsePrunedHeads(value: unknown, layers: number, heads: number, where: string): number[][] | undefined {
  const removed = Array.from({ length: layers }, (): number[] => []);
  if (typeof value !== "object" || value === null) {
    throw new FormatError({ where, expected: "an object with lists of heads by layer", received: value });
  }
  for (const [layer, list] of Object.entries(value)) {
    const fits = Array.isArray(list) && removed[Number(layer)] !== undefined && isPrunable(list, heads);
    if (!fits) {
      const expected = `of ${layers} layers, different heads from 0 to ${heads - 1}, but not all`;
      throw new FormatError({ where, expected, received: { [layer]: list } });
    }
    removed[Number(layer)] = list;
  }
  return removed.some((list) => list.length > 0) ? removed : undefined;
}

/** Whether these are different heads of a layer, and at least one is left. */
export function isPrunable(removed: readonly unknown[], heads: number): removed is readonly number[] {
  const known = removed.every((head) => Number.isInteger(head) && (head as number) >= 0 && (head as number) < heads);
  return known && new Set(removed).size === removed.length && removed.length < heads;
}
