import { configDefaults, defineConfig, type ViteUserConfig } from "vitest/config";
import type {} from "./packages/core/test/backend.ts";

/** Our own packages resolve to their sources, so tests need no build. */
const conditions = ["@l0gm/source", "node", "import", "default"];

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    provide: { backend: "cpu" },
    // Compiles the WebAssembly kernels and bundles the sampler's worker where their sources have changed.
    globalSetup: ["packages/backend/assembly/build.mjs", "packages/graph/worker/build.mjs"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "sources",
          include: ["{packages,apps}/*/{src,bench}/**/*.test.ts", "packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
          // Those of `pnpm test:native`.
          exclude: [...configDefaults.exclude, "test/native/**"],
        },
      },
      {
        extends: true,
        test: { name: "command", include: ["apps/*/test/**/*.test.ts"], globalSetup: ["apps/bench/test/build.ts"] },
      },
    ],
  },
});

export default config;
