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
    const least = (part: readonly MemoryUse[]): number => Math.min(...part.map(({ residentBytes }) => residentBytes));
    // Between the halves are 960 steps: a leak of 5 kB a step would show, and a batch alone is as large.
    expect(least(used.slice(half)) - least(used.slice(0, half))).toBeLessThan(4 * 2 ** 20);
  } finally {
    await rm(cache, { recursive: true });
  }
});
