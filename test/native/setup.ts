import { fileURLToPath } from "node:url";
import { getBackend } from "@tensorflow/tfjs-core";
import { afterAll, expect } from "vitest";

// Only the bench has tfjs-node-gpu, and `useBackend` looks from the folder that the program runs in.
process.chdir(fileURLToPath(new URL("../../apps/bench", import.meta.url)));

afterAll(() => {
  // A file that only counts has none.
  const backend = getBackend();
  if (backend) expect(backend, "the backend that this file ran on").toBe("tensorflow");
});
