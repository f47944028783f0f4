import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ConfigError, DataError } from "@l0gm/core";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { DataSet } from "./catalogue.ts";
import { dataSet, digestFile, findFolder, requireFolder, searchedFolders } from "./folders.ts";

const SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

const set: DataSet = {
  name: "letters",
  title: "Letters",
  folders: ["letters", "abc"],
  files: [{ name: "abc.txt", bytes: 3, sha256: SHA256_OF_ABC }],
  address: "https://example.org/letters",
  licence: "CC0",
};

const root = mkdtempSync(join(tmpdir(), "l0gm-test-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("a data set", () => {
  test("is looked for under the option, the environment and the cache, in this order", () => {
    vi.stubEnv("L0GM_DATA_DIR", "/environment");
    const folders = searchedFolders(set, "/option");
    vi.unstubAllEnvs();
    expect(folders.slice(0, 4)).toEqual(["/option/letters", "/option/abc", "/environment/letters", "/environment/abc"]);
    expect(folders).toHaveLength(6);
    expect(folders[4]).toMatch(/l0gm.*letters$/);
  });

  test("that is nowhere is an error with the command, the address and the folders", () => {
    const missing = (): unknown => requireFolder(set, join(root, "nowhere"));
    expect(missing).toThrow(DataError);
    for (const part of [
      "l0gm data fetch letters",
      set.address,
      join(root, "nowhere", "abc"),
      "abc.txt or abc.txt.gz",
    ]) {
      expect(missing).toThrow(part);
    }
  });

  test("is found compressed, and its checksum is that of the content", async () => {
    mkdirSync(join(root, "abc"));
    const path = join(root, "abc", "abc.txt.gz");
    writeFileSync(path, gzipSync("abc"));
    expect(findFolder(set, root)).toBe(join(root, "abc"));
    await expect(digestFile(path)).resolves.toEqual({ sha256: SHA256_OF_ABC, bytes: 3 });
    writeFileSync(path, "not gzip");
    await expect(digestFile(path)).rejects.toThrow(DataError);
  });

  test("of an unknown name is refused with the names that are known", () => {
    expect(dataSet("adult").licence).toBe("CC BY 4.0");
    expect(() => dataSet("letters")).toThrow(ConfigError);
  });
});
