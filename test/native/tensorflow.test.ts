import { doctor, useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, inject, it } from "vitest";

beforeAll(() => useBackend(inject("backend")));

/** What tfjs-node-gpu tells of itself. */
interface NativeBackend {
  readonly isGPUPackage: boolean;
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

const native = (): NativeBackend => tf.backend() as unknown as NativeBackend;

it("is the GPU package", () => {
  expect(tf.getBackend()).toBe("tensorflow");
  expect(native().isGPUPackage).toBe(true);
  expect(native().binding.TF_Version).toMatch(/^2\.\d+\.\d+$/);
});

it("is called by what it runs on", async () => {
  const { active } = await doctor();
  const place = native().isUsingGpuDevice
    ? "on a GPU"
    : "on the CPU (the GPU package, but it found no GPU that it can use)";
  expect(active.kernels.reason).toBe(`native TensorFlow ${native().binding.TF_Version} ${place}`);
});

it("stays in force while the doctor looks at the others", async () => {
  const { backends } = await doctor();
  expect(backends.filter(({ active }) => active).map(({ name }) => name)).toEqual(["tensorflow"]);
  expect(tf.getBackend()).toBe("tensorflow");
});

it("comes after WebAssembly where nobody asked for it and it has no GPU", async () => {
  const { backend, reason } = await useBackend();
  expect(backend).toBe(native().isUsingGpuDevice ? "tensorflow" : "wasm");
  if (backend === "wasm") expect(reason).toContain("tensorflow is passed over: ");
  await useBackend("tensorflow");
});
