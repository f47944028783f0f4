import { existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder, writeInto } from "../../test/command-line.ts";
import { Installation } from "./installation.ts";
import { MissingRequirement } from "./missing-requirement.ts";
import { DETOURS, installOfficially } from "./official.ts";
import { findTools, hasVariant } from "./source-build.ts";

/** Nothing listens there: the port was free a moment ago. */
const port = await new Promise<number>((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => resolve(port));
  });
});
const NOWHERE = `http://127.0.0.1:${port}/tf-builds`;

let store: string;
let folder: string;
let manifest: string;

/** A package as pnpm may install it: its files linked to those of the store. */
function install(host: string): Installation {
  const text = JSON.stringify({ version: "4.22.0", binary: { host, napi_versions: [3, 8] } });
  store = writeInto(temporaryFolder(), "package.json", text);
  folder = temporaryFolder();
  manifest = join(folder, "package.json");
  linkSync(store, manifest);
  return new Installation(manifest);
}

/** What the package's own install script does. */
function installScript(source: string): void {
  mkdirSync(join(folder, "scripts"));
  writeInto(join(folder, "scripts"), "install.js", source);
}

describe("Installation", () => {
  let installation: Installation;

  beforeEach(() => {
    installation = install(NOWHERE);
  });

  it("uses a build that lies elsewhere, and another one after it", () => {
    expect(installation.placed).toBeUndefined();
    for (const name of ["first", "second"]) {
      const build = join(temporaryFolder(), name);
      for (const part of ["lib", "deps"]) mkdirSync(join(build, part), { recursive: true });
      writeInto(join(build, "lib"), "which", name);
      installation.place(build);
      expect(installation.placed).toBe(name);
      expect(readFileSync(join(folder, "lib", "which"), "utf8")).toBe(name);
      expect(hasVariant(installation, "cpu")).toBe(false);
      installation.clear();
      expect(existsSync(join(folder, "lib"))).toBe(false);
      expect(existsSync(join(build, "lib", "which"))).toBe(true);
    }
  });

  it("looks for the newest interface that package and Node both know", () => {
    expect(installation.napiVersion).toBe(8);
  });

  it("keeps changes of the manifest from the store", () => {
    installation.detachManifest();
    writeFileSync(manifest, "changed");
    expect(readFileSync(store, "utf8")).toContain("4.22.0");
  });
});

describe("installOfficially", () => {
  it("says when the host of the downloads does not answer, and leaves the package alone", async () => {
    for (const name of DETOURS) vi.stubEnv(name, "");
    const installation = install(NOWHERE);
    installScript(`require("node:fs").mkdirSync("lib");`);
    expect(await installOfficially(installation)).toBe(`http://127.0.0.1:${port} does not answer (ECONNREFUSED)`);
    expect(existsSync(join(folder, "lib"))).toBe(false);
    vi.unstubAllEnvs();
  });

  it("takes back what a failed install left", async () => {
    vi.stubEnv("TFJS_NODE_CDN_STORAGE", "http://mirror.example/");
    const installation = install(NOWHERE);
    installScript(`const fs = require("node:fs");
fs.mkdirSync("deps");
fs.writeFileSync("package.json", "half written");
process.exit(3);`);
    expect(await installOfficially(installation)).toMatch(/its install script: .* exit code 3$/);
    expect(existsSync(join(folder, "deps"))).toBe(false);
    for (const path of [manifest, store])
      expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ version: "4.22.0" });
    vi.unstubAllEnvs();
  });
});

describe("findTools", () => {
  it("names everything that is missing", async () => {
    vi.stubEnv("PATH", temporaryFolder());
    vi.stubEnv("CXX", "");
    const failure = findTools();
    await expect(failure).rejects.toThrow(MissingRequirement);
    const fits = process.platform === "linux" && process.arch === "x64";
    if (fits)
      await expect(failure).rejects.toMatchObject({
        hint: expect.stringMatching(/Python 3 with pip .* and a C\+\+ compiler/),
      });
    vi.unstubAllEnvs();
  });
});
