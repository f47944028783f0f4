import { ConfigError, type FileHandler } from "@l0gm/core";

/** What stands in for files.ts in a browser. */
export function openFolder(path: string): FileHandler {
  throw new ConfigError({
    where: "@l0gm/text",
    expected: "files through a FileHandler where there is no file system",
    received: `the path ${path}`,
    hint: "Put the fetched bytes into memoryFiles() of @l0gm/core, and pass that.",
  });
}
