import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { attention } from "../operations/attention.ts";
import { layerNorm } from "../operations/layer-norm.ts";
import { dropout, randomUniform } from "../operations/random.ts";
import { useBackend } from "../select.ts";
import type { WasmBackend } from "./memory.ts";

interface Result {
  readonly values: ArrayLike<number>;
  readonly address: number;
}

function compute(): Result[] {
  return tf.tidy(() => {
    const x = randomUniform([200, 96], [1], -1, 1);
    const square = tf.matMul(x, x, true, false);
    const normal = layerNorm(square, tf.ones([96]), tf.zeros([96]));
    const tokens = tf.reshape(normal, [1, 96, 96]) as tf.Tensor3D;
    const results = [
      square,
      normal,
      attention(tokens, tokens, tokens, { heads: 4 }),
      tf.gather(square, tf.tensor1d([5, 1], "int32")),
      tf.unsortedSegmentSum(square, tf.cast(tf.fill([96], 2), "int32") as tf.Tensor1D, 3),
      tf.sum(square, 0),
      tf.tanh(square),
      tf.pad(square, [
        [1, 1],
        [0, 0],
      ]),
      tf.slice(square, [1, 1], [5, 5]),
      tf.tile(square, [1, 2]),
      tf.where(tf.greater(square, 0), square, normal),
      dropout(square, 0.5, [2]),
    ];
    return results.map((tensor) => ({ values: tensor.dataSync(), address: addressIn(tensor) }));
  });
}

/** Where a tensor begins in the memory of the wasm backend, in bytes. */
function addressIn({ dataId }: tf.Tensor): number {
  if (tf.getBackend() !== "wasm") return 0;
  return (tf.backend() as unknown as WasmBackend).dataIdMap.get(dataId).memoryOffset >>> 0;
}

it("kernels work above 2 GiB, where addresses are negative as 32-bit integers", async () => {
  await useBackend("cpu");
  const expected = compute();
  await useBackend("wasm");
  const backend = tf.backend() as unknown as WasmBackend;
  // Reserved, never touched: it takes addresses, not memory.
  const reserved = Array.from({ length: 5 }, () => backend.makeOutput([2 ** 27], "float32"));
  compute().forEach(({ values, address }, i) => {
    expect(address).toBeGreaterThan(2 ** 31);
    Array.from(values).forEach((value, j) => {
      expect(Math.abs(value - (expected[i]?.values[j] ?? Number.NaN))).toBeLessThan(1e-4);
    });
  });
  for (const { dataId } of reserved) backend.disposeData(dataId);
});
