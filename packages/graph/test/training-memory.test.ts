import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { MemoryUse } from "./train-epochs.ts";

const EPOCHS = 16;
/** Until pools have grown and code is compiled. */
const WARM = 6;

/** Of its 12 batches with some 1,200 nodes each: 100 features a node in the sampler's array, and again in the backend's. */
const EPOCH_BYTES = 12 * 1200 * 100 * 4 * 2;

test.each([0, 1])("training on sampled neighbours keeps memory flat, with %i workers", async (workers) => {
  const args = ["--expose-gc", "--conditions=@l0gm/source", "--import", "tsx"];
  const script = join(import.meta.dirname, "train-epochs.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [...args, script, String(EPOCHS), String(workers)]);
  const used = (JSON.parse(stdout) as MemoryUse[]).slice(WARM);
  expect(used).toHaveLength(EPOCHS - WARM);
  const [first] = used;
  for (const { tensors, tensorBytes } of used)
    expect([tensors, tensorBytes]).toEqual([first?.tensors, first?.tensorBytes]);
  // Between the halves are five epochs: to keep two fifths of what they make would be seen.
  const half = used.length >> 1;
  const least = (part: readonly MemoryUse[]): number => Math.min(...part.map(({ residentBytes }) => residentBytes));
  expect(least(used.slice(half)) - least(used.slice(0, half))).toBeLessThan(2 * EPOCH_BYTES);
});
