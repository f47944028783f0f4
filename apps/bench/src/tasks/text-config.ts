import { z } from "zod";
import { runConfig } from "./config.ts";

const size = z.int().positive();
const positive = z.number().positive();
const rate = z.number().min(0).lt(1);

/** What differs between texts as long as nobody asks for something else. */
export interface TextDefaults {
  readonly epochs: number;
  readonly pathEpochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly gateLearningRate: number;
  readonly maximumLength: number;
  readonly truncation: "head" | "head-and-tail";
  readonly hidden: number;
  readonly layers: number;
  readonly dropout: number;
  readonly tokenDropout: number;
  readonly vocabulary: { readonly size: number; readonly minimumCount: number };
}

function encoderSettings({ hidden, layers, dropout, tokenDropout, vocabulary }: TextDefaults) {
  return z.discriminatedUnion("kind", [
    z
      .strictObject({
        kind: z.literal("transformer"),
        hidden: size.default(hidden).describe("numbers of a token"),
        layers: size.default(layers),
        heads: size.default(4).describe("a divisor of hidden"),
        intermediate: size.exactOptional().describe("width of the feed-forward part; twice hidden by default"),
        positions: z.enum(["learned", "rotary"]).default("learned"),
        pooling: z.enum(["cls", "mean"]).default("mean"),
        dropout: rate.default(dropout),
        tokenDropout: rate.default(tokenDropout).describe("share of a training text's tokens that nothing sees"),
        vocabulary: z
          .strictObject({
            size: size.default(vocabulary.size).describe("most entries"),
            minimumCount: size.default(vocabulary.minimumCount).describe("words that occur less often are spelt"),
          })
          .prefault({})
          .describe("made of the training texts"),
      })
      .describe("a Transformer from scratch"),
    z
      .strictObject({
        kind: z.literal("bert"),
        model: z.string().describe("folder of a model in the Hugging Face format, looked for under the model folder"),
        pooling: z.enum(["cls", "mean", "pooler"]).default("mean"),
        layers: size.exactOptional().describe("blocks that are used; all by default"),
        trainableLayers: z
          .int()
          .nonnegative()
          .exactOptional()
          .describe("blocks that are trained, the last ones; what those below make of a text is kept on disk"),
        layerDecay: z.number().gt(0).max(1).default(1).describe("a block's learning rate over that of the one above"),
      })
      .describe("a pretrained encoder; --model says it too"),
  ]);
}

const { weights, gate, path, batchSize } = runConfig.shape;

/** What differs with a pretrained encoder: it is tuned gently, and knows the language already. */
export interface PretrainedDefaults {
  readonly epochs: number;
  readonly learningRate: number;
}

/** Settings of runs on texts, from scratch and by what is asked for. */
export function textConfigs<Data extends z.ZodRawShape>(
  defaults: TextDefaults,
  pretrained: PretrainedDefaults,
  data: Data,
) {
  const config = textConfig(defaults, pretrained).extend(data);
  const ofPretrained = textConfig({ ...defaults, ...pretrained }, pretrained).extend(data);
  return {
    config,
    configFor: (_split: string, given: unknown) =>
      hasPretrainedEncoder.safeParse(given).success ? ofPretrained : config,
  };
}

const hasPretrainedEncoder = z.looseObject({ encoder: z.looseObject({ kind: z.literal("bert") }) });

function textConfig(defaults: TextDefaults, pretrained: PretrainedDefaults) {
  return runConfig.extend({
    epochs: size
      .default(defaults.epochs)
      .describe(`passes over the training texts, all phases together; ${pretrained.epochs} with a pretrained encoder`),
    batchSize: batchSize.unwrap().default(defaults.batchSize),
    weights: weights
      .unwrap()
      .extend({
        learningRate: positive
          .default(defaults.learningRate)
          .describe(`${pretrained.learningRate} with a pretrained encoder`),
      })
      .prefault({})
      .describe("the optimizer of encoder and head"),
    gate: gate
      .unwrap()
      .extend({ learningRate: positive.default(defaults.gateLearningRate).describe("of log alpha") })
      .prefault({}),
    path: path
      .unwrap()
      .extend({ epochs: size.default(defaults.pathEpochs).describe("of the whole path") })
      .prefault({})
      .describe("runs with --path"),
    encoder: encoderSettings(defaults).prefault({ kind: "transformer" }),
    tokens: z
      .strictObject({
        maximumLength: size.default(defaults.maximumLength).describe("tokens of a text, special ones included"),
        truncation: z
          .enum(["head", "head-and-tail"])
          .default(defaults.truncation)
          .describe("which tokens of a longer text stay"),
        padToMultipleOf: size.default(1).describe("batches are padded to a multiple of this; on a GPU 64 is faster"),
      })
      .prefault({}),
  });
}

export type TextConfig = z.output<ReturnType<typeof textConfig>>;
