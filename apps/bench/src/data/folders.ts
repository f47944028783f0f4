import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { ConfigError, DataError } from "@l0gm/core";
import envPaths from "env-paths";
import { DATA_SETS, type DataFile, type DataSet } from "./catalogue.ts";

/** @throws ConfigError when there is no such data set */
export function dataSet(name: string): DataSet {
  const found = DATA_SETS.find((set) => set.name === name);
  if (found !== undefined) return found;
  const names = DATA_SETS.map((set) => set.name).join(", ");
  throw new ConfigError({ where: "data set", expected: `one of ${names}`, received: name });
}

/** Folders in which a set is looked for, in this order: the option, the environment, the cache, the copy that ships. */
export function searchedFolders(set: DataSet, dataDir: string | undefined): string[] {
  const roots = [dataDir, process.env["L0GM_DATA_DIR"], envPaths("l0gm", { suffix: "" }).cache];
  const under = roots
    .filter((root): root is string => root !== undefined && root !== "")
    .flatMap((root) => set.folders.map((folder) => resolve(root, folder)));
  return set.shipped === undefined ? under : [...under, set.shipped];
}

/** The file or its gzip-compressed form in a folder, if either is there. */
export function filePath(folder: string, { name }: DataFile): string | undefined {
  return [join(folder, name), join(folder, `${name}.gz`)].find((path) => existsSync(path));
}

/** The archive of a set in a folder, if it is there. */
export function archivePath(folder: string, { archive }: DataSet): string | undefined {
  const path = archive === undefined ? undefined : join(folder, archive.name);
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** What a loader reads: the archive where the folder has one, else the folder itself. */
export function dataPath(folder: string, set: DataSet): string {
  return archivePath(folder, set) ?? folder;
}

/** The first folder that holds all files of a set, its archive, or another of its forms, if any does. */
export function findFolder(set: DataSet, dataDir: string | undefined): string | undefined {
  const { files, otherForms = [] } = set;
  return searchedFolders(set, dataDir).find(
    (folder) =>
      archivePath(folder, set) !== undefined ||
      (files.length > 0 && files.every((file) => filePath(folder, file) !== undefined)) ||
      otherForms.some((name) => existsSync(join(folder, name))),
  );
}

/** @throws DataError that says how to get the set when no folder holds it */
export function requireFolder(set: DataSet, dataDir: string | undefined): string {
  const folder = findFolder(set, dataDir);
  if (folder !== undefined) return folder;
  throw new DataError({
    where: set.name,
    expected: contentsOf(set),
    received: `none in ${searchedFolders(set, dataDir).join(", ")}`,
    hint: `Run \`l0gm data fetch ${set.name}\`, or take the files from ${set.address}; \`l0gm data verify ${set.name}\` checks them.`,
  });
}

/** What a folder has to hold, for messages. */
function contentsOf({ files, archive, otherForms = [] }: DataSet): string {
  const whole = files.map(({ name }) => `${name} or ${name}.gz`).join(" and ");
  return [...(archive === undefined ? [] : [archive.name]), ...otherForms, whole].filter(Boolean).join(", or ");
}

/** @returns SHA-256 in hexadecimal and length in bytes of a file's content, decompressed when its name ends in `.gz` */
export async function digestFile(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const count = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  };
  try {
    const file = createReadStream(path);
    await (path.endsWith(".gz") ? pipeline(file, createGunzip(), count) : pipeline(file, count));
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const hint = "The file is cut off or damaged: fetch it again.";
    throw new DataError({ where: path, expected: "a readable file", received, hint }, { cause });
  }
  return { sha256: hash.digest("hex"), bytes };
}
