import { readFile } from "node:fs/promises";
import { ConfigError, DataError } from "@l0gm/core";
import { z } from "zod";

const share = z.number().min(0).lt(1);
const fraction = z.number().gt(0).max(1);
const positive = z.number().positive();

/** Settings of training, gate and control: the same for every modality. Tasks extend it with their encoder and data. */
export const runConfig = z.strictObject({
  backend: z.enum(["auto", "tensorflow", "webgpu", "wasm", "cpu"]).default("auto").describe("TensorFlow.js backend"),
  width: z.int().positive().default(128).describe("d, the dimensions of the representation"),
  epochs: z.int().positive().default(16).describe("passes over the training rows, all phases together"),
  batchSize: z
    .union([z.int().positive(), z.literal("auto")])
    .default("auto")
    .describe("rows a step; auto: about a 64th of the training rows, from 16 to 512"),
  accumulation: z.int().positive().default(1).describe("batches whose gradients make one step"),
  weights: z
    .strictObject({
      learningRate: positive.default(2e-3),
      schedule: z.enum(["cosine", "constant"]).default("cosine").describe("after a warm-up over 5 % of a segment"),
      decay: z.number().nonnegative().default(1e-2).describe("decoupled weight decay"),
    })
    .prefault({})
    .describe("the optimizer of encoder and head"),
  clipNorm: positive.default(1).describe("largest norm of the weights' gradient"),
  gate: z
    .strictObject({
      initialOpen: z.number().gt(0).lt(1).default(0.9).describe("initial P(z != 0)"),
      noise: z.enum(["batch", "row"]).default("batch").describe("one noise vector a batch, or one a row"),
      rule: z.enum(["mean", "median"]).default("mean").describe("value of a gate at evaluation"),
      learningRate: positive.default(0.05).describe("of log alpha"),
    })
    .prefault({}),
  target: z
    .strictObject({
      consolidation: share.default(0.4).describe("share of the epochs with frozen gates"),
      dualStep: positive.default(0.05),
    })
    .prefault({})
    .describe("runs with --target"),
  penalty: z
    .strictObject({
      warmUp: share.default(0.2).describe("share of the gate phase at lambda 0"),
      rise: z.enum(["linear", "cosine", "cubic"]).default("cosine"),
      consolidation: share.default(0.3),
    })
    .prefault({})
    .describe("runs with --lambda"),
  path: z
    .strictObject({
      fractions: z.array(fraction).min(1).default([1, 0.5, 0.25, 0.125, 0.0625, 0.03125]).describe("in falling order"),
      epochs: z.int().positive().default(19).describe("of the whole path"),
      firstShare: positive.default(5).describe("length of the first segment, relative to each later one"),
      consolidation: share.default(0.5),
      dualStep: positive.default(0.1),
    })
    .prefault({})
    .describe("runs with --path"),
  earlyStopping: z
    .strictObject({ patience: z.int().positive(), minimumDelta: z.number().nonnegative().default(0) })
    .optional()
    .describe("on validation NLL, after the gates are frozen; none by default, so that budgets are equal"),
});

export type RunConfig = z.output<typeof runConfig>;

/**
 * Checks a config and fills in defaults.
 *
 * @param where - the file, or what else the value came from
 * @throws ConfigError that names the path of every setting that is wrong
 */
export function parseConfig<Config>(schema: z.ZodType<Config>, value: unknown, where: string): Config {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const place = path.map(String).join(".");
    return place === "" ? message : `${place}: ${message}`;
  });
  throw new ConfigError({
    where,
    expected: "settings as `l0gm schema config` describes them",
    received: problems.join("; "),
  });
}

/** @throws DataError when the file cannot be read or is no JSON */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new DataError({ where: path, expected: "a readable JSON file", received }, { cause });
  }
}
