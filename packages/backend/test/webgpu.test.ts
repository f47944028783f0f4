import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { useBackend } from "../src/select.ts";
import { loadWebGpu } from "../src/webgpu/load.ts";
import { everyOperation, largestDifference } from "./every-operation.ts";

/** Why WebGPU can not be had here. The package is too large for every installation, so it is nobody's dependency. */
async function whyNot(): Promise<string | undefined> {
  try {
    createRequire(import.meta.url).resolve("webgpu");
    await loadWebGpu();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n", 1).join("") : String(error);
  }
}

const reason = await whyNot();
const note = reason === undefined ? "" : ` (skipped: ${reason})`;
if (note !== "") console.warn(`WebGPU in Node${note}`);

it.skipIf(reason !== undefined)(`WebGPU in Node runs plain operations in the place of fused ones${note}`, async () => {
  await useBackend("cpu");
  const expected = await everyOperation();
  const report = await useBackend("webgpu");
  console.log(report.attempts.at(-1)?.reason);
  expect(report).toMatchObject({ backend: "webgpu", kernels: { ours: [] } });
  const { name, difference } = largestDifference(await everyOperation(), expected);
  expect(difference, name).toBeLessThan(1e-4);
});
