import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../select.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

describe("Identity and Cast", () => {
  it("share data that lives as long as the last of its tensors", () => {
    const before = tf.memory();
    const x = tf.tensor1d([1, 2, 3]);
    const y = tf.clone(x);
    const z = tf.cast(y, "float32");
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers + 1);
    x.dispose();
    y.dispose();
    expect(Array.from(z.dataSync())).toEqual([1, 2, 3]);
    z.dispose();
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
  });

  it("keep a clone of a variable as it was when the variable is assigned", () => {
    const v = tf.variable(tf.tensor1d([1, 2]));
    const snapshot = tf.clone(v);
    v.assign(tf.tensor1d([3, 4]));
    expect(Array.from(snapshot.dataSync())).toEqual([1, 2]);
    expect(Array.from(v.dataSync())).toEqual([3, 4]);
    tf.dispose([v, snapshot]);
  });

  it("convert between types and clone strings", () => {
    tf.tidy(() => {
      expect(Array.from(tf.cast(tf.tensor1d([1.7, -1.7]), "int32").dataSync())).toEqual([1, -1]);
      expect(Array.from(tf.cast(tf.tensor1d([1, 0], "bool"), "float32").dataSync())).toEqual([1, 0]);
      const numbers = [2, 0, -0, 0.5, Number.NaN, 256];
      expect(Array.from(tf.cast(tf.tensor1d(numbers), "bool").dataSync())).toEqual([1, 0, 0, 1, 1, 1]);
      expect(Array.from(tf.cast(tf.tensor1d([2, 0, 256], "int32"), "bool").dataSync())).toEqual([1, 0, 1]);
      expect(tf.clone(tf.tensor1d(["a", "b"])).arraySync()).toEqual(["a", "b"]);
    });
  });
});
