import type { BackendChoice } from "@l0gm/core";

declare module "vitest" {
  export interface ProvidedContext {
    /** As in the tests of core: plain JavaScript, or native TensorFlow with `pnpm test:native`. */
    backend: BackendChoice;
  }
}
