import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { axis, expectLikeCpu, finite, plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { BackendError } from "../errors.ts";
import { useBackend } from "../select.ts";
import { type CsrMatrix, csrProduct } from "./csr.ts";

beforeAll(async () => {
  await useBackend("wasm");
});

/** Each row's entries as [column, value]. */
type Rows = readonly (readonly (readonly [column: number, value: number])[])[];

function toCsr(rows: Rows, columns: number, weighted: boolean): CsrMatrix {
  const entries = rows.flat();
  const starts = [0];
  for (const row of rows) starts.push((starts.at(-1) ?? 0) + row.length);
  return {
    rows: rows.length,
    columns,
    pointers: tf.tensor1d(starts, "int32"),
    indices: tf.tensor1d(
      entries.map(([column]) => column),
      "int32",
    ),
    ...(weighted ? { values: tf.tensor1d(entries.map(([, value]) => value)) } : {}),
  };
}

function transpose(rows: Rows, columns: number): Rows {
  return Array.from({ length: columns }, (_, c) =>
    rows.flatMap((row, i) => row.filter(([column]) => column === c).map(([, value]) => [i, value] as const)),
  );
}

describe("csrProduct", () => {
  it("equals gather and segment sum on the cpu backend", async () => {
    const cases = fc
      .record({ rows: axis(6, 1), columns: axis(6, 1), width: axis(37, 1), weighted: fc.boolean() })
      .chain(({ rows, columns, width, weighted }) =>
        fc.record({
          rows: fc.array(fc.array(fc.tuple(fc.integer({ min: 0, max: columns - 1 }), finite), { maxLength: 5 }), {
            minLength: rows,
            maxLength: rows,
          }),
          x: plain([columns, width]),
          columns: fc.constant(columns),
          weighted: fc.constant(weighted),
        }),
      )
      .filter(({ rows }) => rows.flat().length > 0);
    await fc.assert(
      fc.asyncProperty(cases, ({ rows, columns, x, weighted }) =>
        expectLikeCpu([x], ([a]) => csrProduct(toCsr(rows, columns, weighted), a as tf.Tensor2D), 1e-5),
      ),
    );
  });

  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])("has the right gradient, weighted: %s, transposed given: %s", (weighted, given) => {
    const rows: Rows = [
      [[1, 2]],
      [],
      [
        [0, -1],
        [1, 0.5],
        [3, 4],
      ],
    ];
    expectGradient([[4, 3]], ([x]) => {
      const a = toCsr(rows, 4, weighted);
      const full = given ? { ...a, transposed: toCsr(transpose(rows, 4), 3, weighted) } : a;
      return tf.sum(tf.square(csrProduct(full, x as tf.Tensor2D)));
    });
  });

  it.each([3, 8, 21])("has the right gradient of its values, width %i", (width) => {
    const rows: Rows = [
      [[1, 0]],
      [],
      [
        [0, 0],
        [1, 0],
        [3, 0],
      ],
    ];
    expectGradient([[4], [4, width]], ([values, x]) => {
      const a = { ...toCsr(rows, 4, false), values: values as tf.Tensor1D };
      return tf.sum(tf.square(csrProduct(a, x as tf.Tensor2D)));
    });
  });

  it("refuses shapes that do not fit", () => {
    expect(() => tf.tidy(() => csrProduct(toCsr([[[0, 1]]], 2, true), tf.ones([3, 2])))).toThrow(BackendError);
  });
});
