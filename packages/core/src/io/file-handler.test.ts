import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ConfigError } from "../errors.ts";
import { checkFileName, memoryFiles, urlFiles } from "./file-handler.ts";

test("memory files are written, replaced, listed and removed", async () => {
  const files = memoryFiles();
  expect(await files.read("a")).toBeUndefined();
  await files.write("a", new Uint8Array([1]));
  await files.write("a", new Uint8Array([2, 3]));
  await files.write("b", new Uint8Array());
  expect(await files.read("a")).toEqual(new Uint8Array([2, 3]));
  expect([...(await files.list())].sort()).toEqual(["a", "b"]);
  await files.remove("a");
  await files.remove("never there");
  expect(await files.list()).toEqual(["b"]);
});

test("memory files share no bytes with the caller", async () => {
  const files = memoryFiles();
  const bytes = new Uint8Array([1]);
  await files.write("a", bytes);
  bytes[0] = 9;
  (await files.read("a"))?.fill(8);
  expect(await files.read("a")).toEqual(new Uint8Array([1]));
});

test.each(["", ".", "..", "../a", "a/b", "a\\b", "a\0", "C:a", "a\n"])("%j is no file name", async (name) => {
  expect(() => checkFileName(name)).toThrow(ConfigError);
  await expect(memoryFiles().write(name, new Uint8Array())).rejects.toThrow(ConfigError);
  await expect(memoryFiles().read(name)).rejects.toThrow(ConfigError);
});

test.each(["manifest.json", "weights-0123456789abcdef.safetensors", "..a", ".hidden", "größe 1"])(
  "%j is one",
  (name) => {
    expect(checkFileName(name)).toBe(name);
  },
);

describe("urlFiles", () => {
  const answers: Record<string, number> = { "/models/small/a%20b.json": 200, "/models/small/secret": 403 };
  const server = createServer(({ url }, response) => {
    response.writeHead(answers[url ?? ""] ?? 404).end(url);
  });
  let base: string;
  beforeAll(async () => {
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/small`;
  });
  afterAll(() => server.close());

  test.each(["", "/"])("reads files below a URL that ends with %j", async (end) => {
    const files = urlFiles(`${base}${end}`);
    expect(new TextDecoder().decode(await files.read("a b.json"))).toBe("/models/small/a%20b.json");
    expect(await files.read("other.json")).toBeUndefined();
    await expect(files.read("secret")).rejects.toThrow(/small\/secret: expected a file.*status 403/s);
    await expect(files.read("../secret")).rejects.toThrow(ConfigError);
  });

  test("takes no query and no fragment", () => {
    for (const url of [`${base}?token=1`, `${base}#a`]) expect(() => urlFiles(url)).toThrow(ConfigError);
  });

  test("says which URL has no answer", async () => {
    // Port 1 is one that fetch refuses.
    await expect(urlFiles("http://127.0.0.1:1/a").read("b")).rejects.toThrow(
      /127.0.0.1:1\/a\/b: expected a file.*no answer/s,
    );
  });

  test("reads beside the page, or at the root of its server, as the URL says", async () => {
    const asked: unknown[] = [];
    vi.stubGlobal("fetch", async (url: unknown) => {
      asked.push(url);
      return new Response(null, { status: 404 });
    });
    for (const url of ["", "/", "models", "models//"]) await urlFiles(url).read("a");
    vi.unstubAllGlobals();
    expect(asked).toEqual(["a", "/a", "models/a", "models/a"]);
  });
});
