import * as tf from "@tensorflow/tfjs-core";
import { type LayersModel, layers } from "@tensorflow/tfjs-layers";
import { ConfigError, FormatError, ShapeError } from "../errors.ts";
import type { EncodeContext, Encoder, EncoderCost, EncoderDescription, Parameter } from "./encoder.ts";
import { registerEncoder } from "./encoder-registry.ts";
import { checkKept } from "./projection.ts";

/**
 * Makes an encoder of any tf.layers model with one input and one output `[rows, d]`. When the last layer is a linear `dense`, the
 * encoder can be compacted.
 *
 * Dropout layers of tf.layers draw unseeded masks, so that training with them is not repeatable.
 *
 * @param model - taken over
 * @throws ShapeError when the model has not one output of rank 2 with a known width
 * @throws ConfigError when a layer that is trained has a loss of its own (a regularizer, a penalty of a `HardConcreteGate`): `fit` adds none
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
  const regularized = trainedLayers(model).find((layer) => layer.losses.length > 0);
  if (regularized !== undefined) {
    throw new ConfigError({
      where: "layersEncoder",
      expected: "layers without losses of their own, which fit would not add",
      received: `regularizers or penalties of the layer ${regularized.name}`,
      hint: "Leave them out: fit has decoupled weight decay (weights.decay), and the classifier's gate has the penalty.",
    });
  }
  const encoder: Encoder<tf.Tensor> = {
    width: d,
    parameters: variablesOf(model, (layer) => layer.trainableWeights),
    buffers: variablesOf(model, (layer) => layer.nonTrainableWeights),
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
  if (!endsLinear(model)) return encoder;
  return {
    ...encoder,
    narrow: (keep) => {
      checkKept(keep, d, "layersEncoder.narrow");
      return layersEncoder(narrowModel(model, keep));
    },
  };
}

/** A layer and all that it holds (models, cells, wrapped layers), down to those that are frozen. */
function trainedLayers(layer: Layer): Layer[] {
  const found = new Set<Layer>();
  const visit = (each: Layer): void => {
    if (!each.trainable || found.has(each)) return;
    found.add(each);
    for (const value of Object.values(each).flat()) if (value instanceof layers.Layer) visit(value);
  };
  visit(layer);
  return [...found];
}

/** Whether the output comes from a linear dense layer that nothing else in the model reads. */
function endsLinear(model: LayersModel): boolean {
  const last = model.layers.at(-1);
  const config = last?.getConfig() ?? {};
  return (
    last?.getClassName() === "Dense" &&
    last.inboundNodes.length === 1 &&
    config["activation"] === "linear" &&
    config["useBias"] === true
  );
}

type Layer = LayersModel["layers"][number];

function variablesOf(model: LayersModel, weightsOf: (layer: Layer) => Layer["weights"]): Parameter[] {
  return model.layers.flatMap((layer, i) => {
    const names = layer.weights.map((weight) => weight.originalName.split("/").at(-1) ?? "");
    return weightsOf(layer).map((weight) => {
      const j = layer.weights.indexOf(weight);
      const name = names[j] ?? "";
      // The weights of a nested model can share a name. Layer names count up within a process; positions do not.
      const distinct = names.indexOf(name) === j ? name : `${name}_${j}`;
      return {
        name: `layer${i}/${distinct}`,
        variable: weight.read() as tf.Variable,
        decay: weight.shape.length > 1 && layer.getClassName() !== "Embedding",
      };
    });
  });
}

const product = (sizes: readonly (number | null)[]): number => sizes.reduce<number>((n, size) => n * (size ?? 1), 1);

/** A kernel is used once at each output position: 1 of a dense layer's on rows, height times width of a convolution's. */
function positionsOf(layer: Layer): number {
  // Embeddings look up, they do not multiply.
  if (layer.getClassName() === "Embedding") return 0;
  const shape = layer.outputShape;
  return product(shape.slice(1, -1).map((size) => (typeof size === "number" ? size : 1)));
}

/** Recurrent layers are counted for one step. */
function modelCost(model: LayersModel): EncoderCost {
  const sizesOf = (weights: Layer["weights"]): number => weights.reduce((sum, { shape }) => sum + product(shape), 0);
  return {
    parameters: model.layers.reduce((sum, layer) => sum + sizesOf(layer.weights), 0),
    macs: model.layers.reduce(
      (sum, layer) => sum + positionsOf(layer) * sizesOf(layer.weights.filter(({ shape }) => shape.length > 1)),
      0,
    ),
  };
}

/** A copy of the model whose last dense layer makes only the outputs `keep`. */
function narrowModel(model: LayersModel, keep: readonly number[]): LayersModel {
  const config = modelConfig(model);
  const lastLayer = (Array.isArray(config.config) ? config.config : config.config["layers"]) as { config: object }[];
  const entry = lastLayer.at(-1);
  if (entry !== undefined) entry.config = { ...entry.config, units: keep.length };
  const copy = modelFrom(config);
  tf.tidy(() => {
    const index = tf.tensor1d([...keep], "int32");
    for (const [i, layer] of model.layers.entries()) {
      const weights = layer.getWeights();
      const isLast = i === model.layers.length - 1;
      copy.layers[i]?.setWeights(isLast ? weights.map((weight) => tf.gather(weight, index, weight.rank - 1)) : weights);
    }
  });
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
