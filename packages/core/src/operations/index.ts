/**
 * What encoders are made of: operations of `@l0gm/backend` that run fused on its WebAssembly kernels, and composed of plain operations of
 * TensorFlow.js, with the same results and gradients, on any other backend.
 *
 * @packageDocumentation
 */

export {
  type AttentionDropout,
  type AttentionOptions,
  attention,
  type CsrMatrix,
  csrProduct,
  csrSoftmax,
  type DenseActivation,
  dense,
  dropout,
  type GeluForm,
  gelu,
  layerNorm,
  meanOverNeighbors,
  piecewiseLinear,
  type RandomAddress,
  type RandomSource,
  randomNormal,
  randomUniform,
  type StreamKeys,
  type StreamPlace,
} from "@l0gm/backend";
