export { type BackendDiagnosis, type DoctorReport, doctor, formatDoctor, type MachineReport } from "./doctor.ts";
export { BackendError, type ErrorDetails, L0gmError } from "./errors.ts";
export type { KernelReport } from "./kernels/install.ts";
export {
  type BackendAttempt,
  type BackendChoice,
  type BackendName,
  type BackendOptions,
  type BackendReport,
  useBackend,
} from "./select.ts";
