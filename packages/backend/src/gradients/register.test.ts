import * as tf from "@tensorflow/tfjs-core";
import { beforeEach, describe, expect, it } from "vitest";
import { type Arguments, expectLikeCpu, type Plain } from "../../test/against-cpu.ts";
import { expectGradient } from "../../test/gradient.ts";
import { useBackend } from "../select.ts";
import { reductionGradients } from "./reductions.ts";
import { registerMissingGradients, replaceSlowGradients } from "./register.ts";

/** Weights every element differently, so that one in another's place is seen. */
function weigh(x: tf.Tensor): tf.Tensor {
  return tf.sum(tf.mul(tf.square(x), tf.reshape(tf.cos(tf.range(0, x.size)), x.shape)));
}

const pairs = (): tf.Tensor => tf.tensor2d([1, 0, 2, 2, 1, 0], [3, 2], "int32");

const CASES: readonly (readonly [name: string, shapes: readonly number[][], f: (xs: Arguments) => tf.Tensor])[] = [
  ["gatherND, elements read twice", [[4, 3]], ([x]) => weigh(tf.gatherND(x, pairs()))],
  ["gatherND, rows", [[4, 3, 2]], ([x]) => weigh(tf.gatherND(x, tf.tensor2d([[3], [3], [0]], [3, 1], "int32")))],
  ["scatterND, places met twice", [[3]], ([x]) => weigh(tf.scatterND(pairs(), x, [3, 3]))],
  [
    "tensorScatterUpdate",
    [
      [4, 2],
      [2, 2],
    ],
    ([x, y]) => weigh(tf.tensorScatterUpdate(x, tf.tensor2d([[2], [0]], [2, 1], "int32"), y)),
  ],
  ["topk", [[3, 5]], ([x]) => weigh(tf.topk(x, 3).values)],
  ["topk of a vector", [[7]], ([x]) => weigh(tf.topk(x, 2).values)],
  ["stridedSlice, steps of 2 and 1", [[5, 3]], ([x]) => weigh(tf.stridedSlice(x, [1, 0], [5, 2], [2, 1]))],
  ["stridedSlice, backwards", [[7, 3]], ([x]) => weigh(tf.stridedSlice(x, [5, 2], [-8, 0], [-3, -1]))],
  [
    "stridedSlice, an axis dropped",
    [[4, 3, 2]],
    ([x]) => weigh(tf.stridedSlice(x, [1, 0], [2, 2], [1, 1], 0, 0, 0, 0, 1)),
  ],
  ["stridedSlice, masks", [[4, 5]], ([x]) => weigh(tf.stridedSlice(x, [2, 1], [3, 2], [1, 2], 1, 2))],
  [
    "einsum, a product",
    [
      [3, 4],
      [4, 2],
    ],
    ([x, y]) => weigh(tf.einsum("ij,jk->ik", x, y)),
  ],
  [
    "einsum, attention",
    [
      [2, 3, 2, 2],
      [2, 4, 2, 2],
    ],
    ([x, y]) => weigh(tf.einsum("bqhd,bkhd->bhqk", x, y)),
  ],
  [
    "einsum, a label of one operand alone",
    [
      [2, 3],
      [3, 4],
    ],
    ([x, y]) => weigh(tf.einsum("ij,jk->i", x, y)),
  ],
  ["einsum, outer product", [[3], [2]], ([x, y]) => weigh(tf.einsum("i,j->ji", x, y))],
  [
    "einsum, element by element",
    [
      [2, 3],
      [2, 3],
    ],
    ([x, y]) => weigh(tf.einsum("ij, ij -> ij", x, y)),
  ],
  [
    "einsum, a scalar",
    [
      [2, 3],
      [3, 2],
    ],
    ([x, y]) => weigh(tf.einsum("ij,ji->", x, y)),
  ],
  ["einsum, one operand", [[2, 3, 2]], ([x]) => weigh(tf.einsum("ijk->kj", x))],
  ["einsum, the sum of one operand", [[2, 3]], ([x]) => weigh(tf.einsum("ij->", x))],
  ["sum over all", [[2, 3]], ([x]) => tf.square(tf.sum(x))],
  ["sum over an axis counted from the end", [[2, 3, 2]], ([x]) => weigh(tf.sum(x, -2))],
  ["sum, axes kept", [[2, 3, 2]], ([x]) => weigh(tf.sum(x, [0, 2], true))],
  ["mean over all", [[2, 3]], ([x]) => tf.square(tf.mean(x))],
  ["mean over the last axis, kept", [[2, 3, 2]], ([x]) => weigh(tf.mean(x, -1, true))],
  ["mean over two axes", [[2, 3, 2]], ([x]) => weigh(tf.mean(x, [2, 0]))],
  ["where, by a comparison", [[6]], ([x]) => weigh(tf.where(tf.greater(x, 0.1), tf.mul(x, 3), tf.neg(x)))],
  ["divNoNan", [[4]], ([x]) => weigh(tf.divNoNan(1, tf.add(x, 3)))],
  ["prod", [[2, 3]], ([x]) => weigh(tf.prod(x, 1))],
  [
    "gather with a batch axis",
    [[2, 3, 2]],
    ([x]) => weigh(tf.gather(x, tf.tensor2d([1, 0, 2, 2], [2, 2], "int32"), 1, 1)),
  ],
];

describe.each(["wasm", "cpu"] as const)("missing gradients on the %s backend", (backend) => {
  beforeEach(async () => {
    await useBackend(backend);
  });

  it.each(CASES)("%s", (_, shapes, f) => {
    expectGradient(shapes, f);
  });

  it("are zero where nothing is read", () => {
    tf.tidy(() => {
      const dx = tf.grad((x: tf.Tensor) => tf.sum(tf.stridedSlice(x, [2], [2], [1])))(tf.ones([4]));
      expect(Array.from(dx.dataSync())).toEqual([0, 0, 0, 0]);
    });
  });
});

describe("replaceSlowGradients", () => {
  it("puts ours in tfjs's place, once: one that comes later is left alone", async () => {
    await useBackend("cpu");
    const ours = tf.getGradient("Sum");
    expect(ours).toBe(reductionGradients.find(({ kernelName }) => kernelName === "Sum"));
    const other = { ...ours, kernelName: "Sum" };
    tf.registerGradient(other);
    replaceSlowGradients();
    expect(tf.getGradient("Sum")).toBe(other);
    tf.registerGradient({ ...ours, kernelName: "Sum" });
  });
});

describe("registerMissingGradients", () => {
  it("leaves a gradient alone that is there", async () => {
    await useBackend("cpu");
    const own = tf.getGradient("TopK");
    const other = { ...own, kernelName: "TopK" };
    tf.unregisterGradient("TopK");
    tf.registerGradient(other);
    registerMissingGradients();
    expect(tf.getGradient("TopK")).toBe(other);
  });
});

describe("Einsum", () => {
  it("sums a label of one operand alone, as the cpu backend does not", async () => {
    await useBackend("wasm");
    tf.tidy(() => {
      const [x, y] = [tf.reshape(tf.range(0, 24), [2, 3, 4]), tf.reshape(tf.range(0, 20), [4, 5])];
      const expected = tf.matMul(tf.reshape(tf.sum(x, [0, 1]), [1, 4]), y).dataSync();
      expect(Array.from(tf.einsum("abc,cd->d", x, y).dataSync())).toEqual(Array.from(expected));
    });
  });

  const tensor = (shape: number[], dtype: "float32" | "int32" = "float32"): Plain => {
    const values = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => ((i * 7) % 11) - 5);
    return { shape, dtype, values };
  };

  it.each([
    ["ij,jk->ik", [tensor([3, 4]), tensor([4, 5])]],
    ["ij,jk->ki", [tensor([3, 4]), tensor([4, 5])]],
    ["ij,jk->ik", [tensor([3, 4], "int32"), tensor([4, 5], "int32")]],
    ["ij,kj->ik", [tensor([1, 4]), tensor([5, 4])]],
    ["bij,bjk->bik", [tensor([2, 3, 4]), tensor([2, 4, 5])]],
    ["bji,bjk->bik", [tensor([2, 4, 3]), tensor([2, 4, 5])]],
    ["bqhd,bkhd->bhqk", [tensor([2, 3, 2, 4]), tensor([2, 5, 2, 4])]],
    ["i,j->ij", [tensor([3]), tensor([4])]],
    ["ij,->ij", [tensor([3, 2]), tensor([])]],
    ["ijk->ki", [tensor([2, 3, 4])]],
    ["ij,jk->ik", [tensor([0, 4]), tensor([4, 5])]],
    ["ij,jk->ik", [tensor([2, 0]), tensor([0, 5])]],
  ])("%s equals the cpu backend", async (equation, operands) => {
    await expectLikeCpu(operands, (tensors) => tf.einsum(equation, ...tensors.slice(0, operands.length)));
  });
});
