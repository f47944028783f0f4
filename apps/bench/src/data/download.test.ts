import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError } from "@l0gm/core";
import { afterAll, afterEach, expect, test } from "vitest";
import { download } from "./download.ts";

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251));
const CHANGED = Buffer.from(CONTENT.map((byte) => 255 - byte));
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

const root = mkdtempSync(join(tmpdir(), "l0gm-download-"));
afterAll(() => rmSync(root, { recursive: true }));

const servers: (() => void)[] = [];
afterEach(() => {
  for (const close of servers.splice(0)) close();
});

interface Behaviour {
  /** What is served to each request in turn, the last one from then on. */
  readonly contents?: readonly Buffer[];
  /** After how many bytes each answer is cut, if it is. */
  readonly cuts?: readonly (number | undefined)[];
  readonly validators?: boolean;
  readonly status?: number;
}

async function serve(behaviour: Behaviour): Promise<{ address: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const turn = ranges.length;
    ranges.push(request.headers.range);
    if (behaviour.status !== undefined) {
      response.writeHead(behaviour.status).end();
      return;
    }
    const content = behaviour.contents?.[turn] ?? behaviour.contents?.at(-1) ?? CONTENT;
    const etag = `"${createHash("sha256").update(content).digest("hex")}"`;
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const goesOn = start > 0 && request.headers["if-range"] === etag;
    const body = goesOn ? content.subarray(start) : content;
    response.writeHead(goesOn ? 206 : 200, {
      "content-length": body.length,
      ...(behaviour.validators !== false && { etag }),
      ...(goesOn && { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }),
    });
    const cut = behaviour.cuts?.[turn];
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 50));
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.zip`, ranges };
}

let files = 0;
const target = (): string => join(root, `file-${files++}`, "file.zip");

test("a file arrives whole, with progress and its checksum", async () => {
  const { address } = await serve({});
  const path = target();
  const seen: (readonly [number, number | undefined])[] = [];
  const sha256 = await download(address, path, { onProgress: (...progress) => seen.push(progress) });
  expect(sha256).toBe(SHA256);
  expect(readFileSync(path).equals(CONTENT)).toBe(true);
  expect(seen[0]).toEqual([0, CONTENT.length]);
  expect(seen.at(-1)).toEqual([CONTENT.length, CONTENT.length]);
  expect([existsSync(`${path}.part`), existsSync(`${path}.part.json`)]).toEqual([false, false]);
});

test("a connection that is cut goes on where it stopped", async () => {
  const { address, ranges } = await serve({ cuts: [100_000, 50_000] });
  const path = target();
  const reasons: string[] = [];
  expect(await download(address, path, { waitMs: 1, onRetry: (reason) => reasons.push(reason) })).toBe(SHA256);
  expect(ranges).toEqual([undefined, "bytes=100000-", "bytes=150000-"]);
  expect(reasons).toHaveLength(2);
});

test("a later call goes on as well", async () => {
  const { address, ranges } = await serve({ cuts: [100_000] });
  const path = target();
  const failed = download(address, path, { retries: 0 });
  await expect(failed).rejects.toThrow(DataError);
  await expect(failed).rejects.toThrow(/expected the whole file, received 100000 bytes, then/);
  expect(existsSync(path)).toBe(false);
  expect(await download(address, path)).toBe(SHA256);
  expect(ranges).toEqual([undefined, "bytes=100000-"]);
});

test("a file that changed meanwhile is fetched from its start", async () => {
  const { address } = await serve({ contents: [CONTENT, CHANGED], cuts: [100_000] });
  const path = target();
  await download(address, path, { waitMs: 1 });
  expect(readFileSync(path).equals(CHANGED)).toBe(true);
});

test("and so is one of which the server does not say whether it changed", async () => {
  const { address, ranges } = await serve({ cuts: [100_000], validators: false });
  const path = target();
  expect(await download(address, path, { waitMs: 1 })).toBe(SHA256);
  expect(ranges).toEqual([undefined, undefined]);
});

test("a file that is not there is refused at once, and a server out of order after some tries", async () => {
  const missing = await serve({ status: 404 });
  await expect(download(missing.address, target())).rejects.toThrow("received HTTP 404");
  expect(missing.ranges).toHaveLength(1);
  const broken = await serve({ status: 503 });
  await expect(download(broken.address, target(), { retries: 2, waitMs: 1 })).rejects.toThrow("HTTP 503");
  expect(broken.ranges).toHaveLength(3);
});
