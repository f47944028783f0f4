import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { ConfigError, FormatError } from "../errors.ts";
import { CompactModel, compact } from "../gate/compact.ts";
import { EVALUATION, GatedClassifier, type GatedClassifierOptions } from "../model/gated-classifier.ts";
import { layersEncoder } from "../model/layers-encoder.ts";
import { Random, seedsFrom } from "../random.ts";
import { type FileHandler, memoryFiles } from "./file-handler.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "./safetensors.ts";
import { load, readManifest, save } from "./save-load.ts";

beforeAll(() => useBackend(inject("backend")));

function newModel(gate: GatedClassifierOptions<tf.Tensor>["gate"] = { initialOpen: 0.8 }): GatedClassifier<tf.Tensor> {
  const network = sequential({
    layers: [
      layers.dense({ units: 5, activation: "relu", inputShape: [3] }),
      layers.batchNormalization(),
      layers.dense({ units: 6 }),
    ],
  });
  return new GatedClassifier({ encoder: layersEncoder(network), classes: 3, gate, seed: 4 });
}

const batch = (): tf.Tensor2D => tf.tensor2d(Random.from(1).normals(12), [4, 3]);

async function logitsOf(model: GatedClassifier<tf.Tensor>): Promise<Float32Array> {
  return model.logits(batch()).data<"float32">();
}

async function textOf(files: FileHandler, name: string): Promise<string> {
  return new TextDecoder().decode(await files.read(name));
}

/** Saves a gated model and lets a test damage the manifest or the weights. */
async function saved(): Promise<{
  files: FileHandler;
  weightsFile: string;
  edit: (change: (manifest: Record<string, unknown>) => unknown) => Promise<void>;
  rewrite: (change: (tensors: Map<string, SafeTensor>) => void) => Promise<void>;
}> {
  const files = memoryFiles();
  await save(newModel(), files);
  const weightsFile = (await readManifest(files)).weights.file;
  const edit = async (change: (manifest: Record<string, unknown>) => unknown): Promise<void> => {
    const manifest = JSON.parse(await textOf(files, "manifest.json")) as Record<string, unknown>;
    await files.write("manifest.json", new TextEncoder().encode(JSON.stringify(change(manifest))));
  };
  const rewrite = async (change: (tensors: Map<string, SafeTensor>) => void): Promise<void> => {
    const tensors = new Map(decodeSafetensors((await files.read(weightsFile)) ?? new Uint8Array()).tensors);
    change(tensors);
    const bytes = encodeSafetensors(tensors);
    await files.write(weightsFile, bytes);
    const hash = Buffer.from(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toString("hex");
    await edit((manifest) => ({ ...manifest, weights: { file: weightsFile, sha256: hash } }));
  };
  return { files, weightsFile, edit, rewrite };
}

describe("what is saved comes back", () => {
  test("a gated model, to the last bit, with running statistics and frozen gates", async () => {
    const model = newModel({ initialOpen: 0.8, rule: "median", groups: [0, 0, 1, 1, 2, 3], noise: "row", seed: 9 });
    // Training moves the running statistics away from their initial values.
    model.encoder.encode(batch(), { training: true, random: Random.from(0) });
    await model.gate?.freeze([0, 3]);
    const files = memoryFiles();
    await save(model, files);
    const loaded = await load<tf.Tensor>(files);
    expect(await logitsOf(loaded)).toEqual(await logitsOf(model));
    expect(await loaded.gate?.state()).toEqual(await model.gate?.state());
    expect(loaded.gate?.options).toEqual(model.gate?.options);
    const noise = { ...EVALUATION, gateNoise: Random.from(2) };
    await loaded.gate?.thaw();
    await model.gate?.thaw();
    expect(await loaded.embed(batch(), noise).data()).toEqual(
      await model.embed(batch(), { ...noise, gateNoise: Random.from(2) }).data(),
    );
  });

  test("a dense model", async () => {
    const model = newModel(false);
    const files = memoryFiles();
    await save(model, files);
    const loaded = await load<tf.Tensor>(files);
    expect(loaded.gate).toBeUndefined();
    expect(await logitsOf(loaded)).toEqual(await logitsOf(model));
    expect((await readManifest(files)).kind).toBe("dense");
  });

  test("a compact model, with its dimensions and savings", async () => {
    const model = newModel();
    await model.gate?.freeze([1, 4]);
    const small = compact(model);
    const files = memoryFiles();
    await save(small, files);
    const loaded = await load<tf.Tensor>(files);
    if (!(loaded instanceof CompactModel)) throw new Error("not a compact model");
    expect(await logitsOf(loaded)).toEqual(await logitsOf(small));
    expect(loaded.active).toEqual([1, 4]);
    expect(loaded.savings).toEqual(small.savings);
    expect(compact(loaded).width).toBe(2);
  });

  test("the caller's information, gate values, versions and checksum", async () => {
    const model = newModel();
    await model.gate?.freeze([1, 4]);
    const info = { seeds: seedsFrom(3), config: { epochs: 2 }, data: { train: "ab" }, extra: ["note"] };
    const files = memoryFiles();
    await save(model, files, info);
    const manifest = await readManifest(files);
    expect(manifest).toMatchObject({
      ...info,
      kind: "gated",
      encoder: { kind: "core/layers" },
      classes: 3,
      width: 6,
      versions: { tfjs: tf.version_core },
    });
    expect(manifest.gate?.values.map((value) => value > 0)).toEqual([false, true, false, false, true, false]);
    const bytes = (await files.read(manifest.weights.file)) ?? new Uint8Array();
    const hash = Buffer.from(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toString("hex");
    expect(manifest.weights.sha256).toBe(hash);
    expect(manifest.weights.file).toBe(`weights-${hash.slice(0, 16)}.safetensors`);
  });

  test("no tensors are left by saving, nor by loading once the model is disposed", async () => {
    const model = newModel();
    const files = memoryFiles();
    const before = tf.memory().numTensors;
    await save(model, files);
    expect(tf.memory().numTensors).toBe(before);
    (await load(files)).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("a second save", () => {
  test("removes the weights of the first, and nothing else", async () => {
    const { files, weightsFile } = await saved();
    await files.write("weights-mine.txt", new Uint8Array());
    const other = newModel(false);
    await save(other, files);
    const { weights } = await readManifest(files);
    expect(weights.file).not.toBe(weightsFile);
    expect([...(await files.list())].sort()).toEqual(["manifest.json", weights.file, "weights-mine.txt"].sort());
    expect(await logitsOf(await load(files))).toEqual(await logitsOf(other));
  });

  test.each(["weights", "manifest.json"])("that fails at writing %s leaves the first whole", async (failing) => {
    const files = memoryFiles();
    const first = newModel();
    await save(first, files);
    const broken: FileHandler = {
      ...files,
      write: async (name, bytes) => {
        if (name.startsWith(failing)) throw new Error("disk full");
        await files.write(name, bytes);
      },
    };
    await expect(save(newModel(false), broken)).rejects.toThrow("disk full");
    expect(await logitsOf(await load(files))).toEqual(await logitsOf(first));
  });
});

describe("load refuses", () => {
  test("a place without a model", async () => {
    await expect(load(memoryFiles())).rejects.toThrow(
      /memory\/manifest\.json: expected a saved model, received no such file/,
    );
  });

  test("weights that are missing, truncated or changed by one bit", async () => {
    const { files, weightsFile } = await saved();
    const bytes = (await files.read(weightsFile)) ?? new Uint8Array();
    await files.write(weightsFile, bytes.subarray(0, bytes.length - 4));
    await expect(load(files)).rejects.toThrow(/expected SHA-256 .*truncated or corrupted/s);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await files.write(weightsFile, bytes);
    await expect(load(files)).rejects.toThrow(FormatError);
    await files.remove(weightsFile);
    await expect(load(files)).rejects.toThrow(/expected the model's weights, received no such file/);
  });

  test("a weights file outside its place", async () => {
    const { files, edit } = await saved();
    await edit((manifest) => ({ ...manifest, weights: { file: "../secret", sha256: "" } }));
    await expect(load(files)).rejects.toThrow(/\$\.weights\.file/);
  });

  test("tensors that are missing, of another shape or type, or more than the model has", async () => {
    const { files, rewrite } = await saved();
    const bias: SafeTensor = { dtype: "F32", shape: [3], data: new Float32Array(3) };
    await rewrite((tensors) => tensors.set("head/scale", bias));
    await expect(load(files)).rejects.toThrow(/no tensors beyond the model's, received head\/scale/);
    await rewrite((tensors) => {
      tensors.delete("head/scale");
      tensors.set("head/bias", { dtype: "F32", shape: [3, 1], data: new Float32Array(3) });
    });
    await expect(load(files)).rejects.toThrow(/head\/bias: expected F32 of shape \[3\], received F32 of shape \[3,1\]/);
    await rewrite((tensors) => tensors.set("head/bias", { dtype: "I32", shape: [3], data: new Int32Array(3) }));
    await expect(load(files)).rejects.toThrow(/head\/bias: expected F32.*received I32/);
    await rewrite((tensors) => tensors.delete("head/bias"));
    await expect(load(files)).rejects.toThrow(/head\/bias: .*no such tensor/);
    await rewrite((tensors) => tensors.set("head/bias", bias));
    expect((await load(files)).classes).toBe(3);
  });

  test("an encoder that nothing provides, or of another width", async () => {
    const { files, edit } = await saved();
    await edit((manifest) => ({
      ...manifest,
      width: 7,
      head: { inputs: 7, outputs: 3 },
      gate: { ...Object(manifest["gate"]), values: [1, 1, 1, 1, 1, 1, 1] },
    }));
    await expect(load(files)).rejects.toThrow(/\$\.width: expected 6, received 7/);
    await edit((manifest) => ({ ...manifest, encoder: { kind: "mine/own", config: {} } }));
    await expect(load(files)).rejects.toThrow(/an encoder registered as "mine\/own"/);
  });

  test("a configuration from which no model can be built", async () => {
    const { files, edit } = await saved();
    const before = tf.memory().numTensors;
    const original = await readManifest(files);
    const options = { ...original.gate?.options, temperature: -1 };
    for (const damage of [
      { encoder: { kind: "core/layers" } },
      { encoder: { kind: "core/layers", config: { className: "Sequential", config: { layers: [{}] } } } },
      { gate: { ...original.gate, options } },
      { classes: 1, head: { inputs: 6, outputs: 1 } },
    ]) {
      await edit(() => ({ ...original, ...damage }));
      await expect(load(files)).rejects.toThrow(FormatError);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test("without leaving tensors behind", async () => {
    const { files, rewrite } = await saved();
    await rewrite((tensors) => tensors.delete("head/bias"));
    const before = tf.memory().numTensors;
    await expect(load(files)).rejects.toThrow(FormatError);
    expect(tf.memory().numTensors).toBe(before);
  });
});

test("an encoder that does not describe itself cannot be saved", async () => {
  const { describe: _, ...silent } = newModel().encoder;
  const files = memoryFiles();
  await expect(save(new GatedClassifier({ encoder: silent, classes: 2 }), files)).rejects.toThrow(ConfigError);
  expect(await files.list()).toEqual([]);
});
