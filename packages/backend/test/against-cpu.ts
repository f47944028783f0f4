import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect } from "vitest";
import { useBackend } from "../src/select.ts";

/** A tensor as plain data, so that it can be made on either backend. */
export interface Plain {
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
  readonly values: readonly number[];
}

export function toTensor({ shape, dtype, values }: Plain): tf.Tensor {
  return tf.tensor([...values], [...shape], dtype);
}

interface Result {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: readonly number[];
}

async function runOn(backend: "cpu" | "wasm", inputs: readonly Plain[], op: Operation): Promise<Result[]> {
  await useBackend(backend);
  const before = tf.memory();
  const tensors = inputs.map(toTensor);
  const outputs = tf.tidy(() => [op(asArguments(tensors))].flat());
  const results = outputs.map((t) => ({ shape: t.shape, dtype: t.dtype, values: Array.from(t.dataSync()) }));
  // An operation must leave its inputs as they were: some of ours share memory with them.
  inputs.forEach((input, i) => {
    const seen = Array.from(tensors[i]?.dataSync() ?? []);
    expect(seen).toEqual(input.values.map((value) => (input.dtype === "float32" ? Math.fround(value) : value)));
  });
  tf.dispose(outputs);
  tf.dispose(tensors);
  expect(tf.memory().numTensors).toBe(before.numTensors);
  expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
  return results;
}

/** Takes up to five tensors; those that are not given are the first. */
export type Arguments = readonly [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
export type Operation = (tensors: Arguments) => tf.Tensor | tf.Tensor[];

export function asArguments(tensors: readonly tf.Tensor[]): Arguments {
  const [a, b = a, c = a, d = a, e = a] = tensors;
  if (!a || !b || !c || !d || !e) throw new TypeError("at least one input is needed");
  return [a, b, c, d, e];
}

/**
 * Expects `op` to give on our WebAssembly kernels what it gives on tfjs's plain JavaScript backend.
 *
 * @param tolerance - absolute and relative; 0 asks for equal bits, NaN equal to NaN
 */
export async function expectLikeCpu(inputs: readonly Plain[], op: Operation, tolerance = 0): Promise<void> {
  const expected = await runOn("cpu", inputs, op);
  const received = await runOn("wasm", inputs, op);
  expect(received.length).toBe(expected.length);
  expected.forEach((reference, i) => {
    const result = received[i];
    expect(result?.shape).toEqual(reference.shape);
    expect(result?.dtype).toBe(reference.dtype);
    reference.values.forEach((value, j) => {
      const other = result?.values[j] ?? Number.NaN;
      const close =
        Object.is(value, other) || value === other || Math.abs(value - other) <= tolerance * (1 + Math.abs(value));
      if (!close) expect.fail(`output ${i}, element ${j}: cpu gives ${value}, wasm ${other}`);
    });
  });
}

/** Small numbers with exact sums, and sizes in which rounding can be told from error. */
export const finite: fc.Arbitrary<number> = fc.integer({ min: -64, max: 64 }).map((x) => x / 16);

/** Finite numbers with, now and then, NaN or an infinity. */
export const anyFloat: fc.Arbitrary<number> = fc.oneof(
  { weight: 12, arbitrary: finite },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
);

export function plain(
  shape: readonly number[],
  values: fc.Arbitrary<number> = finite,
  dtype: Plain["dtype"] = "float32",
): fc.Arbitrary<Plain> {
  const size = shape.reduce((product, length) => product * length, 1);
  return fc.array(values, { minLength: size, maxLength: size }).map((numbers) => ({ shape, dtype, values: numbers }));
}

/** Axis lengths from 0, with 1 and numbers that no block size divides. */
export function axis(max = 9, min = 0): fc.Arbitrary<number> {
  return fc.integer({ min, max });
}
