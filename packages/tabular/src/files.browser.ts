import { ConfigError } from "@l0gm/core";
import type { OpenFile } from "./files.ts";

function noFiles(path: string): ConfigError {
  return new ConfigError({
    where: "@l0gm/tabular",
    expected: "a stream of text or bytes where there is no file system",
    received: `the path ${path}`,
    hint: "In a browser, pass (await fetch(address)).body or file.stream() instead.",
  });
}

/** What stands in for files.ts in a browser. */
export function openFile(path: string): OpenFile {
  throw noFiles(path);
}

export async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  throw noFiles(paths.join(", "));
}
