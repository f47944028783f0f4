import { describe, expect, it } from "vitest";
import { withSharedMemory } from "./shared-memory.ts";
import { webAssembly } from "./web-assembly.ts";

/** A module with a memory of its own, of one to two pages, under the name "m". */
const MODULE = [
  [0x00, 0x61, 0x73, 0x6d],
  [1, 0, 0, 0],
  [5, 4, 1, 1, 1, 2],
  [7, 5, 1, 1, 0x6d, 2, 0],
].flat();

const bytes = (): Uint8Array<ArrayBuffer> => Uint8Array.from(MODULE);

function sharesMemory(result: object): boolean {
  const { instance } = result as { instance: { exports: { m: { buffer: object } } } };
  return instance.exports.m.buffer instanceof SharedArrayBuffer;
}

const stream = webAssembly.instantiateStreaming;

describe("withSharedMemory", () => {
  it("makes the memory of the first module shared, given as bytes, and leaves the next one", async () => {
    const [first, second] = await withSharedMemory(async () => [
      await webAssembly.instantiate(bytes()),
      await webAssembly.instantiate(bytes().buffer),
    ]);
    expect([first, second].map((result) => sharesMemory(result ?? {}))).toEqual([true, false]);
  });

  it.skipIf(stream === undefined)("does so for a response, too, whatever type its server gives it", async () => {
    const instantiate = webAssembly.instantiate;
    const result = await withSharedMemory(async () => {
      const response = new Response(bytes(), { headers: { "Content-Type": "text/plain" } });
      return await webAssembly.instantiateStreaming?.(Promise.resolve(response));
    });
    expect(sharesMemory(result ?? {})).toBe(true);
    expect(webAssembly.instantiate).toBe(instantiate);
    expect(webAssembly.instantiateStreaming).toBe(stream);
  });

  it("lets the engine say what is wrong with what is no module, and undoes its work", async () => {
    const page = (): Response => new Response("<!doctype html><title>Not found</title>");
    const start = async (): Promise<unknown> => await webAssembly.instantiateStreaming?.(page());
    if (stream !== undefined) await expect(withSharedMemory(start)).rejects.toThrow(/magic/);
    expect(webAssembly.instantiateStreaming).toBe(stream);
  });
});
