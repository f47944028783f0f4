import { ConfigError, FormatError } from "../errors.ts";
import type { FileHandler } from "../io/file-handler.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "../io/safetensors.ts";
import type { FitState } from "./state.ts";

/** Where `fit` keeps its checkpoint. */
export interface CheckpointOptions {
  /**
   * An unfinished run found here goes on; a finished one is returned as it ended. Without a checkpoint the model is trained as it is:
   * to repeat a run that stopped before its first one, make the model anew.
   */
  readonly handler: FileHandler;
  /** Epochs between two checkpoints. @defaultValue 1 */
  readonly every?: number;
}

const FILE = "checkpoint.safetensors";
const FORMAT = "l0gm-checkpoint-1";

/** One file, replaced as a whole: the loop's state as JSON in the header, every set of weights as tensors. */
export async function writeCheckpoint(handler: FileHandler, fingerprint: string, state: FitState): Promise<void> {
  const tensors = new Map<string, SafeTensor>();
  const sets = new Map<unknown, string>();
  const json = JSON.stringify(state, (_key, value: unknown) => {
    if (!(value instanceof Map)) return value;
    // The last and the best epoch often share one set: store it once.
    let name = sets.get(value);
    if (name === undefined) {
      name = `set${sets.size}`;
      sets.set(value, name);
      for (const [key, data] of value as Map<string, Float32Array>) {
        tensors.set(`${name}/${key}`, { dtype: "F32", shape: [data.length], data });
      }
    }
    return { weights: name };
  });
  await handler.write(FILE, encodeSafetensors(tensors, { format: FORMAT, fingerprint, state: json }));
}

/**
 * @returns the state, or undefined when there is no checkpoint
 * @throws ConfigError when the checkpoint belongs to a run with other options
 * @throws FormatError when the file is damaged
 */
export async function readCheckpoint(handler: FileHandler, fingerprint: string): Promise<FitState | undefined> {
  const bytes = await handler.read(FILE);
  if (bytes === undefined) return undefined;
  const where = `${handler.location}/${FILE}`;
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  const state = metadata["state"];
  if (metadata["format"] !== FORMAT || state === undefined) {
    throw new FormatError({
      where,
      expected: `a file of format ${FORMAT}`,
      received: metadata["format"] ?? "another file",
    });
  }
  if (metadata["fingerprint"] !== fingerprint) {
    throw new ConfigError({
      where,
      expected: "a checkpoint of a run with the same options, seeds and data",
      received: "one of another run",
      hint: "give this run a directory of its own, or remove the file to start anew",
    });
  }
  return JSON.parse(state, (_key, value: unknown) => {
    const name = isReference(value) ? value.weights : undefined;
    if (name === undefined) return value;
    const prefix = `${name}/`;
    const members = [...tensors].filter(([key]) => key.startsWith(prefix));
    return new Map(members.map(([key, tensor]) => [key.slice(prefix.length), tensor.data]));
  }) as FitState;
}

function isReference(value: unknown): value is { weights: string } {
  return typeof value === "object" && value !== null && "weights" in value && typeof value.weights === "string";
}
