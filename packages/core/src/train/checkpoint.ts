import { ConfigError, FormatError } from "../errors.ts";
import type { FileHandler } from "../io/file-handler.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "../io/safetensors.ts";
import type { FitState } from "./state.ts";

/** Where `fit` keeps its checkpoint. */
export interface CheckpointOptions {
  /**
   * An unfinished run found here goes on; a finished one is returned as it ended. Without a checkpoint the model is trained as it is:
   * to repeat a run that stopped before its first one, make the model anew.
   *
   * A checkpoint is refused unless its run had the same options of training, seeds, number of rows, classes, width, gate, and encoder
   * by its `describe()`, names and connections of tf.layers aside. An encoder without one is known by its width alone, and data by their rows' number: that those are the same
   * is the caller's to see to.
   */
  readonly handler: FileHandler;
  /** Epochs between two checkpoints. @defaultValue 1 */
  readonly every?: number;
}

const FILE = "checkpoint.safetensors";
const FORMAT = "l0gm-checkpoint-3";
const DIFFERENCES_SHOWN = 5;
const LONGEST_SHOWN = 80;

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
 * @param fingerprint - JSON of what must agree
 * @returns the state, or undefined when there is no checkpoint
 * @throws ConfigError when the checkpoint belongs to a run with another fingerprint, saying what differs
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
      hint: "remove it to start anew: a file of an earlier version does not say enough of its run",
    });
  }
  const differing = differences(JSON.parse(fingerprint), JSON.parse(metadata["fingerprint"] ?? "{}"));
  if (differing.length > 0) {
    const shown = differing.slice(0, DIFFERENCES_SHOWN);
    const more = differing.length > shown.length ? `, and ${differing.length - shown.length} more that differ` : "";
    throw new ConfigError({
      where,
      expected: `a checkpoint of a run with ${shown.map(([path, ours]) => `${path} ${ours}`).join(", ")}${more}`,
      received: `one of another run, with ${shown.map(([path, , theirs]) => `${path} ${theirs}`).join(", ")}`,
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

/** Where two JSON values differ: path, ours, theirs. */
function differences(ours: unknown, theirs: unknown, path = ""): [path: string, ours: string, theirs: string][] {
  if (isObject(ours) && isObject(theirs) && Array.isArray(ours) === Array.isArray(theirs)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    return [...keys].flatMap((key) => differences(ours[key], theirs[key], path === "" ? key : `${path}.${key}`));
  }
  const shown = (value: unknown): string => {
    const text = value === undefined ? "not given" : JSON.stringify(value);
    return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
  };
  return ours === theirs ? [] : [[path, shown(ours), shown(theirs)]];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function isReference(value: unknown): value is { weights: string } {
  return typeof value === "object" && value !== null && "weights" in value && typeof value.weights === "string";
}
