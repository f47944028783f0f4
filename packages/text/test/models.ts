import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Folders of the pretrained models that tests read, where `L0GM_MODEL_DIR` has them. */
export const MODELS: readonly { readonly name: string; readonly folder: string; readonly there: boolean }[] = [
  "all-minilm-l6-v2",
  "paraphrase-minilm-l3-v2",
].map((name) => {
  const folder = join(process.env["L0GM_MODEL_DIR"] ?? "", name);
  return { name, folder, there: process.env["L0GM_MODEL_DIR"] !== undefined && existsSync(folder) };
});

/** Of a test's name, so that what was not run is seen. */
export function unlessThere(there: boolean): string {
  return there ? "" : " (skipped: not under L0GM_MODEL_DIR)";
}

/** One of the golden files beside a model. */
export function golden<T>(folder: string, file: string): T {
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as T;
}
