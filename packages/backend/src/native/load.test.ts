import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { doctor } from "../doctor.ts";
import { useBackend } from "../select.ts";
import { loadNative } from "./load.ts";

const home = process.cwd();
const program = process.argv[1] ?? "";
let application: string;

beforeEach(() => {
  application = mkdtempSync(join(tmpdir(), "l0gm-native-"));
  process.chdir(application);
});

afterEach(async () => {
  process.chdir(home);
  process.argv[1] = program;
  rmSync(application, { recursive: true });
  await useBackend("wasm");
  if (tf.findBackend("tensorflow") !== null) tf.removeBackend("tensorflow");
});

/** Puts a package into the application's folder; `binary` stands in its manifest as in that of a package with a native library. */
function installPackage(name: string, source: string, binary?: object, folder = application): string {
  const installed = join(folder, "node_modules", name);
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(installed, "package.json"), JSON.stringify({ name, version: "4.22.0", main: "index.js", binary }));
  writeFileSync(join(installed, "index.js"), source);
  return installed;
}

/** A package's native library is there. */
function buildLibrary(installed: string): void {
  mkdirSync(join(installed, "lib", "napi-v8"), { recursive: true });
  writeFileSync(join(installed, "lib", "napi-v8", "tfjs_binding.node"), "");
}

const BINARY = { module_name: "tfjs_binding" };

/**
 * What the real package does on loading, without the native library: registers its backend, of which `about` tells, with the one engine
 * there is, and makes it the active one.
 */
function registration(about: object = {}): string {
  const require = createRequire(import.meta.url);
  const [core, cpu] = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"].map((name) =>
    JSON.stringify(require.resolve(name)),
  );
  return `const { MathBackendCPU } = require(${cpu});
const tf = require(${core});
tf.registerBackend("tensorflow", () => Object.assign(new MathBackendCPU(), ${JSON.stringify(about)}));
tf.setBackend("tensorflow");`;
}

const ON_CPU = { isGPUPackage: true, isUsingGpuDevice: false, binding: { TF_Version: "2.15.1" } };

describe("loadNative", () => {
  it("says which packages are missing", async () => {
    const { package: found, reason } = await loadNative();
    expect(found).toBeUndefined();
    expect(reason).toBe("@tensorflow/tfjs-node-gpu is not installed; @tensorflow/tfjs-node is not installed");
  });

  it("tells a package that is installed from one that loads", async () => {
    installPackage("@tensorflow/tfjs-node-gpu", `throw new Error("libtensorflow.so.2: cannot open\\nRequire stack:");`);
    expect((await loadNative()).reason).toBe(
      "@tensorflow/tfjs-node-gpu is installed but does not load (libtensorflow.so.2: cannot open); @tensorflow/tfjs-node is not installed",
    );
  });

  it("does not run a package whose library was never built", async () => {
    installPackage("@tensorflow/tfjs-node-gpu", `throw new Error("run all the same");`, BINARY);
    expect((await loadNative()).reason).toBe(
      "@tensorflow/tfjs-node-gpu is installed but not built: its install script did not run; @tensorflow/tfjs-node is not installed",
    );
    const report = await useBackend();
    expect(report).toMatchObject({ backend: "wasm" });
    expect(report.reason).toContain(
      "tensorflow is not available: @tensorflow/tfjs-node-gpu is installed but not built",
    );
  });

  it("looks from the program that was started, too", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "l0gm-program-"));
    try {
      installPackage("@tensorflow/tfjs-node", registration(), undefined, elsewhere);
      expect((await loadNative()).package).toBeUndefined();
      writeFileSync(join(elsewhere, "program.js"), "");
      process.argv[1] = join(elsewhere, "program.js");
      expect((await loadNative()).package).toBe("@tensorflow/tfjs-node");
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it("supplies the functions of util that Node 23 removed", async () => {
    const removed = ["isArray", "isNullOrUndefined"];
    const originals = removed.map((name) => Reflect.get(util, name));
    for (const name of removed) Reflect.deleteProperty(util, name);
    installPackage(
      "@tensorflow/tfjs-node",
      `const util = require("util");
if (!util.isNullOrUndefined(undefined) || util.isNullOrUndefined(0) || !util.isArray([])) throw new Error("not supplied");`,
    );
    expect(await loadNative()).toMatchObject({ package: "@tensorflow/tfjs-node", version: "4.22.0" });
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
  });

  it("says where native TensorFlow runs, and keeps the active backend", async () => {
    installPackage("@tensorflow/tfjs-node-gpu", registration(ON_CPU));
    const onCpu = "native TensorFlow 2.15.1 on the CPU (the GPU package, but it found no GPU that it can use)";
    await useBackend("cpu");
    expect((await loadNative()).reason).toBe(`@tensorflow/tfjs-node-gpu 4.22.0 is installed and loads: ${onCpu}`);
    expect(tf.getBackend()).toBe("cpu");
    expect((await useBackend("tensorflow")).kernels.reason).toBe(onCpu);
    const { backends } = await doctor();
    expect(backends.find(({ name }) => name === "tensorflow")?.reason).toContain(onCpu);
  });
});

describe(`useBackend("auto") with a native package`, () => {
  it("takes it where it has a GPU", async () => {
    installPackage("@tensorflow/tfjs-node-gpu", registration({ ...ON_CPU, isUsingGpuDevice: true }));
    const report = await useBackend();
    expect(report.backend).toBe("tensorflow");
    expect(report.kernels.reason).toBe("native TensorFlow 2.15.1 on a GPU");
  });

  it("takes WebAssembly where it runs on the CPU, and says so", async () => {
    installPackage("@tensorflow/tfjs-node-gpu", registration(ON_CPU));
    const report = await useBackend();
    expect(report.attempts.map(({ name, available }) => [name, available])).toEqual([
      ["webgpu", false],
      ["wasm", true],
    ]);
    expect(report.reason).toMatch(
      /tensorflow is passed over: native TensorFlow 2\.15\.1 on the CPU .* ask for it by name/,
    );
    expect(tf.getBackend()).toBe("wasm");
  });

  it.skipIf(existsSync("/dev/nvidiactl") || existsSync("/dev/dxg") || process.platform === "win32")(
    "does not even load it where the system shows no GPU",
    async () => {
      buildLibrary(installPackage("@tensorflow/tfjs-node-gpu", `throw new Error("loaded all the same");`, BINARY));
      const report = await useBackend();
      expect(report.backend).toBe("wasm");
      expect(report.reason).toContain("@tensorflow/tfjs-node-gpu 4.22.0 is installed, but there is no GPU");
      await expect(useBackend("tensorflow")).rejects.toThrow(/does not load \(loaded all the same\)/);
    },
  );
});
