import { createHash } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { FormatError } from "@l0gm/core";

/** Read and write calls take at most 2 GiB; smaller ones leave room for hashing what came before. */
const PIECE = 1 << 26;

const MANIFEST = "manifest.json";

type NumberArray = Float32Array | Int32Array;

interface Manifest<Description> {
  readonly description: Description;
  readonly arrays: Readonly<
    Record<string, { readonly kind: "float32" | "int32"; readonly length: number; readonly sha256: string }>
  >;
}

function bytesOf(array: NumberArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * Writes arrays into a folder, each a file of the machine's bytes (little-endian wherever Node runs), with a description. It appears
 * whole or not at all: it is written under another name and then renamed. A folder that another process has written meanwhile stays.
 */
export async function writeArrays(
  folder: string,
  description: unknown,
  arrays: Readonly<Record<string, NumberArray>>,
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
  try {
    const entries: Record<string, unknown> = {};
    for (const [name, array] of Object.entries(arrays)) {
      const bytes = bytesOf(array);
      const hash = createHash("sha256");
      const file = await open(join(temporary, `${name}.bin`), "w");
      try {
        for (let start = 0; start < bytes.length; start += PIECE) {
          const piece = bytes.subarray(start, start + PIECE);
          hash.update(piece);
          await file.writeFile(piece);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const kind = array instanceof Float32Array ? "float32" : "int32";
      entries[name] = { kind, length: array.length, sha256: hash.digest("hex") };
    }
    await writeFile(join(temporary, MANIFEST), `${JSON.stringify({ description, arrays: entries }, null, 2)}\n`);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

/**
 * Reads what {@link writeArrays} wrote, straight into the arrays, and checks every byte of it.
 *
 * @param shared - puts the arrays into shared memory, so that workers see them without a copy
 * @returns nothing where no such folder is
 * @throws FormatError when a file is absent, of another length or with other bytes than when it was written; the folder is of no use then
 */
export async function readArrays<Description>(
  folder: string,
  shared: boolean,
): Promise<{ description: Description; arrays: Readonly<Record<string, NumberArray>> } | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST), "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    if (!existsSync(folder)) return undefined;
    // Left as it is, the folder would stand in the way of a whole one.
    throw damaged(join(folder, MANIFEST), "a file", "nothing there", error);
  }
  let manifest: Manifest<Description>;
  try {
    manifest = JSON.parse(text) as Manifest<Description>;
  } catch (cause) {
    throw damaged(join(folder, MANIFEST), "JSON", "something else", cause);
  }
  const arrays: Record<string, NumberArray> = {};
  for (const [name, { kind, length, sha256 }] of Object.entries(manifest.arrays ?? {})) {
    const path = join(folder, `${name}.bin`);
    const buffer = shared ? new SharedArrayBuffer(4 * length) : new ArrayBuffer(4 * length);
    await fill(path, new Uint8Array(buffer), sha256);
    arrays[name] = kind === "float32" ? new Float32Array(buffer) : new Int32Array(buffer);
  }
  return { description: manifest.description, arrays };
}

async function fill(path: string, bytes: Uint8Array, sha256: string): Promise<void> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw damaged(path, `${bytes.length} bytes`, "no readable file", cause);
  });
  try {
    const { size } = await file.stat();
    if (size !== bytes.length) throw damaged(path, `${bytes.length} bytes`, `${size}`);
    const hash = createHash("sha256");
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, bytes.length - at), at);
      if (bytesRead === 0) throw damaged(path, `${bytes.length} bytes`, `the end after ${at}`);
      hash.update(bytes.subarray(at, at + bytesRead));
      at += bytesRead;
    }
    const found = hash.digest("hex");
    if (found !== sha256) throw damaged(path, `bytes with SHA-256 ${sha256}`, found);
  } finally {
    await file.close();
  }
}

function damaged(where: string, expected: string, received: string, cause?: unknown): FormatError {
  return new FormatError({ where, expected, received }, cause === undefined ? undefined : { cause });
}

/** Writes pieces into a gzip file, whole or not at all. Fast rather than small. */
export async function writeGzip(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(pieces), createGzip({ level: 1, chunkSize: 1 << 18 }), createWriteStream(temporary));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes a folder that is of no use. */
export async function discard(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
