import { mergeConfig, type ViteUserConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** The tests of core and of BERT on native TensorFlow, which `pnpm setup:native` makes usable. */
const config: ViteUserConfig = mergeConfig(base, {
  test: { setupFiles: ["test/native/setup.ts"], provide: { backend: "tensorflow" } },
} satisfies ViteUserConfig);
config.test = {
  ...config.test,
  include: ["packages/core/{src,test}/**/*.test.ts", "packages/text/src/bert.test.ts", "test/native/*.test.ts"],
  exclude: ["**/node_modules/**"],
};

export default config;
