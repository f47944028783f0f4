import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { MemoryUse } from "./train-epochs.ts";

const EPOCHS = 20;
const ROUNDS = 10;
/** Until pools have grown and code is compiled. */
const WARM = 2;

test.each(["tokens", "cached features"])("training on %s keeps memory flat", { timeout: 60_000 }, async (inputs) => {
  const cache = await mkdtemp(join(tmpdir(), "l0gm-training-memory-"));
  try {
    const script = join(import.meta.dirname, "train-epochs.ts");
    const flags = ["--expose-gc", "--conditions=@l0gm/source", "--import", "tsx"];
    const args = [String(ROUNDS), String(EPOCHS), ...(inputs === "tokens" ? [] : [cache])];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, ...args]);
    const used = (JSON.parse(stdout) as MemoryUse[]).slice(WARM);
    expect(used).toHaveLength(ROUNDS - WARM);
    const [first] = used;
    for (const { tensors, tensorBytes } of used) {
      expect([tensors, tensorBytes]).toEqual([first?.tensors, first?.tensorBytes]);
    }
    const half = used.length >> 1;
    const [before, after] = [used.slice(0, half), used.slice(half)];
    const growth = [Math.min, Math.max].map((of) => {
      const [first, second] = [before, after].map((part) => of(...part.map(({ residentBytes }) => residentBytes)));
      return (second ?? Number.NaN) - (first ?? Number.NaN);
    });
    // Between the halves are 960 steps: a leak of 5 kB a step would raise the least and the most, and a batch alone is as large. The
    // system takes memory away and gives it back as it likes, which moves one of them.
    expect(Math.min(...growth)).toBeLessThan(4 * 2 ** 20);
  } finally {
    await rm(cache, { recursive: true });
  }
});
