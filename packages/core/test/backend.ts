import type { BackendChoice } from "@l0gm/backend";

declare module "vitest" {
  export interface ProvidedContext {
    /** The backend that core's tests run on: plain JavaScript, or native TensorFlow with `pnpm test:native`. */
    backend: BackendChoice;
  }
}
