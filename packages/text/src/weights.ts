import {
  decodeSafetensors,
  encodeSafetensors,
  type FileHandler,
  FormatError,
  type NamedVariable,
  type SafeTensor,
} from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";

/** What Hugging Face calls the weights of a part, by our names; its matrices are `[outputs, inputs]`, ours the other way round. */
const THEIR_NAMES: Readonly<
  Record<string, { readonly name: string; readonly old?: string; readonly transposed?: true }>
> = {
  kernel: { name: "weight", transposed: true },
  bias: { name: "bias" },
  table: { name: "weight" },
  // Files of the first years, `bert-base-uncased` among them, have the old names.
  scale: { name: "weight", old: "gamma" },
  shift: { name: "bias", old: "beta" },
};

/** Files of models with a task's head put this before the names of the encoder. */
const PREFIX = "bert.";

/** A weight's place in a file. */
interface Target {
  readonly path: string;
  /** All names under which it may lie there, `path` first. */
  readonly paths: readonly string[];
  readonly transposed: boolean;
}

/** Our `part/weight` as a path of Hugging Face; nothing for what BERT has not, such as the projection. */
function theirs(name: string): Target | undefined {
  const [part = "", weight = ""] = name.split("/");
  const known = THEIR_NAMES[weight];
  if (known === undefined || !/^(embeddings|encoder|pooler)\./.test(part)) return undefined;
  const names = known.old === undefined ? [known.name] : [known.name, known.old];
  const paths = names.flatMap((each) => [`${part}.${each}`, `${PREFIX}${part}.${each}`]);
  return { path: `${part}.${known.name}`, paths, transposed: known.transposed === true };
}

/**
 * Sets variables to the tensors of a weight file.
 *
 * @param where - the file, for messages
 * @throws FormatError when the file is damaged, or a tensor is absent or of another shape
 */
export function assignBertWeights(variables: readonly NamedVariable[], bytes: Uint8Array, where: string): void {
  const { tensors } = decodeSafetensors(bytes, where);
  for (const { name, variable } of variables) {
    const target = theirs(name);
    if (target === undefined) continue;
    const { path, paths, transposed } = target;
    const tensor = paths.map((each) => tensors.get(each)).find((found) => found !== undefined);
    const shape = transposed ? [...variable.shape].reverse() : variable.shape;
    if (tensor?.dtype !== "F32" || String(tensor.shape) !== String(shape)) {
      throw new FormatError({
        where: `${where}: ${path}`,
        expected: `floats of shape [${shape}]`,
        received: tensor === undefined ? "no such tensor" : `${tensor.dtype} of shape [${tensor.shape}]`,
        hint:
          tensor === undefined && path.startsWith("pooler.")
            ? "This model has no pooler: choose the pooling mean or cls."
            : "The weights do not belong to this config.json.",
      });
    }
    tf.tidy(() => {
      const value = tf.tensor(tensor.data, [...tensor.shape]);
      variable.assign(transposed ? tf.transpose(value) : value);
    });
  }
}

/** Copies of variables as Hugging Face names and lays them out; what BERT has not is left out. */
export async function bertTensors(variables: readonly NamedVariable[]): Promise<Map<string, SafeTensor>> {
  const tensors = new Map<string, SafeTensor>();
  for (const { name, variable } of variables) {
    const target = theirs(name);
    if (target === undefined) continue;
    const value = target.transposed ? tf.transpose(variable) : tf.clone(variable);
    const data = Float32Array.from(await value.data<"float32">());
    tensors.set(target.path, { dtype: "F32", shape: value.shape, data });
    value.dispose();
  }
  return tensors;
}

/** Writes `model.safetensors` as Python's transformers reads it. */
export async function writeBertWeights(
  variables: readonly NamedVariable[],
  files: Pick<FileHandler, "write">,
): Promise<void> {
  await files.write(WEIGHTS_FILE, encodeSafetensors(await bertTensors(variables), { format: "pt" }));
}

export const WEIGHTS_FILE = "model.safetensors";
