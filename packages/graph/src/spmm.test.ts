import { ConfigError, DataError, Random, ShapeError, useBackend } from "@l0gm/core";
import { checkGradient, expectClose, expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { dense, gcnMatrix, meanMatrix, multiply } from "../test/dense.ts";
import { Csr } from "./csr.ts";
import { type Aggregation, spmm } from "./spmm.ts";

await useBackend("cpu");
afterEach(async () => {
  await useBackend("cpu");
});

/** Directed, with weights or not; self-loops and nodes without edges occur. */
const graphs = fc
  .record({ nodes: fc.integer({ min: 1, max: 8 }), weighted: fc.boolean(), seed: fc.nat(1000) })
  .chain(({ nodes, weighted, seed }) =>
    fc.array(fc.tuple(fc.nat(nodes - 1), fc.nat(nodes - 1)), { minLength: 1, maxLength: 20 }).map((edges) =>
      Csr.fromEdges(
        edges.map(([from]) => from),
        edges.map(([, to]) => to),
        { nodes, ...(weighted ? { weights: Random.from(seed).uniforms(edges.length, 0.5, 2) } : {}) },
      ),
    ),
  );

const matrices: [Aggregation, (csr: Csr) => number[][]][] = [
  ["sum", dense],
  ["mean", meanMatrix],
  ["symmetric", gcnMatrix],
];

describe.each(matrices)("spmm, %s", (aggregate, matrixOf) => {
  test.each(["cpu", "wasm"] as const)("is the product with a dense matrix, on %s", async (backend) => {
    await useBackend(backend);
    fc.assert(
      fc.property(graphs, fc.integer({ min: 1, max: 37 }), (csr, width) => {
        const x = Random.from(3).normals(csr.columns * width);
        const y = tf.tidy(() => spmm(csr, tf.tensor2d(x, [csr.columns, width]), { aggregate }).dataSync());
        expectClose(y, multiply(matrixOf(csr), x, width), { absolute: 1e-5, relative: 1e-5 });
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ["cpu", false],
    ["wasm", false],
    ["wasm", true],
  ] as const)("has the gradient of finite differences, on %s, transposed at hand: %s", async (backend, cached) => {
    await useBackend(backend);
    const weights = [1, 0.5, 2, 1.5, 1];
    for (const weighted of [false, true]) {
      const csr = Csr.fromEdges([0, 1, 2, 2, 4], [1, 0, 0, 2, 2], { nodes: 5, ...(weighted ? { weights } : {}) });
      if (cached) csr.transpose();
      const x = tf.tensor2d(Random.from(1).normals(15), [5, 3]);
      await checkGradient((z) => tf.square(spmm(csr, z as tf.Tensor2D, { aggregate })), x);
    }
  });

  test("leaves no tensors behind", async () => {
    const csr = Csr.fromEdges([0, 1], [1, 2], { nodes: 3, undirected: true });
    const x = tf.ones<tf.Rank.R2>([3, 2]);
    await expectNoLeak(() => spmm(csr, x, { aggregate }).dispose());
  });

  test("takes bipartite blocks and graphs without edges", async () => {
    for (const backend of ["cpu", "wasm"] as const) {
      await useBackend(backend);
      const block = new Csr({ rows: 2, columns: 4, offsets: Int32Array.of(0, 2, 2), neighbors: Int32Array.of(2, 3) });
      const x = Random.from(2).normals(8);
      const y = spmm(block, tf.tensor2d(x, [4, 2]), { aggregate }).dataSync();
      expectClose(y, multiply(matrixOf(block), x, 2), { absolute: 1e-6 });
      const empty = new Csr({ rows: 2, columns: 2, offsets: new Int32Array(3), neighbors: new Int32Array(0) });
      const z = spmm(empty, tf.tensor2d([1, 2, 3, 4], [2, 2]), { aggregate });
      expectClose(z.dataSync(), aggregate === "symmetric" ? [1, 2, 3, 4] : [0, 0, 0, 0]);
    }
  });
});

test("spmm refuses what does not fit", () => {
  const csr = Csr.fromEdges([0], [1], { nodes: 2 });
  expect(() => spmm(csr, tf.ones([3, 2]))).toThrow(ShapeError);
  expect(() => spmm(csr, tf.ones([2, 2]), { aggregate: "max" as Aggregation })).toThrow(ConfigError);
  const tall = new Csr({ rows: 2, columns: 1, offsets: Int32Array.of(0, 1, 1), neighbors: Int32Array.of(0) });
  expect(() => spmm(tall, tf.ones([1, 2]), { aggregate: "symmetric" })).toThrow(ShapeError);
  const negative = Csr.fromEdges([0], [1], { nodes: 2, weights: [-3] });
  expect(() => spmm(negative, tf.ones([2, 2]), { aggregate: "symmetric" })).toThrow(DataError);
});

test("a symmetric graph is its own transpose, another one is not", () => {
  const symmetric = Csr.fromEdges([0, 1], [1, 2], { nodes: 3, undirected: true });
  expect(symmetric.transposed).toBeUndefined();
  expect(symmetric.transpose()).toBe(symmetric);
  const directed = Csr.fromEdges([0, 1], [1, 2], { nodes: 3 });
  expect(directed.transpose()).not.toBe(directed);
  expect(directed.transpose().transpose()).toBe(directed);
  expect(directed.transposed).toBe(directed.transpose());
  const weighted = Csr.fromEdges([0, 1], [1, 0], { nodes: 2, weights: [1, 2] });
  expect(weighted.weights).toEqual(Float32Array.of(2, 1));
  expect(weighted.transpose().weights).toEqual(Float32Array.of(1, 2));
});
