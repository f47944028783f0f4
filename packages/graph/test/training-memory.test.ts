import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { MemoryUse } from "./train-epochs.ts";

const EPOCHS = 24;
/** Until pools have grown and code is compiled. */
const WARM = 8;

/** An epoch is 12 batches of some 3,000 sampled nodes: features of 1.2 MB and as much again between layers, 20 MB and more in all. */
const EPOCH_BYTES = 20 * 2 ** 20;

test.each([0, 1])("training on sampled neighbours keeps memory flat, with %i workers", async (workers) => {
  const args = ["--expose-gc", "--conditions=@l0gm/source", "--import", "tsx"];
  const script = join(import.meta.dirname, "train-epochs.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [...args, script, String(EPOCHS), String(workers)]);
  const used = (JSON.parse(stdout) as MemoryUse[]).slice(WARM);
  expect(used).toHaveLength(EPOCHS - WARM);
  const [first, ...rest] = used;
  for (const { tensors, tensorBytes } of rest)
    expect({ tensors, tensorBytes }).toMatchObject({ tensors: first?.tensors, tensorBytes: first?.tensorBytes });
  // The other epochs together make 300 MB: what stays of a fifth of it would be seen.
  const half = rest.length >> 1;
  const least = (part: readonly MemoryUse[]): number => Math.min(...part.map(({ residentBytes }) => residentBytes));
  expect(least(rest.slice(half)) - least(rest.slice(0, half))).toBeLessThan(3 * EPOCH_BYTES);
});
