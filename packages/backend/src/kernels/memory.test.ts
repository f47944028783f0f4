import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { useBackend } from "../select.ts";
import type { WasmBackend } from "./memory.ts";

it.each([1, 2])(
  "memory that does not suffice is an error, and what is there stays right, on %d threads",
  async (threads) => {
    await useBackend("wasm", { threads });
    // Half a GiB is taken, so that 4.2 billion bytes have no room; 4.4 billion are more than 32 bits can count.
    const taken = (tf.backend() as unknown as WasmBackend).makeOutput([2 ** 27], "float32");
    for (const columns of [64_600, 67_700]) {
      tf.tidy(() => {
        const [x, y] = [tf.ones([16_250, 1]), tf.ones([1, columns])];
        expect(() => tf.matMul(x, y)).toThrow(/WebAssembly memory: expected 4\d{9} free bytes/);
        expect(() => tf.add(x, y)).toThrow(/WebAssembly memory/);
        expect(Array.from(tf.matMul(y, tf.ones([columns, 1])).dataSync())).toEqual([columns]);
      });
    }
    tf.backend().disposeData(taken.dataId);
  },
);
