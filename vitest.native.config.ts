import { mergeConfig, type ViteUserConfig } from "vitest/config";
import base from "./vitest.config.ts";

const { projects: _, ...shared } = base.test ?? {};

/** The tests of core and of BERT on native TensorFlow, which `pnpm setup:native` makes usable. */
const config: ViteUserConfig = mergeConfig(
  { ...base, test: shared } satisfies ViteUserConfig,
  {
    test: {
      include: ["packages/core/{src,test}/**/*.test.ts", "packages/text/src/bert.test.ts", "test/native/*.test.ts"],
      setupFiles: ["test/native/setup.ts"],
      provide: { backend: "tensorflow" },
    },
  } satisfies ViteUserConfig,
);

export default config;
