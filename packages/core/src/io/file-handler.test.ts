import { expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { checkFileName, memoryFiles } from "./file-handler.ts";

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
