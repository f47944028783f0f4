import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { DataError } from "@l0gm/core";
import { directory } from "@l0gm/core/node";
import { createTarDecoder } from "modern-tar";

/** The files of a folder, for reading. */
export { directory as openFolder };

/** A file within a folder or an archive. */
export interface NamedBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What is at a path: nothing, a file or a folder. */
export async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isDirectory() ? "folder" : "file";
}

/** @throws DataError when the file cannot be read */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Names in a folder, sorted; none when there is no such folder. */
export async function namesIn(path: string): Promise<string[]> {
  return (await readdir(path).catch(() => [])).sort();
}

/**
 * The files of a tar archive, compressed or not, one after the other.
 *
 * @throws DataError when the archive is cut off or no archive
 */
export async function* filesOfArchive(path: string): AsyncGenerator<NamedBytes> {
  try {
    const stream = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array<ArrayBuffer>>;
    const archive = path.endsWith("gz") ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
    for await (const { header, body } of archive.pipeThrough(createTarDecoder({ strict: true }))) {
      const bytes = new Uint8Array(await new Response(body).arrayBuffer());
      if (header.type === "file") yield { path: header.name, bytes };
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): DataError {
  const received = cause instanceof Error ? cause.message : String(cause);
  const absent = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
  const hint = absent ? "There is no such file: look at its path." : "The file is cut off or another: fetch it again.";
  return new DataError({ where: path, expected: "a file that can be read to its end", received, hint }, { cause });
}
