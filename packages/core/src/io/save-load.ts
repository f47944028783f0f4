import * as tf from "@tensorflow/tfjs-core";
import { ConfigError, FormatError } from "../errors.ts";
import { CompactModel } from "../gate/compact.ts";
import type { HardConcreteGate } from "../gate/gate-layer.ts";
import type { Encoder } from "../model/encoder.ts";
import { rebuildEncoder } from "../model/encoder-registry.ts";
import { GatedClassifier } from "../model/gated-classifier.ts";
import { Projection } from "../model/projection.ts";
import { assignWeights, readWeights } from "../model/weights.ts";
import { Random } from "../random.ts";
import { VERSION } from "../version.ts";
import type { FileHandler, FileSource } from "./file-handler.ts";
import { MANIFEST_FILE, type Manifest, parseManifest, type SaveInfo } from "./manifest.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "./safetensors.ts";
import { sha256 } from "./sha256.ts";

/** Weights are named after their content, so that a new save never overwrites the weights that the old manifest names. */
const WEIGHTS_FILE = /^weights-[0-9a-f]{16}\.safetensors$/;

/**
 * Saves a model: its weights as safetensors, then `manifest.json`, which names them, then the weights of an earlier save are
 * removed. A crash in between leaves the earlier save whole.
 *
 * @param info - seeds, configuration and data checksums to store with it
 * @throws ConfigError when the encoder cannot be described, or `crypto.subtle` is missing (a page that is not served over HTTPS)
 *
 * @example
 * ```ts
 * import { layers, sequential } from "@tensorflow/tfjs-layers";
 * await useBackend("cpu");
 * const encoder = layersEncoder(sequential({ layers: [layers.dense({ units: 8, inputShape: [3] })] }));
 * const files = memoryFiles(); // directory("runs/mine") of @l0gm/core/node keeps them on disk
 * await save(new GatedClassifier({ encoder, classes: 2 }), files, { seeds: seedsFrom(0) });
 * const model = await load(files);
 * console.log(model.width, (await files.list()).length); // 8 2
 * ```
 */
export async function save<Batch>(
  model: GatedClassifier<Batch>,
  handler: FileHandler,
  info: SaveInfo = {},
): Promise<void> {
  const description = model.encoder.describe?.();
  if (description === undefined) {
    throw new ConfigError({
      where: "save",
      expected: "an encoder that describes itself",
      received: "one without describe()",
      hint: "give the encoder describe() and register a factory for its kind with registerEncoder",
    });
  }
  const bytes = encodeSafetensors(await tensorsOf(model), { format: "l0gm-model" });
  const checksum = await sha256(bytes);
  const file = `weights-${checksum.slice(0, 16)}.safetensors`;
  const { width, classes } = model;
  const manifest: Manifest = {
    format: "l0gm-model",
    version: 1,
    kind: model instanceof CompactModel ? "compact" : model.gate === undefined ? "dense" : "gated",
    encoder: description,
    classes,
    width,
    head: { inputs: width, outputs: classes },
    ...(model.gate === undefined ? {} : { gate: await describeGate(model.gate) }),
    ...(model instanceof CompactModel ? { compact: { active: model.active, savings: model.savings } } : {}),
    ...info,
    versions: { l0gm: VERSION, tfjs: tf.version_core },
    weights: { file, sha256: checksum },
  };
  // Serialised before the first write: what is not plain JSON fails here.
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  await handler.write(file, bytes);
  await handler.write(MANIFEST_FILE, new TextEncoder().encode(text));
  const stale = (await handler.list()).filter((name) => WEIGHTS_FILE.test(name) && name !== file);
  for (const name of stale) await handler.remove(name);
}

/**
 * Reads and checks the manifest of a saved model, without its weights.
 *
 * @throws FormatError when it is missing, damaged, or of a later version
 */
export async function readManifest(handler: FileSource): Promise<Manifest> {
  const where = `${handler.location}/${MANIFEST_FILE}`;
  const bytes = await handler.read(MANIFEST_FILE);
  if (bytes === undefined) {
    throw new FormatError({ where, expected: "a saved model", received: "no such file" });
  }
  return parseManifest(new TextDecoder().decode(bytes), where);
}

/**
 * Loads a model that {@link save} wrote: a {@link CompactModel} where one was saved. Its logits are those of the saved model to the
 * last bit on the same backend. The package that provides the encoder must have been imported.
 *
 * @typeParam Batch - what the saved encoder reads, which no file can prove
 * @returns a model, the caller's to dispose
 * @throws FormatError when a file is missing, truncated, corrupted, of a later version, or does not fit the encoder
 */
export async function load<Batch>(handler: FileSource): Promise<GatedClassifier<Batch>> {
  const manifest = await readManifest(handler);
  const tensors = await readTensors(handler, manifest);
  const model = rebuild<Batch>(manifest, `${handler.location}/${MANIFEST_FILE}`);
  try {
    const where = `${handler.location}/${manifest.weights.file}`;
    const weights = model.variables.map(({ name, variable }) => {
      const tensor = tensors.get(name);
      if (tensor?.dtype !== "F32" || String(tensor.shape) !== String(variable.shape)) {
        throw new FormatError({
          where: `${where}: ${name}`,
          expected: `F32 of shape [${variable.shape}]`,
          received: tensor === undefined ? "no such tensor" : `${tensor.dtype} of shape [${tensor.shape}]`,
        });
      }
      return [name, tensor.data] as const;
    });
    const known = new Set(weights.map(([name]) => name));
    const extra = [...tensors.keys()].filter((name) => !known.has(name));
    if (extra.length > 0) {
      throw new FormatError({ where, expected: "no tensors beyond the model's", received: extra.join(", ") });
    }
    assignWeights(model, new Map(weights));
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function tensorsOf<Batch>(model: GatedClassifier<Batch>): Promise<Map<string, SafeTensor>> {
  const weights = await readWeights(model);
  const { variables } = model;
  if (weights.size !== variables.length) {
    throw new ConfigError({
      where: "save",
      expected: "parameters of different names",
      received: variables.map(({ name }) => name),
    });
  }
  return new Map(
    variables.map(({ name, variable }) => [
      name,
      { dtype: "F32", shape: variable.shape, data: weights.get(name) ?? new Float32Array() },
    ]),
  );
}

async function describeGate(gate: HardConcreteGate): Promise<NonNullable<Manifest["gate"]>> {
  const values = gate.values();
  const description = { options: gate.options, params: gate.params, values: [...(await values.data<"float32">())] };
  values.dispose();
  return description;
}

async function readTensors(handler: FileSource, { weights }: Manifest): Promise<ReadonlyMap<string, SafeTensor>> {
  const where = `${handler.location}/${weights.file}`;
  if (!WEIGHTS_FILE.test(weights.file)) {
    throw new FormatError({
      where: `${handler.location}/${MANIFEST_FILE}: $.weights.file`,
      expected: "weights-<16 hexadecimal digits>.safetensors",
      received: weights.file,
    });
  }
  const bytes = await handler.read(weights.file);
  if (bytes === undefined) throw new FormatError({ where, expected: "the model's weights", received: "no such file" });
  const checksum = await sha256(bytes);
  if (checksum !== weights.sha256) {
    throw new FormatError({
      where,
      expected: `SHA-256 ${weights.sha256}`,
      received: checksum,
      hint: "the file is truncated or corrupted: save or copy the model again",
    });
  }
  return decodeSafetensors(bytes, where).tensors;
}

/** The model with initial weights. */
function rebuild<Batch>(manifest: Manifest, where: string): GatedClassifier<Batch> {
  const { classes, width, gate, compact } = manifest;
  let encoder: Encoder<Batch> | undefined;
  try {
    encoder = rebuildEncoder(manifest.encoder) as Encoder<Batch>;
    if (encoder.width !== width) {
      throw new FormatError({ where: `${where}: $.width`, expected: encoder.width.toString(), received: width });
    }
    if (compact === undefined) {
      return new GatedClassifier({ encoder, classes, gate: gate === undefined ? false : gate.options });
    }
    const head = Projection.create({ inputs: width, outputs: classes, random: Random.from(0), name: "head" });
    return new CompactModel({ encoder, head, classes, ...compact });
  } catch (cause) {
    encoder?.dispose();
    if (cause instanceof FormatError) throw cause;
    // Factories and constructors refuse a damaged configuration in words of their own.
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError({ where, expected: "a model that can be built", received }, { cause });
  }
}
