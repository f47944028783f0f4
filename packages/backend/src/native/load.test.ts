import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { useBackend } from "../select.ts";
import { loadNative } from "./load.ts";

const home = process.cwd();
let application: string;

beforeEach(() => {
  application = mkdtempSync(join(tmpdir(), "l0gm-native-"));
  process.chdir(application);
});

afterEach(() => {
  process.chdir(home);
  rmSync(application, { recursive: true });
});

/** Puts a package into the application's folder. */
function installPackage(name: string, source: string): void {
  const folder = join(application, "node_modules", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version: "4.22.0", main: "index.js" }));
  writeFileSync(join(folder, "index.js"), source);
}

/** What the real package does on loading, without the native library: registers its backend with the one engine there is. */
function registration(): string {
  const require = createRequire(import.meta.url);
  const [core, cpu] = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"].map((name) =>
    JSON.stringify(require.resolve(name)),
  );
  return `const { MathBackendCPU } = require(${cpu});
require(${core}).registerBackend("tensorflow", () => new MathBackendCPU());`;
}

describe("loadNative", () => {
  it("says which packages are missing", () => {
    const { package: found, reason } = loadNative();
    expect(found).toBeUndefined();
    expect(reason).toBe("@tensorflow/tfjs-node-gpu is not installed; @tensorflow/tfjs-node is not installed");
  });

  it("tells a package that is installed from one that loads", () => {
    installPackage("@tensorflow/tfjs-node-gpu", `throw new Error("libtensorflow.so.2: cannot open\\nRequire stack:");`);
    expect(loadNative().reason).toBe(
      "@tensorflow/tfjs-node-gpu is installed but does not load (libtensorflow.so.2: cannot open); @tensorflow/tfjs-node is not installed",
    );
  });

  it("supplies the functions of util that Node 23 removed", () => {
    const removed = ["isArray", "isNullOrUndefined"];
    const originals = removed.map((name) => Reflect.get(util, name));
    for (const name of removed) Reflect.deleteProperty(util, name);
    installPackage(
      "@tensorflow/tfjs-node",
      `const util = require("util");
if (!util.isNullOrUndefined(undefined) || util.isNullOrUndefined(0) || !util.isArray([])) throw new Error("not supplied");`,
    );
    expect(loadNative()).toMatchObject({ package: "@tensorflow/tfjs-node", version: "4.22.0" });
    removed.forEach((name, i) => {
      Reflect.set(util, name, originals[i]);
    });
  });

  it("goes on to tfjs-node where tfjs-node-gpu does not load, and useBackend starts it", async () => {
    installPackage("@tensorflow/tfjs-node-gpu", `throw new Error("no CUDA");`);
    installPackage("@tensorflow/tfjs-node", registration());
    const report = await useBackend();
    expect(report).toMatchObject({ backend: "tensorflow", kernels: { ours: [] } });
    expect(report.attempts).toEqual([
      { name: "tensorflow", available: true, reason: "@tensorflow/tfjs-node 4.22.0 is installed and loads" },
    ]);
    expect(tf.getBackend()).toBe("tensorflow");
    await useBackend("wasm");
    tf.removeBackend("tensorflow");
  });
});
