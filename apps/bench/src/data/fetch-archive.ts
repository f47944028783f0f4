import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@l0gm/core";
import { readOgbCounts } from "@l0gm/graph";
import type { DataArchive } from "./catalogue.ts";
import { type DownloadOptions, download } from "./download.ts";

/** SHA-256 that was recorded beside an archive when it was first fetched, if any was. */
export async function recordedChecksum(path: string): Promise<string | undefined> {
  const record = `${path}.sha256`;
  if (!existsSync(record)) return undefined;
  const sha256 = /^([0-9a-f]{64})\b/.exec(await readFile(record, "utf8"))?.[1];
  if (sha256 !== undefined) return sha256;
  const hint = "Remove the file to have it written anew.";
  throw new DataError({ where: record, expected: "a SHA-256", received: "something else", hint });
}

/**
 * Downloads an archive into a folder. It gets its name only when it states the published counts, and is the one that was fetched before,
 * if one was: no checksum is published, so that of the first good download is recorded and compared from then on.
 *
 * @returns its SHA-256
 * @throws DataError when it cannot be fetched, or is another one
 */
export async function fetchArchive(
  archive: DataArchive,
  folder: string,
  options: DownloadOptions = {},
): Promise<string> {
  const path = join(folder, archive.name);
  const fetched = `${path}.fetched`;
  const sha256 = await download(archive.address, fetched, options);
  const { nodes, edges } = await readOgbCounts(fetched);
  if (nodes !== archive.nodes || edges !== archive.edges) {
    throw new DataError({
      where: archive.address,
      expected: `${archive.nodes} nodes and ${archive.edges} edges`,
      received: `${nodes} and ${edges}`,
      hint: `It is another graph, or another version; it was left in ${fetched}.`,
    });
  }
  const recorded = await recordedChecksum(path);
  if (recorded !== undefined && recorded !== sha256) {
    throw new DataError({
      where: archive.address,
      expected: `SHA-256 ${recorded}, as of the first download`,
      received: sha256,
      hint: `The publisher's file has changed, or this copy is damaged. To accept it, remove ${path}.sha256 and fetch again.`,
    });
  }
  if (recorded === undefined) await writeFile(`${path}.sha256`, `${sha256}  ${archive.name}\n`);
  await rename(fetched, path);
  return sha256;
}
