import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { checkFileName, type FileHandler } from "../io/file-handler.ts";

/**
 * The files of one directory. A file is written under another name, flushed to disk and then renamed, so that a crash leaves the old
 * bytes or the new ones. The directory is made by the first write.
 *
 * @param path - absolute, or relative to the working directory
 * @throws ConfigError (its methods) when a name is not a plain file name
 *
 * @example
 * ```ts
 * import { directory } from "@l0gm/core/node";
 * const files = directory("runs/adult-seed-0");
 * console.log((await files.read("manifest.json")) === undefined); // true: nothing is saved there yet
 * ```
 */
export function directory(path: string): FileHandler {
  const pathOf = (name: string): string => join(path, checkFileName(name));
  return {
    location: path,
    read: async (name) => unlessMissing(readFile(pathOf(name)), undefined),
    write: async (name, bytes) => {
      const file = pathOf(name);
      await mkdir(path, { recursive: true });
      // write-file-atomic turns what is no Buffer into text.
      await writeFileAtomic(file, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    },
    remove: async (name) => rm(pathOf(name), { force: true }),
    list: async () => {
      const entries = await unlessMissing(readdir(path, { withFileTypes: true }), []);
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
  };
}

async function unlessMissing<T, D>(result: Promise<T>, missing: D): Promise<T | D> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return missing;
    throw error;
  }
}
