import { createHash, type Hash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DataError } from "@l0gm/core";
import { type Entry, open as openZip, type ZipFile } from "yauzl";

export { discard, readArrays, writeArrays, writeGzip } from "./array-files.ts";

/** Large pieces: what a piece costs by itself does not matter then. */
const PIECE = 1 << 20;

/** A folder, or a zip archive, from which files are read as streams. */
export interface Archive {
  readonly path: string;
  /** Whether it has a file, as it is or compressed. */
  has(name: string): boolean;
  /** Names of the files under a folder, relative to it. */
  list(folder: string): readonly string[];
  /** A file's bytes, decompressed if it is there as `.gz` alone. Errors come while reading, as DataErrors that name the file. */
  read(name: string): AsyncIterable<Uint8Array>;
  /** What messages call the file. */
  nameOf(name: string): string;
  /** SHA-256, in hexadecimal, of some files as they are stored, or of the whole archive. */
  checksum(names: readonly string[]): Promise<string>;
  close(): void;
}

function problem(where: string, expected: string, cause: unknown, hint?: string): DataError {
  if (cause instanceof DataError) return cause;
  const received = cause instanceof Error ? cause.message : String(cause);
  return new DataError({ where, expected, received, ...(hint !== undefined && { hint }) }, { cause });
}

async function* streamed(where: string, start: () => Promise<Readable>, gzip: boolean): AsyncGenerator<Uint8Array> {
  let source: Readable | undefined;
  try {
    source = await start();
    if (gzip) {
      const gunzip = createGunzip({ chunkSize: PIECE });
      source.on("error", (error) => gunzip.destroy(error));
      source.pipe(gunzip);
      yield* gunzip;
    } else yield* source;
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const hint = missing ? "Check the path." : "The file is damaged or was cut off: fetch it again.";
    throw problem(where, gzip ? "a whole gzip file" : "a readable file", cause, hint);
  } finally {
    source?.destroy();
  }
}

async function hashFile(path: string, hash: Hash): Promise<void> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: PIECE })) hash.update(piece);
  } catch (cause) {
    throw problem(path, "a readable file", cause);
  }
}

class Folder implements Archive {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  list(folder: string): readonly string[] {
    const path = join(this.path, folder);
    return existsSync(path) ? readdirSync(path).sort() : [];
  }

  read(name: string): AsyncIterable<Uint8Array> {
    const path = this.nameOf(name);
    const start = async (): Promise<Readable> => createReadStream(path, { highWaterMark: PIECE });
    return streamed(path, start, path.endsWith(".gz"));
  }

  nameOf(name: string): string {
    return this.#find(name) ?? join(this.path, `${name}.gz`);
  }

  async checksum(names: readonly string[]): Promise<string> {
    const all = createHash("sha256");
    for (const name of names) {
      const hash = createHash("sha256");
      await hashFile(this.nameOf(name), hash);
      all.update(`${name} ${hash.digest("hex")}\n`);
    }
    return all.digest("hex");
  }

  close(): void {}

  #find(name: string): string | undefined {
    return [join(this.path, `${name}.gz`), join(this.path, name)].find((path) => existsSync(path));
  }
}

/** The central directory is read once; entries are then streamed in any order, of archives beyond 4 GiB as well. */
class Zip implements Archive {
  readonly path: string;
  readonly #zip: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;
  /** The folder in the archive that holds everything. */
  readonly #root: string;

  constructor(path: string, zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.path = path;
    this.#zip = zip;
    this.#entries = entries;
    const inside = [...entries.keys()].find((name) => /(^|\/)raw\/num-node-list\.csv(\.gz)?$/.test(name));
    this.#root = inside?.replace(/raw\/num-node-list\.csv(\.gz)?$/, "") ?? "";
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  list(folder: string): readonly string[] {
    const start = folder === "" ? this.#root : `${this.#root}${folder}/`;
    const inside = [...this.#entries.keys()].filter((name) => name.startsWith(start) && name.length > start.length);
    return [...new Set(inside.map((name) => name.slice(start.length).split("/")[0] ?? ""))].sort();
  }

  read(name: string): AsyncIterable<Uint8Array> {
    const found = this.#find(name);
    const start = (): Promise<Readable> =>
      new Promise((resolve, reject) => {
        if (found === undefined) reject(new Error("no such entry"));
        else this.#zip.openReadStream(found, (error, stream) => (error ? reject(error) : resolve(stream)));
      });
    return streamed(this.nameOf(name), start, found?.fileName.endsWith(".gz") ?? false);
  }

  nameOf(name: string): string {
    return `${this.path}: ${this.#find(name)?.fileName ?? `${this.#root}${name}.gz`}`;
  }

  async checksum(): Promise<string> {
    const hash = createHash("sha256");
    await hashFile(this.path, hash);
    return hash.digest("hex");
  }

  close(): void {
    this.#zip.close();
  }

  #find(name: string): Entry | undefined {
    return this.#entries.get(`${this.#root}${name}.gz`) ?? this.#entries.get(`${this.#root}${name}`);
  }
}

function openZipArchive(path: string): Promise<Zip> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(problem(path, "a whole zip archive", cause, "It is damaged or was cut off: fetch it again."));
    openZip(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error) return fail(error);
      const entries = new Map<string, Entry>();
      zip.on("error", fail);
      zip.on("entry", (entry: Entry) => {
        entries.set(entry.fileName, entry);
        zip.readEntry();
      });
      zip.on("end", () => resolve(new Zip(path, zip, entries)));
      zip.readEntry();
    });
  });
}

/** @throws DataError when there is neither a folder nor a zip archive at the path */
export async function openArchive(path: string): Promise<Archive> {
  if (!existsSync(path)) {
    throw new DataError({ where: path, expected: "a folder or a zip archive", received: "nothing there" });
  }
  return statSync(path).isDirectory() ? new Folder(path) : await openZipArchive(path);
}

/** Every entry of a zip archive, in memory. */
export async function readZip(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const archive = await openArchive(path);
  const entries = new Map<string, Uint8Array>();
  try {
    for (const name of archive.list("")) {
      const pieces: Uint8Array[] = [];
      for await (const piece of archive.read(name)) pieces.push(piece);
      entries.set(name, Buffer.concat(pieces));
    }
  } finally {
    archive.close();
  }
  return entries;
}

/** A file's bytes as text. */
export async function readText(archive: Archive, name: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of archive.read(name)) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}

/** A file's bytes; one whose name ends in `.gz` is decompressed. */
export function openFile(path: string): AsyncIterable<Uint8Array> {
  return streamed(path, async () => createReadStream(path, { highWaterMark: PIECE }), path.endsWith(".gz"));
}
