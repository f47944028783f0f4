import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { DataError } from "@l0gm/core";

/** A file's bytes, decompressed, and their checksum once they have been read. */
export interface OpenFile {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** SHA-256, in hexadecimal, of what has been read; to be called once, at the end. */
  checksum(): string;
}

/** Opens a file for streaming; one whose name ends in `.gz` is decompressed. Errors come as DataErrors while reading. */
export function openFile(path: string): OpenFile {
  const hash = createHash("sha256");
  return { bytes: read(path, (chunk) => hash.update(chunk)), checksum: () => hash.digest("hex") };
}

async function* read(path: string, onChunk: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path);
  // The loop below gets every error, so that the callback, which pipeline demands, has nothing to do.
  const stream = path.endsWith(".gz") ? pipeline(file, createGunzip(), () => {}) : file;
  try {
    for await (const chunk of stream) {
      onChunk(chunk);
      yield chunk;
    }
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const expected = path.endsWith(".gz") ? "a readable gzip file" : "a readable file";
    throw new DataError({ where: path, expected, received }, { cause });
  } finally {
    file.destroy();
  }
}

/** The first of some files that exists. */
export async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
