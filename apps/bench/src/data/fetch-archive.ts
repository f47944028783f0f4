import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@l0gm/core";
import { readOgbCounts } from "@l0gm/graph";
import type { ArchiveProof, DataArchive } from "./catalogue.ts";
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
 * Downloads an archive into a folder. It gets its name only when its proof holds, and it is the one that was fetched before, if one was:
 * the SHA-256 of the first good download is recorded and compared from then on.
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
  const wrong = await disproof(fetched, archive.proof);
  if (wrong !== undefined) {
    const hint = `It is another data set, or another version; it was left in ${fetched}.`;
    throw new DataError({ where: archive.address, ...wrong, hint });
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

/** What is wrong with an archive, if anything is. */
async function disproof(
  path: string,
  proof: ArchiveProof,
): Promise<{ expected: string; received: string } | undefined> {
  if ("md5" in proof) {
    const hash = createHash("md5");
    for await (const piece of createReadStream(path)) hash.update(piece);
    const md5 = hash.digest("hex");
    return md5 === proof.md5 ? undefined : { expected: `MD5 ${proof.md5}`, received: md5 };
  }
  const { nodes, edges } = await readOgbCounts(path);
  if (nodes === proof.nodes && edges === proof.edges) return undefined;
  return { expected: `${proof.nodes} nodes and ${proof.edges} edges`, received: `${nodes} and ${edges}` };
}
