import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError } from "@l0gm/core";
import { digestFile } from "./folders.ts";

/** Told of what has arrived, with the size of the whole if the server says it. */
export type OnDownload = (bytes: number, total: number | undefined) => void;

/** Options of {@link download}. */
export interface DownloadOptions {
  readonly onProgress?: OnDownload;
  /** Is told why the connection ended, before it is taken up again. */
  readonly onRetry?: (reason: string) => void;
  /** How often a cut connection is taken up again before the download gives up; what arrived is kept. @defaultValue 5 */
  readonly retries?: number;
  /** Before the first retry, then twice as long each time. @defaultValue 1000 */
  readonly waitMs?: number;
}

/** What is kept beside a part, so that it is only continued with bytes of the same file. */
interface PartState {
  readonly address: string;
  /** A strong ETag or a date of the last change. */
  readonly validator: string;
}

/** The connection ended early, or the server is out of order for now. */
class Interrupted extends Error {}

/**
 * Fetches a file. What arrived stays in `PATH.part` when the connection is cut, and this or a later call goes on from there, unless the
 * server's file has changed meanwhile. The file has its name only once it is whole.
 *
 * @returns SHA-256, in hexadecimal
 * @throws DataError when the server refuses, or the connection is cut too often
 */
export async function download(address: string, path: string, options: DownloadOptions = {}): Promise<string> {
  const { retries = 5, waitMs = 1000, onProgress = () => {}, onRetry = () => {} } = options;
  await mkdir(dirname(path), { recursive: true });
  for (let attempt = 0; ; attempt++) {
    try {
      await fetchOnce(address, path, onProgress);
      break;
    } catch (cause) {
      if (!(cause instanceof Interrupted)) throw cause;
      if (attempt < retries) {
        onRetry(cause.message);
        await new Promise((resolve) => setTimeout(resolve, waitMs * 2 ** attempt));
        continue;
      }
      const arrived = await sizeOf(`${path}.part`);
      throw new DataError(
        {
          where: address,
          expected: "the whole file",
          received: `${arrived} bytes, then ${cause.message}`,
          hint: `The same command goes on from there; what arrived is in ${path}.part.`,
        },
        { cause },
      );
    }
  }
  const { sha256 } = await digestFile(`${path}.part`);
  await rename(`${path}.part`, path);
  await rm(`${path}.part.json`, { force: true });
  return sha256;
}

async function fetchOnce(address: string, path: string, onProgress: OnDownload): Promise<void> {
  const part = `${path}.part`;
  const state = await readState(`${part}.json`, address);
  const have = state === undefined ? 0 : await sizeOf(part);
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (have > 0 && state !== undefined) Object.assign(headers, { range: `bytes=${have}-`, "if-range": state.validator });
  const response = await fetch(address, { headers }).catch((cause: unknown) => {
    throw interrupted(cause);
  });
  const total = totalOf(response);
  if (response.status === 416 && state !== undefined) {
    await response.body?.cancel();
    if (have === total) return;
    // More than the server has: another file took its place.
    await rm(part, { force: true });
    throw new Interrupted("a file of another size");
  }
  if (response.status >= 500 || response.status === 429) {
    await response.body?.cancel();
    throw new Interrupted(`HTTP ${response.status}`);
  }
  if ((response.status !== 200 && response.status !== 206) || response.body === null) {
    const received = `HTTP ${response.status} ${response.statusText}`;
    throw new DataError({ where: address, expected: "a file", received, hint: "Is the address still right?" });
  }
  const goesOn = response.status === 206;
  if (goesOn && startOf(response) !== have) {
    const received = response.headers.get("content-range") ?? "no content-range";
    throw new DataError({ where: address, expected: `the bytes from ${have}`, received });
  }
  if (!goesOn) await writeState(`${part}.json`, address, response);
  const file = await open(part, goesOn ? "a" : "w");
  let arrived = goesOn ? have : 0;
  try {
    onProgress(arrived, total);
    for await (const piece of pieces(response.body)) {
      await file.writeFile(piece);
      arrived += piece.length;
      onProgress(arrived, total);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (total !== undefined && arrived !== total) throw new Interrupted(`the end, where ${total} bytes were promised`);
}

/** Errors of the connection come as {@link Interrupted}, those of the disk do not. */
async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw interrupted(cause);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {
      // It has failed already, and the failure is on its way.
    });
  }
}

function interrupted(cause: unknown): Interrupted {
  const deeper = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return new Interrupted(deeper instanceof Error ? deeper.message : String(deeper), { cause });
}

function totalOf(response: Response): number | undefined {
  const range = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  const length = response.status === 200 ? response.headers.get("content-length") : undefined;
  const total = range ?? length;
  return total === undefined || total === null ? undefined : Number(total);
}

function startOf(response: Response): number | undefined {
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

async function writeState(path: string, address: string, { headers }: Response): Promise<void> {
  const etag = headers.get("etag");
  const validator = etag !== null && !etag.startsWith("W/") ? etag : headers.get("last-modified");
  // Without either, nothing says that the next bytes belong to the same file: it is then fetched from its start.
  if (validator === null) await rm(path, { force: true });
  else await writeFile(path, JSON.stringify({ address, validator } satisfies PartState));
}

async function readState(path: string, address: string): Promise<PartState | undefined> {
  if (!existsSync(path)) return undefined;
  const text = await readFile(path, "utf8");
  try {
    const state = JSON.parse(text) as Partial<PartState>;
    return state.address === address && typeof state.validator === "string" ? (state as PartState) : undefined;
  } catch (error) {
    // A kill can leave half of it behind; then nothing says what the part belongs to.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number> {
  return existsSync(path) ? (await stat(path)).size : 0;
}
