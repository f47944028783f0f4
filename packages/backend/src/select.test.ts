import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { BackendError } from "./errors.ts";
import { defaultThreads } from "./kernels/helper-threads.ts";
import { type BackendChoice, type BackendOptions, useBackend } from "./select.ts";

describe("useBackend", () => {
  it("takes WebAssembly where no native package is installed, and says so", async () => {
    const report = await useBackend();
    expect(tf.getBackend()).toBe("wasm");
    expect(report).toMatchObject({ backend: "wasm", choice: "auto" });
    expect(report.reason).toContain("tfjs-node is not installed");
    expect(report.attempts.map(({ name, available }) => [name, available])).toEqual([
      ["tensorflow", false],
      ["webgpu", false],
      ["wasm", true],
    ]);
    expect(report.kernels.ours).toContain("UnsortedSegmentSum");
  });

  it("gives the same report for the same choice, and follows another one and back", async () => {
    const first = await useBackend("wasm");
    expect(await useBackend("wasm")).toBe(first);
    expect(await useBackend("cpu")).toMatchObject({ backend: "cpu", kernels: { ours: [] } });
    expect(tf.getBackend()).toBe("cpu");
    const again = await useBackend("wasm");
    expect(tf.getBackend()).toBe("wasm");
    expect(again.kernels).toEqual(first.kernels);
  });

  it("changes the kernels' settings, and keeps those that are left out", async () => {
    const first = await useBackend("wasm", { fma: false });
    expect(first.kernels).toMatchObject({ fma: false, threads: defaultThreads() });
    expect((await useBackend("wasm", { threads: 1 })).kernels).toMatchObject({ fma: false, threads: 1 });
    expect((await useBackend()).kernels).toMatchObject({ fma: false, threads: 1 });
    expect((await useBackend("wasm", { fma: true })).kernels.reason).toMatch(
      /^kernels for TensorFlow\.js 4\.22\.0, with/,
    );
  });

  it("takes calls at the same time one after the other", async () => {
    await useBackend("wasm");
    const factory = tf.findBackendFactory("wasm");
    tf.removeBackend("wasm");
    tf.registerBackend("wasm", factory);
    const calls = [useBackend(), useBackend(), useBackend("cpu"), useBackend("tensorflow"), useBackend("wasm")];
    const reports = (await Promise.allSettled(calls)).map((call) =>
      call.status === "fulfilled" ? call.value : undefined,
    );
    expect(reports.map((report) => report?.backend)).toEqual(["wasm", "wasm", "cpu", undefined, "wasm"]);
    expect(reports[1]).toBe(reports[0]);
    expect(tf.getBackend()).toBe("wasm");
  });

  it("says how to get back a backend that was removed, and goes on without it where none is named", async () => {
    await useBackend("wasm");
    const factory = tf.findBackendFactory("wasm");
    tf.removeBackend("wasm");
    const error = await useBackend("wasm").catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ received: expect.stringContaining('removeBackend("wasm") was called') });
    expect(error).toMatchObject({ hint: expect.stringContaining('tf.registerBackend("wasm", factory)') });
    const { backend, attempts } = await useBackend();
    expect(backend).toBe("cpu");
    expect(attempts.find(({ name }) => name === "wasm")?.reason).toContain("does not know it");
    tf.registerBackend("wasm", factory);
    expect((await useBackend("wasm")).kernels.ours).toContain("UnsortedSegmentSum");
  });

  it("chooses anew when someone else has changed the backend", async () => {
    await useBackend("wasm");
    await tf.setBackend("cpu");
    await useBackend("wasm");
    expect(tf.getBackend()).toBe("wasm");
  });

  it("registers gradients", async () => {
    await useBackend("wasm");
    const slope = tf.tidy(
      () =>
        tf
          .grad((x) => tf.square(x))(tf.scalar(3))
          .dataSync()[0],
    );
    expect(slope).toBe(6);
  });

  it("refuses a backend that is asked for by name and not there, and keeps the one in force", async () => {
    await useBackend("wasm");
    const failure = useBackend("tensorflow");
    await expect(failure).rejects.toThrow(BackendError);
    await expect(failure).rejects.toMatchObject({ where: "useBackend", hint: expect.stringContaining("npm install") });
    expect(tf.getBackend()).toBe("wasm");
  });

  it.each([
    [{ threads: 0.5 }, /threads to be an integer from 1 to 256, received 0\.5/],
    [{ threads: "2" }, /received "2"/],
    [{ threads: 1000 }, /received 1000/],
    [{ fma: "no" }, /fma to be true or false/],
    [{ thread: 2 }, /any of wasmFolder, threads, fma, wide, received thread/],
    [null, /an object/],
  ])("refuses the options %j", async (options, message) => {
    await expect(useBackend("wasm", options as unknown as BackendOptions)).rejects.toThrow(message);
  });

  it("refuses a name that it does not know", async () => {
    await expect(useBackend("webgl" as BackendChoice)).rejects.toThrow(/"tensorflow", "webgpu", "wasm", "cpu"/);
  });
});
