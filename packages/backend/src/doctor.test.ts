import { describe, expect, it } from "vitest";
import { doctor, formatDoctor } from "./doctor.ts";
import { useBackend } from "./select.ts";

describe("doctor", () => {
  it("explains every backend and leaves the one in force", async () => {
    const chosen = await useBackend("cpu");
    const report = await doctor();
    expect(report.active).toBe(chosen);
    expect(report.backends.map(({ name, active, available }) => [name, active, available])).toEqual([
      ["tensorflow", false, false],
      ["webgpu", false, false],
      ["wasm", false, true],
      ["cpu", true, true],
    ]);
    expect(report.backends[0]?.hint).toContain("npm install");
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it("reads well", async () => {
    await useBackend("wasm");
    const lines = formatDoctor(await doctor()).split("\n");
    expect(lines[0]).toMatch(/^engine\s+Node v\d+/);
    expect(lines[1]).toMatch(/^machine\s+\d+ CPUs?, [\d.]+ of [\d.]+ GiB of memory free, [\d.]+ in use here$/);
    expect(lines).toContainEqual(expect.stringMatching(/^backend\s+wasm: asked for by name$/));
    expect(lines).toContainEqual(expect.stringMatching(/ours: .*BatchMatMul/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^threads\s+[12](; useBackend\("wasm", \{ threads: \d+ \}\) for more)?$/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^FMA\s+yes, on vectors of (128|256) bits$/));
    for (const name of ["tensorflow", "webgpu"]) {
      const at = lines.findIndex((line) => new RegExp(`^${name}\\s+not available: `).test(line));
      expect(lines[at + 1]).toMatch(/^\s+to get it: npm install /);
    }
  });

  it("tells threads and FMA as they are", async () => {
    const rows = async (): Promise<string[]> =>
      formatDoctor(await doctor())
        .split("\n")
        .filter((line) => /^(threads|FMA) /.test(line))
        .map((line) => line.replace(/^\w+\s+/, ""));
    await useBackend("wasm", { threads: 1, fma: false });
    expect((await rows())[1]).toBe("no: switched off, or the engine has no relaxed SIMD");
    await useBackend("cpu");
    expect(await rows()).toEqual(["1, as plain JavaScript has", "no, as plain JavaScript has none"]);
    const report = await doctor();
    const machine = { ...report.machine, oneThread: "the page is not cross-origin isolated" };
    const active = {
      ...(await useBackend("wasm")),
      kernels: { ours: [], reason: "stock", threads: 1, fma: false, wide: false },
    };
    const lines = formatDoctor({ ...report, machine, active }).split("\n");
    expect(lines).toContainEqual(expect.stringMatching(/^threads\s+1; more can not be had: the page is not/));
    expect(lines).toContainEqual(expect.stringMatching(/^FMA\s+no: the stock kernels have none$/));
  });
});
