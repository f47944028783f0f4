import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { directory } from "./directory.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "l0gm-directory-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a directory that is not there is empty, and made by the first write", async () => {
  const path = join(root, "run", "model");
  const files = directory(path);
  expect(await files.list()).toEqual([]);
  expect(await files.read("a.bin")).toBeUndefined();
  await files.remove("a.bin");
  expect(readdirSync(root)).toEqual([]);
  // A part of a larger buffer, with bytes that are no text.
  await files.write("a.bin", new Uint8Array([7, 0xff, 0, 0xfe, 7]).subarray(1, 4));
  expect([...readFileSync(join(path, "a.bin"))]).toEqual([0xff, 0, 0xfe]);
  expect([...((await files.read("a.bin")) ?? [])]).toEqual([0xff, 0, 0xfe]);
});

test("a write replaces the file and leaves no other behind; folders are not listed", async () => {
  const files = directory(root);
  await files.write("a", new Uint8Array([1, 2, 3]));
  await files.write("a", new Uint8Array([4]));
  mkdirSync(join(root, "folder"));
  expect(await files.list()).toEqual(["a"]);
  expect([...((await files.read("a")) ?? [])]).toEqual([4]);
  await files.remove("a");
  expect(await files.list()).toEqual([]);
});

test("names that leave the directory are refused", async () => {
  const files = directory(root);
  await expect(files.read("../secret")).rejects.toThrow(ConfigError);
  await expect(files.write("a/b", new Uint8Array())).rejects.toThrow(ConfigError);
  await expect(files.remove("..")).rejects.toThrow(ConfigError);
});

test("errors other than a missing file are passed on", async () => {
  mkdirSync(join(root, "folder"));
  await expect(directory(root).read("folder")).rejects.toThrow(/EISDIR/);
});
