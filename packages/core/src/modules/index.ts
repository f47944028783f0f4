/**
 * What a modality builds its encoders of: modules (a differentiable function and the weights it needs), layers of tf.layers around
 * them, and the encoder that a trunk of them makes.
 *
 * @packageDocumentation
 */

export { yieldToEvents } from "../event-loop.ts";
export { checkInteger, checkRate } from "./checks.ts";
export { type DenseOptions, dense } from "./dense.ts";
export { dropout } from "./dropout.ts";
export { layerNorm } from "./layer-norm.ts";
export {
  type Fill,
  glorotUniform,
  heUniform,
  type Module,
  ModuleWeights,
  normal,
  ones,
  uniform,
  type Weight,
  zeros,
} from "./module.ts";
export { type EncoderKind, type ModuleEncoderOptions, moduleEncoder, type Trunk } from "./module-encoder.ts";
export { type CallArgs, type LayerArgs, ModuleLayer, type SeededLayerArgs } from "./module-layer.ts";
