import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { smallModel } from "../../test/small-model.ts";
import { useBackend } from "../select.ts";

it("all operations together learn, and keep tensors and memory flat over 1,000 steps", async () => {
  await useBackend("wasm");
  const model = smallModel();
  const counts = (): number[] => {
    const backend = tf.backend() as unknown as { numDataIds(): number; wasm: { HEAPU8: Uint8Array } };
    const { numTensors, numDataBuffers } = tf.memory();
    return [numTensors, numDataBuffers, backend.numDataIds(), backend.wasm.HEAPU8.length];
  };
  const first = model.step(0);
  const before = counts();
  let last = first;
  for (let step = 1; step <= 1000; step++) last = model.step(step);
  expect(counts()).toEqual(before);
  expect(last).toBeLessThan(first);
  model.dispose();
});
