import { ConfigError } from "@l0gm/core";
import type { Archive } from "./files.ts";

function noFiles(path: string): ConfigError {
  return new ConfigError({
    where: "@l0gm/graph",
    expected: "a file system, which Node has",
    received: `the path ${path} in a browser`,
    hint: "In a browser, make the graph of arrays: Csr.fromEdges(sources, targets, { nodes }).",
  });
}

/** What stands in for files.ts in a browser. */
export async function openArchive(path: string): Promise<Archive> {
  throw noFiles(path);
}

export async function readZip(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  throw noFiles(path);
}

export async function readText(archive: Archive, name: string): Promise<string> {
  throw noFiles(archive.nameOf(name));
}

export function openFile(path: string): AsyncIterable<Uint8Array> {
  throw noFiles(path);
}

export async function readArrays(folder: string): Promise<undefined> {
  throw noFiles(folder);
}

export async function writeArrays(folder: string): Promise<void> {
  throw noFiles(folder);
}

export async function writeGzip(path: string): Promise<void> {
  throw noFiles(path);
}

export async function discard(folder: string): Promise<void> {
  throw noFiles(folder);
}
