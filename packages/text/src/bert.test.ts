import {
  ConfigError,
  compact,
  decodeSafetensors,
  type Encoder,
  EVALUATION,
  encodeSafetensors,
  FormatError,
  GatedClassifier,
  load,
  memoryFiles,
  type SafeTensor,
  ShapeError,
  save,
  useBackend,
} from "@l0gm/core";
import { expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, inject, test } from "vitest";
import type {} from "../test/backend.ts";
import { golden, MODELS, unlessThere } from "../test/models.ts";
import { smallBert } from "../test/small-bert.ts";
import type { TextBatch, TokenBatch } from "./batch.ts";
import { type BertEncoderOptions, bertEncoder, bertPrefix, saveBert } from "./bert.ts";
import { transformerEncoder } from "./transformer.ts";

// Whole models take too long on plain JavaScript.
beforeAll(() => useBackend(inject("backend") === "cpu" ? "wasm" : inject("backend")));

interface Reference {
  readonly batch: {
    readonly input_ids: number[][];
    readonly attention_mask: number[][];
    readonly token_type_ids: number[][];
  };
  readonly sentences: readonly {
    readonly mean_pooled: number[];
    readonly cls_last_hidden: number[];
    readonly pooler_output?: number[];
  }[];
}

function batchOf({ batch }: Reference, withTypes: boolean): TokenBatch {
  return {
    ids: tf.tensor2d(batch.input_ids, undefined, "int32"),
    mask: tf.tensor2d(batch.attention_mask, undefined, "float32"),
    ...(withTypes ? { types: tf.tensor2d(batch.token_type_ids, undefined, "int32") } : {}),
  };
}

/** The pooled embedding: what comes out of a projection that changes nothing. */
async function pooled(folder: string, options: BertEncoderOptions, batch: TextBatch): Promise<Float32Array> {
  const encoder = await bertEncoder(folder, { ...options, width: 384 });
  withoutProjection(encoder);
  const output = encoder.encode(batch, EVALUATION);
  const values = Float32Array.from(await output.data());
  output.dispose();
  encoder.dispose();
  return values;
}

function withoutProjection(encoder: Encoder<TextBatch>): void {
  const kernel = encoder.parameters.find(({ name }) => name === "projection/kernel");
  tf.tidy(() => kernel?.variable.assign(tf.eye(encoder.width)));
}

describe.each(MODELS)("$name", ({ name, folder, there }) => {
  test.skipIf(!there)(`agrees with the reference to 2e-5${unlessThere(there)}`, async () => {
    const reference = golden<Reference>(folder, "reference.json");
    for (const withTypes of [false, true]) {
      const batch = batchOf(reference, withTypes);
      const expected = (key: "mean_pooled" | "cls_last_hidden" | "pooler_output") =>
        reference.sentences.flatMap((sentence) => sentence[key] ?? []);
      const within = { absolute: 2e-5 };
      expectClose(await pooled(folder, { pooling: "mean" }, batch), expected("mean_pooled"), within);
      expectClose(
        await pooled(folder, { pooling: "cls", trainableLayers: 1 }, batch),
        expected("cls_last_hidden"),
        within,
      );
      if (name.includes("l6")) {
        expectClose(await pooled(folder, { pooling: "pooler" }, batch), expected("pooler_output"), within);
      } else {
        await expect(bertEncoder(folder, { pooling: "pooler" })).rejects.toThrow(FormatError);
      }
      tf.dispose(Object.values(batch));
    }
  });

  test.skipIf(!there)(`goes on from what its frozen prefix has computed${unlessThere(there)}`, async () => {
    const batch = batchOf(golden<Reference>(folder, "reference.json"), false);
    const prefix = await bertPrefix(folder, 2);
    const hidden = prefix.apply(batch);
    const layers = name.includes("l6") ? 6 : 3;
    const options = { trainableLayers: layers - 2 };
    expectClose(
      await pooled(folder, options, { hidden, mask: batch.mask, layers: 2 }),
      await pooled(folder, options, batch),
      {
        absolute: 1e-6,
      },
    );
    prefix.dispose();
  });
});

describe("saveBert", () => {
  test("writes a model that is read again with the trained weights", async () => {
    const original = await smallBert();
    const described = JSON.parse(new TextDecoder().decode(await original.read("config.json")));
    // The newer name wins where both are there.
    await original.write("config.json", new TextEncoder().encode(JSON.stringify({ ...described, dtype: "bfloat16" })));
    for (const name of ["tokenizer.json", "tokenizer_config.json"])
      await original.write(name, new TextEncoder().encode("{}"));
    const encoder = await bertEncoder(original, { width: 8, layers: 1 });
    for (const { variable } of encoder.parameters) tf.tidy(() => variable.assign(tf.mul(variable, 1.25)));
    const files = memoryFiles();
    await saveBert(encoder, original, files);
    const config = JSON.parse(new TextDecoder().decode(await files.read("config.json")));
    expect(config).toMatchObject({ model_type: "bert", num_hidden_layers: 1, hidden_size: 8, torch_dtype: "float32" });
    expect(config).not.toHaveProperty("dtype");
    expect((await files.list()).length).toBe(4);
    const { tensors } = decodeSafetensors((await files.read("model.safetensors")) ?? new Uint8Array());
    expect(tensors.get("encoder.layer.0.intermediate.dense.weight")?.shape).toEqual([12, 8]);
    expect([...tensors.keys()].some((name) => name.includes("projection"))).toBe(false);
    const again = await bertEncoder(files, { width: 8 });
    withoutProjection(encoder);
    withoutProjection(again);
    const batch = { ids: tf.tensor2d([[2, 7, 3]], undefined, "int32"), mask: tf.ones<tf.Rank.R2>([1, 3]) };
    const encoded = (of: typeof encoder): number[] => [...of.encode(batch, EVALUATION).dataSync()];
    const bias = encoder.parameters.find(({ name }) => name === "projection/bias");
    expect([...(bias?.variable.dataSync() ?? [])]).toEqual(Array(8).fill(0));
    expectClose(encoded(again), encoded(encoder), { absolute: 1e-6 });
    await expect(saveBert(transformerEncoder({ vocabularySize: 5 }), original, files)).rejects.toThrow(ConfigError);
  });
});

describe("bertEncoder", () => {
  const make = async (changes: object, options: BertEncoderOptions = {}) => {
    const files = await smallBert();
    const config = JSON.parse(new TextDecoder().decode(await files.read("config.json")));
    await files.write("config.json", new TextEncoder().encode(JSON.stringify({ ...config, ...changes })));
    return await bertEncoder(files, options);
  };

  /** The small BERT with one more tensor in its weights, or another one in the place of an old one. */
  const makeWith = async (name: string, tensor: SafeTensor) => {
    const files = await smallBert();
    const { tensors } = decodeSafetensors((await files.read("model.safetensors")) ?? new Uint8Array());
    await files.write("model.safetensors", encodeSafetensors(new Map([...tensors, [name, tensor]])));
    return await bertEncoder(files, { width: 8 });
  };

  test("reads over the position_ids of older checkpoints, and names integers where weights should be", async () => {
    const positions = BigInt64Array.from({ length: 12 }, (_, i) => BigInt(i));
    const ids: SafeTensor = { dtype: "I64", shape: [1, 12], data: positions };
    const [plain, withIds] = [await make({}, { width: 8 }), await makeWith("embeddings.position_ids", ids)];
    const batch = { ids: tf.tensor2d([[2, 7, 3]], undefined, "int32"), mask: tf.ones<tf.Rank.R2>([1, 3]) };
    expect(withIds.encode(batch, EVALUATION).dataSync()).toEqual(plain.encode(batch, EVALUATION).dataSync());
    await expect(makeWith("embeddings.LayerNorm.weight", ids)).rejects.toThrow(
      /LayerNorm\.weight: expected floats of shape \[8\], received I64 of shape \[1,12\]/,
    );
  });

  test.each([
    [{ model_type: "roberta" }, /model_type.*"bert"/s],
    [{ hidden_act: "swish" }, /hidden_act/],
    [{ position_embedding_type: "relative_key" }, /absolute/],
    [{ is_decoder: true }, /is_decoder.*an encoder/s],
    [{ num_attention_heads: 3 }, /divisor of hidden_size 8/],
    [{ hidden_size: undefined }, /hidden_size/],
    [{ num_hidden_layers: 3 }, /encoder\.layer\.2\..*no such tensor/s],
    [{ vocab_size: 24 }, /word_embeddings.*\[24,8\].*\[23,8\]/s],
  ])("refuses %j", async (changes, message) => {
    const before = tf.memory().numTensors;
    await expect(make(changes)).rejects.toThrow(FormatError);
    await expect(make(changes)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([
    [{ layers: 3 }, /at most 2/],
    [{ trainableLayers: 3 }, /at most 2/],
    [{ pooling: "max" as "mean" }, /pooling/],
    [{ layerDecay: 0 }, /layerDecay/],
    [{ width: 0 }, /width/],
  ])("refuses the options %j", async (options, message) => {
    await expect(make({}, options)).rejects.toThrow(ConfigError);
    await expect(make({}, options)).rejects.toThrow(message);
  });

  test("needs the pooler that it is asked for, and ids that fit", async () => {
    await expect(make({}, { pooling: "pooler" })).rejects.toThrow(/no pooler/);
    const encoder = await make({});
    const wide = tf.zeros<tf.Rank.R2>([1, 10], "int32");
    const mask = tf.ones<tf.Rank.R2>([1, 10]);
    expect(() => encoder.encode({ ids: wide, mask }, EVALUATION)).toThrow(/9 tokens at most, received 10/);
    expect(() => encoder.encode({ ids: wide, mask: tf.ones([1, 9]) }, EVALUATION)).toThrow(ShapeError);
    const unknown = tf.tensor2d([[1, 24]], [1, 2], "int32");
    const two = tf.ones<tf.Rank.R2>([1, 2]);
    expect(() => encoder.encode({ ids: unknown, mask: two }, EVALUATION)).toThrow(/ids from 0 to 22, received 24/);
    const hidden = tf.zeros<tf.Rank.R3>([1, 2, 8]);
    expect(() => encoder.encode({ hidden, mask: two, layers: 1 }, EVALUATION)).toThrow(/no layer is frozen/);
    const top = await make({}, { trainableLayers: 1 });
    expect(() => top.encode({ hidden, mask: two, layers: 0 }, EVALUATION)).toThrow(/first 1 layers make, received/);
  });

  test("reads what normalisations were called in old files, and knows a prefix by its architecture, too", async () => {
    const files = await smallBert();
    const bytes = (await files.read("model.safetensors")) as Uint8Array;
    const tensors = [...decodeSafetensors(bytes).tensors].map(([name, tensor]) => {
      const old = name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta");
      return [`bert.${old}`, tensor] as const;
    });
    await files.write("model.safetensors", encodeSafetensors(new Map(tensors)));
    const [old, now] = [await bertPrefix(files, 1), await bertPrefix(await smallBert(), 1)];
    const batch = { ids: tf.tensor2d([[2, 7, 3]], undefined, "int32"), mask: tf.ones<tf.Rank.R2>([1, 3]) };
    expectClose(old.apply(batch).dataSync(), now.apply(batch).dataSync(), { absolute: 0 });
    await files.write("model.safetensors", bytes);
    expect((await bertPrefix(files, 1)).checksum).toBe(now.checksum);
    const config = JSON.parse(new TextDecoder().decode(await files.read("config.json")));
    await files.write("config.json", new TextEncoder().encode(JSON.stringify({ ...config, hidden_act: "relu" })));
    expect((await bertPrefix(files, 1)).checksum).not.toBe(now.checksum);
  });

  test("freezes all below the layers that are trained, and lowers the rate of lower ones", async () => {
    const encoder = await make({}, { trainableLayers: 1 });
    expect(encoder.buffers?.some(({ name }) => name.startsWith("embeddings."))).toBe(true);
    expect(encoder.parameters.every(({ name }) => /^(encoder\.layer\.1|projection)/.test(name))).toBe(true);
    const decayed = await make({}, { layerDecay: 0.5 });
    const rates = new Map(
      decayed.parameters.map(({ name, rate }) => [name.split(".").slice(0, 3).join("."), rate ?? 1]),
    );
    expect(rates.get("encoder.layer.1")).toBe(1);
    expect(rates.get("encoder.layer.0")).toBe(0.5);
    expect(rates.get("embeddings.word_embeddings/table")).toBe(0.25);
    const biases = decayed.parameters.filter(({ name }) => /bias|shift|scale/.test(name));
    expect(biases.every(({ decay }) => !decay)).toBe(true);
  });

  test("saves, loads, gates and compacts", async () => {
    const encoder = await make({}, { width: 6, trainableLayers: 1 });
    const model = new GatedClassifier<TextBatch>({ encoder, classes: 2, seed: 1 });
    model.gate?.setFixed(Float32Array.of(1, 0, 0.5, 0, 0, 1));
    const files = memoryFiles();
    await save(model, files);
    const loaded = await load<TextBatch>(files);
    const batch = { ids: tf.tensor2d([[2, 7, 3, 0]], undefined, "int32"), mask: tf.tensor2d([[1, 1, 1, 0]]) };
    expect(loaded.logits(batch).dataSync()).toEqual(model.logits(batch).dataSync());
    const small = compact(loaded);
    expect(small.width).toBe(3);
    expectClose(small.logits(batch).dataSync(), model.logits(batch).dataSync(), { absolute: 1e-6 });
  });
});
