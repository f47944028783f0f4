import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { ConfigError, DataError } from "@l0gm/core";
import { digestFile } from "../data/folders.ts";
import type { DataIdentity, TaskSource } from "./task.ts";

/**
 * The user's own file, and the one with test rows if there is one.
 *
 * @param task - for messages
 * @param kind - of file, for messages
 * @throws ConfigError when no file is named
 * @throws DataError when one is not there
 */
export function ownFiles(
  task: string,
  kind: string,
  { file, testFile }: TaskSource,
): readonly [file: string, testFile?: string] {
  if (file === undefined) throw new ConfigError({ where: task, expected: `--data ${kind}`, received: "no file" });
  const files = testFile === undefined ? ([file] as const) : ([file, testFile] as const);
  for (const path of files) {
    if (existsSync(path)) continue;
    throw new DataError({ where: "own data", expected: "a file", received: `${path}, which is not there` });
  }
  return files;
}

/** Named as the files are, and told apart by their content. */
export async function identityOfFiles(files: readonly string[]): Promise<DataIdentity> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${(await digestFile(file)).sha256}\n`);
  return { name: files.map((file) => basename(file)).join(" and "), checksum: hash.digest("hex") };
}
