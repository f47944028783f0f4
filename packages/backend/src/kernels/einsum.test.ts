import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { axis, finite, type Plain, plain, toTensor } from "../../test/against-cpu.ts";
import { useBackend } from "../select.ts";

interface Case {
  readonly terms: readonly string[];
  readonly result: string;
  readonly inputs: readonly Plain[];
}

/** Equations of one or two terms over four labels, none twice in a term. */
function cases(values: fc.Arbitrary<number>, shortest: number): fc.Arbitrary<Case> {
  const length = axis(4, shortest);
  const term = fc
    .subarray(["a", "b", "c", "d"])
    .chain((labels) => fc.shuffledSubarray(labels, { minLength: labels.length }));
  return fc
    .tuple(fc.array(term, { minLength: 1, maxLength: 2 }), fc.tuple(length, length, length, length))
    .chain(([terms, lengths]) => {
      const used = [...new Set(terms.flat())];
      const shapes = terms.map((labels) => labels.map((label) => lengths["abcd".indexOf(label)] ?? 0));
      return fc.record({
        terms: fc.constant(terms.map((labels) => labels.join(""))),
        result: fc.shuffledSubarray(used).map((labels) => labels.join("")),
        inputs: fc.tuple(...shapes.map((shape) => plain(shape, values))),
      });
    });
}

/** The sum over all labels that the result lacks, one number after the other. */
function reference({ terms, result, inputs }: Case): number[] {
  const lengths = new Map<string, number>();
  terms.forEach((term, i) => {
    [...term].forEach((label, axis) => {
      lengths.set(label, inputs[i]?.shape[axis] ?? 0);
    });
  });
  const offset = (labels: string, at: ReadonlyMap<string, number>): number =>
    [...labels].reduce((sum, label) => sum * (lengths.get(label) ?? 1) + (at.get(label) ?? 0), 0);
  const size = (labels: readonly string[]): number =>
    labels.reduce((product, label) => product * (lengths.get(label) ?? 1), 1);
  const output = new Array<number>(size([...result])).fill(0);
  const labels = [...lengths.keys()];
  for (let i = 0; i < size(labels); i++) {
    const at = new Map<string, number>();
    let rest = i;
    for (const label of labels) {
      const length = lengths.get(label) ?? 1;
      at.set(label, rest % length);
      rest = Math.floor(rest / length);
    }
    const place = offset(result, at);
    const product = terms.reduce((value, term, t) => value * (inputs[t]?.values[offset(term, at)] ?? Number.NaN), 1);
    output[place] = (output[place] ?? 0) + product;
  }
  return output;
}

describe("einsum", () => {
  it.each([
    ["finite numbers, and axes without any", finite, 0],
    // A factor is summed before it is multiplied, so that infinities, and sums of nothing, may give NaN elsewhere than here.
    ["NaN", fc.oneof({ weight: 12, arbitrary: finite }, { weight: 1, arbitrary: fc.constant(Number.NaN) }), 1],
  ] as const)("equals a sum over all labels, with %s", async (_, values, shortest) => {
    await useBackend("wasm");
    fc.assert(
      fc.property(cases(values, shortest), (example) => {
        const { terms, result, inputs } = example;
        const output = tf.tidy(() => tf.einsum(`${terms.join(",")}->${result}`, ...inputs.map(toTensor)));
        const received = Array.from(output.dataSync());
        output.dispose();
        const expected = reference(example);
        expect(received.length).toBe(expected.length);
        expected.forEach((value, i) => {
          const other = received[i] ?? Number.NaN;
          const close =
            Object.is(value, other) || value === other || Math.abs(value - other) <= 1e-5 * (1 + Math.abs(value));
          if (!close) expect.fail(`element ${i}: ${value} was expected, ${other} came`);
        });
      }),
    );
  });
});
