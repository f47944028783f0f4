import type { BackendChoice } from "@l0gm/backend";

declare module "vitest" {
  export interface ProvidedContext {
    /** The backend that the tests of core and of BERT run on: plain JavaScript, or native TensorFlow with `pnpm test:native`. */
    backend: BackendChoice;
  }
}
