import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { DataError } from "@l0gm/core";
import envPaths from "env-paths";

/** Folders that can hold models, in the order in which they are looked at: the option, the environment, the cache. */
function modelFolders(modelDir: string | undefined): string[] {
  const { cache } = envPaths("l0gm", { suffix: "" });
  return [modelDir, process.env["L0GM_MODEL_DIR"], join(cache, "models")].filter(
    (folder): folder is string => folder !== undefined && folder !== "",
  );
}

/** What a model's folder has to hold; all of it decides a run's numbers. */
export const MODEL_FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] as const;

/**
 * The folder of a model in the Hugging Face format.
 *
 * @throws DataError that says where it was looked for when it is nowhere, or what it lacks
 */
export function requireModel(name: string, modelDir: string | undefined): string {
  const folders = modelFolders(modelDir).map((folder) => resolve(folder, name));
  const found = folders.find((folder) => existsSync(join(folder, "model.safetensors")));
  const lacking = MODEL_FILES.find((file) => found !== undefined && !existsSync(join(found, file)));
  if (found !== undefined && lacking === undefined) return found;
  throw new DataError({
    where: `model ${name}`,
    expected: `a folder with ${MODEL_FILES.join(", ")}`,
    received: lacking === undefined ? `none in ${folders.join(", ")}` : `no ${lacking} in ${found}`,
    hint: "Name its folder: --model PATH; or the folder of all models: --model-dir, or L0GM_MODEL_DIR.",
  });
}
