import { ConfigError } from "@l0gm/core";
import { taskNamed } from "../tasks/registry.ts";

/** Options that end up in a run's settings, where its key and its folder record them. What is no object is left for the schema to refuse. */

/** Puts `--label` and `--text` into the settings. */
export function withColumns(config: unknown, columns: { readonly label?: string; readonly text?: string }): unknown {
  return Object.keys(columns).length === 0 ? config : merged(config, "data", columns);
}

/** Puts `--model` and `--trainable-layers` into the settings. */
export function withPretrained(
  config: unknown,
  { model, trainableLayers }: { readonly model?: string; readonly trainableLayers?: number },
): unknown {
  const chosen = model === undefined ? config : merged(config, "encoder", { kind: "bert", model });
  const encoder = isObject(chosen) ? chosen["encoder"] : undefined;
  if (trainableLayers !== undefined && !(isObject(encoder) && encoder["kind"] === "bert")) {
    const hint = "A Transformer from scratch is trained whole.";
    const expected = "a pretrained encoder, which --model names";
    throw new ConfigError({ where: "--trainable-layers", expected, received: "none", hint });
  }
  return trainableLayers === undefined ? chosen : merged(chosen, "encoder", { trainableLayers });
}

/**
 * Says that a benchmark takes no `--label` in the user's own terms; its schema would speak of a key that nobody wrote.
 *
 * @throws ConfigError when the benchmark's settings have no place for a label
 */
export function checkLabel(benchmark: string, label: string | undefined): void {
  if (label === undefined) return;
  const issues = taskNamed(benchmark).config.safeParse({ data: { label } }).error?.issues ?? [];
  if (!issues.some(({ code }) => code === "unrecognized_keys")) return;
  throw new ConfigError({
    where: `--label of ${benchmark}`,
    expected: "no --label: its data say what is predicted",
    received: label,
  });
}

/** Puts `--targets` into the settings of path runs, densest first. */
export function withPathFractions(config: unknown, targets: readonly number[]): unknown {
  return merged(config, "path", { fractions: [...targets].sort((a, b) => b - a) });
}

function merged(config: unknown, section: string, settings: object): unknown {
  if (!isObject(config)) return config;
  const own = config[section] ?? {};
  return { ...config, [section]: isObject(own) ? { ...own, ...settings } : own };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
