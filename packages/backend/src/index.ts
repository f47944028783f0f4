export { type BackendDiagnosis, type DoctorReport, doctor, formatDoctor, type MachineReport } from "./doctor.ts";
export { BackendError, type ErrorDetails, L0gmError } from "./errors.ts";
export type { KernelReport } from "./kernels/install.ts";
export {
  AdamW,
  type AdamWOptions,
  type AdamWStep,
  adamWStep,
  type Moments,
  zeroMoments,
} from "./operations/adamw.ts";
export { type AttentionDropout, type AttentionOptions, attention } from "./operations/attention.ts";
export { softmaxCrossEntropy } from "./operations/cross-entropy.ts";
export { type CsrMatrix, csrProduct } from "./operations/csr.ts";
export { csrSoftmax } from "./operations/csr-softmax.ts";
export { type DenseActivation, dense } from "./operations/dense.ts";
export {
  type GateConstants,
  type Gated,
  type GateSettings,
  hardConcreteGate,
  sampleHardConcrete,
} from "./operations/gate.ts";
export { type GeluForm, gelu } from "./operations/gelu.ts";
export { layerNorm } from "./operations/layer-norm.ts";
export { meanOverNeighbors } from "./operations/neighbors.ts";
export { piecewiseLinear } from "./operations/piecewise-linear.ts";
export {
  dropout,
  type RandomAddress,
  type RandomSource,
  randomNormal,
  randomUniform,
  type StreamPlace,
} from "./operations/random.ts";
export { sumOfSquares } from "./operations/sum-of-squares.ts";
export { bitsAt, isSeed, keysOfBlock, type StreamKeys, streamAt } from "./random-stream.ts";
export {
  type BackendAttempt,
  type BackendChoice,
  type BackendName,
  type BackendOptions,
  type BackendReport,
  useBackend,
} from "./select.ts";
