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
