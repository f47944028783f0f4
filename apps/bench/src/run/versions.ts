import { createRequire } from "node:module";
import { version_core } from "@tensorflow/tfjs-core";

const bench = createRequire(import.meta.url)("../../package.json") as { version: string };

/** What a result records of the software that made it. */
export function versions(code: string): Record<string, string> {
  return { l0gm: bench.version, code, tfjs: version_core, node: process.versions.node };
}
