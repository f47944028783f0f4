import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel, layers } from "@tensorflow/tfjs-layers";
import { FormatError, ShapeError } from "../errors.ts";
import type { EncodeContext, Encoder, EncoderCost, EncoderDescription, Parameter } from "./encoder.ts";
import { registerEncoder } from "./encoder-registry.ts";

type Layer = ReturnType<typeof layers.dense>;

/**
 * Makes an encoder of any tf.layers model with one input and one output `[rows, d]`. When the last layer is a linear `dense`, the
 * encoder can be compacted.
 *
 * Dropout layers of tf.layers draw unseeded masks, so that training with them is not repeatable.
 *
 * @param model - taken over
 * @throws ShapeError when the model has not one output of rank 2 with a known width
 *
 * @example
 * ```ts
 * import { layers, sequential } from "@tensorflow/tfjs-layers";
 * await useBackend("cpu");
 * const encoder = layersEncoder(
 *   sequential({ layers: [layers.dense({ units: 16, activation: "relu", inputShape: [4] }), layers.dense({ units: 8 })] }),
 * );
 * console.log(encoder.width, encoder.narrow !== undefined); // 8 true
 * ```
 */
export function layersEncoder(model: LayersModel): Encoder<tf.Tensor> {
  const width = model.outputs.length === 1 ? model.outputs[0]?.shape : undefined;
  const d = width?.[1];
  if (width?.length !== 2 || typeof d !== "number") {
    throw new ShapeError({
      where: "layersEncoder",
      expected: "one output [rows, d]",
      received: model.outputs.map((o) => o.shape),
    });
  }
  const last = model.layers.at(-1) as Layer;
  const config = last.getConfig();
  const linear = last.getClassName() === "Dense" && config["activation"] === "linear" && config["useBias"] === true;
  const encoder: Encoder<tf.Tensor> = {
    width: d,
    parameters: modelParameters(model),
    cost: modelCost(model),
    encode: (batch: tf.Tensor, { training }: EncodeContext) =>
      // `call` with the flag is what model.fit itself does; `apply` would leave dropout off.
      tf.tidy(() => {
        const output = model.call(batch, { training });
        return (Array.isArray(output) ? output[0] : output) as tf.Tensor2D;
      }),
    describe: (): EncoderDescription => ({ kind: "core/layers", config: modelConfig(model) }),
    dispose: () => model.dispose(),
  };
  return linear ? { ...encoder, narrow: (keep) => layersEncoder(narrowModel(model, keep)) } : encoder;
}

function modelParameters(model: LayersModel): Parameter[] {
  return model.layers.flatMap((layer, i) =>
    layer.trainableWeights.map((weight, j) => ({
      // Layer names count up within a process; positions are the same in every process.
      name: `layer${i}/${weight.originalName.split("/").at(-1) ?? j}`,
      variable: weight.read() as tf.Variable,
      decay: weight.shape.length > 1,
    })),
  );
}

function modelCost(model: LayersModel): EncoderCost {
  const kernels = model.layers.flatMap((layer) => layer.trainableWeights.filter((weight) => weight.shape.length > 1));
  return {
    parameters: model.countParams(),
    macs: kernels.reduce((sum, weight) => sum + weight.shape.reduce<number>((n, size) => n * (size ?? 1), 1), 0),
  };
}

/** A copy of the model whose last dense layer makes only the outputs `keep`. */
function narrowModel(model: LayersModel, keep: readonly number[]): LayersModel {
  const config = modelConfig(model);
  const lastLayer = (Array.isArray(config.config) ? config.config : config.config["layers"]) as { config: object }[];
  const entry = lastLayer.at(-1);
  if (entry !== undefined) entry.config = { ...entry.config, units: keep.length };
  const copy = modelFrom(config);
  const index = tf.tensor1d([...keep], "int32");
  const weights = model.getWeights();
  const sliced = weights.slice(-2).map((weight) => tf.gather(weight, index, weight.rank - 1));
  copy.setWeights([...weights.slice(0, -2), ...sliced]);
  tf.dispose([index, ...sliced]);
  return copy;
}

interface ModelConfig {
  readonly className: string;
  readonly config: tf.serialization.ConfigDict;
}

/** A copy as plain JSON, so that changing it leaves the model alone. */
function modelConfig(model: LayersModel): ModelConfig {
  return JSON.parse(JSON.stringify({ className: model.getClassName(), config: model.getConfig() })) as ModelConfig;
}

function modelFrom({ className, config }: ModelConfig): LayersModel {
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[className];
  if (entry === undefined) {
    throw new FormatError({ where: "layersEncoder", expected: "a tf.layers model", received: className });
  }
  const [Model, fromConfig] = entry;
  return fromConfig(Model, config) as unknown as LayersModel;
}

registerEncoder("core/layers", (config) => layersEncoder(modelFrom(config as ModelConfig)) as Encoder<never>);
