import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { Random } from "../random.ts";
import { dropout } from "./dropout.ts";

let x: tf.Tensor;

beforeAll(async () => {
  await useBackend(inject("backend"));
  x = tf.ones([100, 50]);
});

const at = (step: number) => ({ training: true, random: Random.from(0, "dropout", step) });

describe("dropout", () => {
  test("zeroes its share and keeps the mean", () => {
    const y = dropout(x, 0.2, at(1)).dataSync();
    expect(new Set(y)).toEqual(new Set([0, 1.25]));
    const dropped = y.filter((value) => value === 0).length / y.length;
    expect(dropped).toBeCloseTo(0.2, 1);
  });

  test("repeats by address and differs by step", () => {
    expect(dropout(x, 0.5, at(1)).dataSync()).toEqual(dropout(x, 0.5, at(1)).dataSync());
    expect(dropout(x, 0.5, at(1)).dataSync()).not.toEqual(dropout(x, 0.5, at(2)).dataSync());
  });

  test("does nothing outside training or at rate 0", () => {
    expect(dropout(x, 0.5, { ...at(1), training: false })).toBe(x);
    expect(dropout(x, 0, at(1))).toBe(x);
  });
});
