import { ConfigError, type FileHandler } from "@l0gm/core";
import type { NamedBytes } from "./files.ts";

function noFiles(path: string): ConfigError {
  return new ConfigError({
    where: "@l0gm/text",
    expected: "bytes, or files through a FileHandler, where there is no file system",
    received: `the path ${path}`,
    hint: "Put fetched bytes into memoryFiles() of @l0gm/core, and pass that.",
  });
}

/** What stands in for files.ts in a browser. */
export function openFolder(path: string): FileHandler {
  throw noFiles(path);
}

export async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  throw noFiles(path);
}

export async function readBytes(path: string): Promise<Uint8Array> {
  throw noFiles(path);
}

export async function namesIn(path: string): Promise<string[]> {
  throw noFiles(path);
}

export function filesOfArchive(path: string): AsyncGenerator<NamedBytes> {
  throw noFiles(path);
}
