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
    expect(lines[1]).toMatch(/^machine\s+\d+ CPUs?, [\d.]+ of [\d.]+ GiB of memory free$/);
    expect(lines).toContainEqual(expect.stringMatching(/^backend\s+wasm: asked for by name$/));
    expect(lines).toContainEqual(expect.stringMatching(/ours: .*BatchMatMul/));
    expect(lines).toContainEqual(expect.stringMatching(/^tensorflow\s+not available: /));
  });
});
