/** The JSON beside a saved model's weights: what `load` needs to rebuild the model, and what a reader wants to know of it. */

import { FormatError } from "../errors.ts";
import type { Savings } from "../gate/compact.ts";
import type { GateOptions } from "../gate/gate-layer.ts";
import type { HardConcreteParams } from "../gate/hard-concrete.ts";
import type { EncoderDescription } from "../model/encoder.ts";
import type { Seeds } from "../random.ts";

/** What a user may store with a model. Everything must be plain JSON. */
export interface SaveInfo {
  readonly seeds?: Seeds;
  /** The configuration of the run that made the model. */
  readonly config?: unknown;
  /** Checksums of the data, by name. */
  readonly data?: Readonly<Record<string, string>>;
  readonly extra?: unknown;
}

/** The gates of a saved model. */
export interface ManifestGate {
  readonly options: GateOptions;
  readonly params: Required<HardConcreteParams>;
  /** `[width]`: each dimension's value at evaluation, for readers; `load` takes log alpha from the weights. */
  readonly values: readonly number[];
}

/** `manifest.json` of a saved model. */
export interface Manifest extends SaveInfo {
  readonly format: "l0gm-model";
  readonly version: 1;
  readonly kind: "gated" | "dense" | "compact";
  readonly encoder: EncoderDescription;
  readonly classes: number;
  /** Columns of the representation, d. */
  readonly width: number;
  /** Shape of the head's kernel: width times classes. */
  readonly head: { readonly inputs: number; readonly outputs: number };
  /** Of a gated model. */
  readonly gate?: ManifestGate;
  /** Of a compact model: the dimensions that are left, and what that saved. */
  readonly compact?: { readonly active: readonly number[]; readonly savings: Savings };
  /** Of the software that saved the model. */
  readonly versions: { readonly l0gm: string; readonly tfjs: string };
  readonly weights: { readonly file: string; readonly sha256: string };
}

export const MANIFEST_FILE = "manifest.json";
const FORMAT = "l0gm-model";
const VERSION = 1;

/**
 * Reads a manifest's text and checks every field.
 *
 * @param file - named in errors
 * @throws FormatError naming the field that is missing or wrong, or the version when it is a later one
 */
export function parseManifest(text: string, file: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : "other text";
    throw new FormatError(
      { where: file, expected: "JSON", received, hint: "the file is truncated or not ours" },
      { cause },
    );
  }
  const found = record(json, file);
  if (found["format"] !== FORMAT) {
    throw new FormatError({
      where: `${file}: $.format`,
      expected: FORMAT,
      received: found["format"],
      hint: "this is not a saved model of L0GM",
    });
  }
  const version = count(found["version"], `${file}: $.version`);
  if (version > VERSION) {
    throw new FormatError({
      where: `${file}: $.version`,
      expected: `at most ${VERSION}`,
      received: version,
      hint: "a later L0GM wrote this model: update @l0gm/core",
    });
  }
  const manifest = manifestFields(json, `${file}: $`);
  checkConsistency(manifest, file);
  return manifest;
}

function checkConsistency({ kind, width, classes, head, gate, compact }: Manifest, file: string): void {
  const agree = (path: string, expected: string, received: unknown, holds: boolean): void => {
    if (!holds) throw new FormatError({ where: `${file}: $.${path}`, expected, received });
  };
  agree("classes", "at least 2", classes, classes >= 2);
  agree("head", `${width} inputs and ${classes} outputs`, head, head.inputs === width && head.outputs === classes);
  const listed = { gated: gate?.values, compact: compact?.active };
  for (const [name, list] of Object.entries(listed)) {
    const path = name === "gated" ? "gate" : name;
    if (kind !== name) agree(path, `nothing in a ${kind} model`, "an object", list === undefined);
    else agree(path, `one entry for each of ${width} dimensions`, list?.length, list?.length === width);
  }
}

/** Checks a value found at a path and returns it typed. */
type Check<T> = (value: unknown, path: string) => T;

function must<T>(expected: string, holds: (value: unknown) => value is T): Check<T> {
  return (value, where) => {
    if (!holds(value)) throw new FormatError({ where, expected, received: value });
    return value;
  };
}

const text = must("a string", (value): value is string => typeof value === "string");
const number = must("a finite number", (value): value is number => Number.isFinite(value));
const count = must("an integer >= 0", (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0);
const record = must(
  "an object",
  (value): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value),
);
const anything: Check<unknown> = (value) => value;

function oneOf<const T>(...values: readonly T[]): Check<T> {
  return must(`one of ${JSON.stringify(values)}`, (value): value is T => values.some((v) => v === value));
}

function list<T>(item: Check<T>): Check<readonly T[]> {
  const array = must("a list", (value): value is unknown[] => Array.isArray(value));
  return (value, path) => array(value, path).map((entry, i) => item(entry, `${path}[${i}]`));
}

function dictionary<T>(item: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value, path) =>
    Object.fromEntries(Object.entries(record(value, path)).map(([key, entry]) => [key, item(entry, `${path}.${key}`)]));
}

/** Fields that are not named are dropped. */
function fields<Required, Optional = unknown>(
  required: { readonly [K in keyof Required]-?: Check<Required[K]> },
  optional?: { readonly [K in keyof Optional]-?: Check<Optional[K]> },
): Check<Required & Partial<Optional>> {
  return (value, path) => {
    const found = record(value, path);
    const present = Object.entries<Check<unknown>>({ ...optional }).filter(([key]) => found[key] !== undefined);
    const checked = [...Object.entries<Check<unknown>>({ ...required }), ...present];
    const entries = checked.map(([key, check]) => [key, check(found[key], `${path}.${key}`)]);
    return Object.fromEntries(entries) as Required & Partial<Optional>;
  };
}

const saving = fields({ dense: number, compacted: number });
const params = { temperature: number, gamma: number, zeta: number };

const manifestFields: Check<Manifest> = fields(
  {
    format: oneOf(FORMAT),
    version: oneOf(VERSION),
    kind: oneOf("gated", "dense", "compact"),
    encoder: fields({ kind: text, config: anything }),
    classes: count,
    width: count,
    head: fields({ inputs: count, outputs: count }),
    versions: fields({ l0gm: text, tfjs: text }),
    weights: fields({ file: text, sha256: text }),
  },
  {
    gate: fields({
      options: fields<unknown, GateOptions>(
        {},
        {
          ...params,
          initialOpen: number,
          noise: oneOf("batch", "row"),
          rule: oneOf("mean", "median"),
          groups: list(count),
          costs: list(number),
          penalty: number,
          seed: count,
          name: text,
        },
      ),
      params: fields(params),
      values: list(number),
    }),
    compact: fields({
      active: list(count),
      savings: fields({ parameters: saving, embeddingBytes: saving, macs: saving }),
    }),
    seeds: fields({ split: count, initial: count, shuffle: count, gate: count, dropout: count }),
    config: anything,
    data: dictionary(text),
    extra: anything,
  },
);
