import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { doctor } from "../doctor.ts";
import { useBackend } from "../select.ts";
import { loadWebGpu } from "./load.ts";

const home = process.cwd();
let application: string;

beforeEach(() => {
  application = mkdtempSync(join(tmpdir(), "l0gm-webgpu-"));
  process.chdir(application);
});

afterEach(async () => {
  await useBackend("cpu");
  if (tf.findBackendFactory("webgpu") !== null) tf.removeBackend("webgpu");
  process.chdir(home);
  rmSync(application, { recursive: true });
});

/** Puts a stand-in for the npm package `webgpu` into the application's folder. TensorFlow.js's backend is the real one. */
function installDawn(source: string): void {
  const folder = join(application, "node_modules/webgpu");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "webgpu", type: "module", main: "index.js" }));
  writeFileSync(join(folder, "index.js"), source);
}

/** A Dawn whose adapter says this of itself. Its device can be made, and no more. */
function dawnWith(info: object, own: object = {}): string {
  return `const features = { has: () => false };
const device = { queue: {}, features, limits: {} };
const adapter = { info: ${JSON.stringify(info)}, features, limits: {}, ...${JSON.stringify(own)}, requestDevice: async () => device };
export const globals = { GPUBuffer: class {}, GPUTexture: class {}, GPUBufferUsage: {} };
export const create = () => ({ requestAdapter: async () => adapter });`;
}

describe("loadWebGpu", () => {
  it("says that the package is missing", async () => {
    await expect(loadWebGpu()).rejects.toThrow("webgpu is not installed");
    await expect(useBackend("webgpu")).rejects.toMatchObject({
      received: "webgpu is not installed",
      hint: expect.stringContaining("npm install @tensorflow/tfjs-backend-webgpu webgpu"),
    });
  });

  it("tells a package that is installed from one that loads", async () => {
    installDawn(`throw new Error("no libvulkan.so.1");`);
    await expect(loadWebGpu()).rejects.toThrow("webgpu is installed but does not load (no libvulkan.so.1)");
  });

  it("says that there is no adapter", async () => {
    installDawn("export const globals = {}; export const create = () => ({ requestAdapter: async () => null });");
    await expect(loadWebGpu()).rejects.toThrow(/no adapter/);
    const { backends } = await doctor();
    expect(backends.find(({ name }) => name === "webgpu")).toMatchObject({
      available: false,
      reason: expect.stringMatching(/no adapter/),
      hint: expect.stringMatching(/Vulkan/),
    });
  });

  it.each([
    ["by its own word", { description: "Some device", isFallbackAdapter: true }, {}],
    ["by an older engine's word", { description: "Some device" }, { isFallbackAdapter: true }],
    ["by its name", { vendor: "mesa", device: "llvmpipe (LLVM 15.0.6, 256 bits)" }, {}],
  ])("passes over an adapter that is software %s, where the choice is ours", async (_, info, own) => {
    installDawn(dawnWith(info, own));
    expect(await loadWebGpu()).toMatchObject({ software: true });
    const { backend, attempts } = await useBackend("auto", { fma: false });
    expect(backend).toBe("wasm");
    expect(attempts[1]).toMatchObject({
      name: "webgpu",
      available: false,
      reason: expect.stringMatching(/in software/),
    });
    expect(await useBackend("webgpu")).toMatchObject({ backend: "webgpu", kernels: { ours: [] } });
  });

  it("prefers a GPU to WebAssembly, and leaves nothing in navigator that would keep Node from ending", async () => {
    installDawn(dawnWith({ vendor: "acme", architecture: "rocket" }));
    const { backend, attempts } = await useBackend("auto", { fma: true });
    expect(backend).toBe("webgpu");
    expect(attempts.at(-1)).toEqual({
      name: "webgpu",
      available: true,
      reason: "WebGPU has an adapter: acme rocket",
    });
    expect(Reflect.get(Object(Reflect.get(globalThis, "navigator")), "gpu")).toBeUndefined();
    // One that is made anew gets a device of its own.
    tf.removeBackend("webgpu");
    expect((await useBackend("webgpu")).backend).toBe("webgpu");
  });
});
