export { type BackendDiagnosis, type DoctorReport, doctor, formatDoctor, type MachineReport } from "./doctor.ts";
export { BackendError, type ErrorDetails, L0gmError } from "./errors.ts";
export type { KernelReport } from "./kernels/install.ts";
export { AdamW, type AdamWOptions } from "./operations/adamw.ts";
export { type AttentionOptions, attention } from "./operations/attention.ts";
export { softmaxCrossEntropy } from "./operations/cross-entropy.ts";
export { type CsrMatrix, csrProduct } from "./operations/csr.ts";
export { type DenseActivation, dense } from "./operations/dense.ts";
export { type GateConstants, type Gated, hardConcreteGate } from "./operations/gate.ts";
export { type GeluForm, gelu } from "./operations/gelu.ts";
export { layerNorm } from "./operations/layer-norm.ts";
export { meanOverNeighbors } from "./operations/neighbors.ts";
export { dropout, type RandomAddress, randomNormal, randomUniform } from "./operations/random.ts";
export {
  type BackendAttempt,
  type BackendChoice,
  type BackendName,
  type BackendOptions,
  type BackendReport,
  useBackend,
} from "./select.ts";
