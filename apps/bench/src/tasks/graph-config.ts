import { z } from "zod";
import { runConfig } from "./config.ts";

const size = z.int().positive();
const positive = z.number().positive();
const rate = z.number().min(0).lt(1);
const fanOut = z
  .array(z.union([z.literal(-1), size]))
  .min(1)
  .describe("neighbours drawn a layer, those of the batch's own nodes first; -1 takes all");

function encoderSettings({ hidden = 256, layers = 2, dropout = 0.5, featureDropout = 0 }: GraphDefaults) {
  const trunk = {
    hidden: size.default(hidden).describe("numbers of a node between layers"),
    layers: size.default(layers).describe("hops that messages go"),
    dropout: rate.default(dropout).describe("of every layer's output"),
    featureDropout: rate.default(featureDropout),
    residual: z.boolean().default(false),
    normalisation: z.enum(["layer", "none"]).default("layer"),
  };
  return z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("sage"), ...trunk, aggregate: z.enum(["mean", "sum"]).default("mean") }),
    z.strictObject({ kind: z.literal("gcn"), ...trunk }),
    z.strictObject({ kind: z.literal("gat"), ...trunk, heads: size.default(4), attentionDropout: rate.default(0) }),
    z.strictObject({ kind: z.literal("linear") }).describe("a linear map of the features: logistic regression"),
  ]);
}

const training = z.discriminatedUnion("kind", [
  z
    .strictObject({ kind: z.literal("whole") })
    .describe("all neighbours; with batchSize auto a batch is all training nodes"),
  z.strictObject({
    kind: z.literal("sampled"),
    fanOut,
    workers: z.int().nonnegative().default(0).describe("threads that sample ahead; results do not depend on them"),
  }),
]);

const { weights, gate, target, path, batchSize } = runConfig.shape;

/** What differs between graphs as long as nobody asks for something else. */
export interface GraphDefaults {
  readonly epochs: number;
  readonly pathEpochs: number;
  readonly batchSize?: number;
  readonly learningRate: number;
  readonly weightDecay?: number;
  readonly gateLearningRate: number;
  readonly dualStep?: number;
  readonly pathDualStep?: number;
  readonly hidden?: number;
  readonly layers?: number;
  readonly dropout?: number;
  readonly featureDropout?: number;
  readonly features?: "standardise" | "rows" | "none";
  readonly training?: z.input<typeof training>;
}

/** Full-batch steps are few: each goes further than a step of some hundred rows (docs/decisions/0008-graph-recipe.md). */
export const FULL_BATCH = {
  epochs: 100,
  pathEpochs: 150,
  learningRate: 1e-2,
  weightDecay: 0,
  gateLearningRate: 0.5,
  dualStep: 0.1,
  pathDualStep: 1,
} as const satisfies GraphDefaults;

/** Settings of runs on the nodes of a graph. */
export function graphConfig(defaults: GraphDefaults) {
  const settings = runConfig.extend({
    backend: z
      .enum(["auto", "tensorflow", "wasm", "cpu"])
      .default("wasm")
      .describe("TensorFlow.js backend; WebGPU reads no tensor in the middle of an operation, as graphs need, in Node"),
    epochs: size.default(defaults.epochs).describe("passes over the training nodes, all phases together"),
    batchSize: defaults.batchSize === undefined ? batchSize : batchSize.unwrap().default(defaults.batchSize),
    weights: weights
      .unwrap()
      .extend({
        learningRate: positive.default(defaults.learningRate),
        decay: z
          .number()
          .nonnegative()
          .default(defaults.weightDecay ?? 1e-2)
          .describe("decoupled weight decay"),
      })
      .prefault({})
      .describe("the optimizer of encoder and head"),
    gate: gate
      .unwrap()
      .extend({ learningRate: positive.default(defaults.gateLearningRate).describe("of log alpha") })
      .prefault({}),
    target: target
      .unwrap()
      .extend({ dualStep: positive.default(defaults.dualStep ?? 0.05) })
      .prefault({})
      .describe("runs with --target"),
    path: path
      .unwrap()
      .extend({
        epochs: size.default(defaults.pathEpochs).describe("of the whole path"),
        dualStep: positive.default(defaults.pathDualStep ?? 0.1),
      })
      .prefault({})
      .describe("runs with --path"),
    encoder: encoderSettings(defaults).prefault({ kind: "sage" }),
    training: training.prefault(defaults.training ?? { kind: "whole" }),
    evaluation: z
      .union([z.literal("whole"), fanOut])
      .default("whole")
      .describe("neighbours at validation and test: all, layer by layer, or a fan-out"),
    features: z
      .enum(["standardise", "rows", "none"])
      .default(defaults.features ?? "standardise")
      .describe("standardise: with the training nodes' means and deviations; rows: each node's sum to 1"),
    edges: z
      .strictObject({
        keep: z
          .union([z.literal("none"), z.number().gt(0).max(1)])
          .default(1)
          .describe("share that stays, edges of nodes of small degree first"),
        drop: rate.default(0).describe("share that each epoch of training does without"),
        averagings: z
          .int()
          .nonnegative()
          .default(0)
          .describe("times that features are averaged over neighbours beforehand"),
      })
      .prefault({}),
  });
  return settings.superRefine(({ encoder, training, evaluation }, context) => {
    const layers = encoder.kind === "linear" ? undefined : encoder.layers;
    const check = (path: string[], fanOut: readonly number[]): void => {
      if (fanOut.length === layers) return;
      const expected = layers === undefined ? "no fan-out, as the encoder has no layers" : `${layers}, one a layer`;
      context.addIssue({ code: "custom", path, message: `expected ${expected}, received [${fanOut}]` });
    };
    if (training.kind === "sampled") check(["training", "fanOut"], training.fanOut);
    if (evaluation !== "whole") check(["evaluation"], evaluation);
  });
}

export type GraphConfig = z.output<ReturnType<typeof graphConfig>>;
