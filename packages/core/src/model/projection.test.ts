import { useBackend } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, inject, test } from "vitest";
import { ShapeError } from "../errors.ts";
import { Random } from "../random.ts";
import { expectClose, expectNoLeak } from "../testing/index.ts";
import { Projection } from "./projection.ts";

beforeAll(() => useBackend(inject("backend")));

const create = (inputs = 4, outputs = 3): Projection =>
  Projection.create({ inputs, outputs, random: Random.from(1), name: "head" });

const x = (): tf.Tensor2D => tf.tensor2d(Random.from(2).normals(8), [2, 4]);

test("starts Glorot-uniform with a zero bias, by its random stream", async () => {
  const layer = create(40, 60);
  const kernel = await layer.kernel.data<"float32">();
  const limit = Math.sqrt(6 / 100);
  expect(Math.max(...kernel.map(Math.abs))).toBeLessThanOrEqual(limit);
  const variance = kernel.reduce((sum, w) => sum + w * w, 0) / kernel.length;
  expectClose([variance], [limit ** 2 / 3], { relative: 0.1 });
  expect(await layer.bias.data()).toEqual(new Float32Array(60));
  expect(await create(40, 60).kernel.data()).toEqual(kernel);
});

test("applies x W + b", async () => {
  const layer = create();
  layer.bias.assign(tf.tensor1d([1, 2, 3]));
  const [w, input] = await Promise.all([layer.kernel.array(), x().array()]);
  const expected = input.flatMap((row) =>
    [0, 1, 2].map((j) => row.reduce((sum, value, i) => sum + value * (w[i]?.[j] ?? Number.NaN), j + 1)),
  );
  expectClose(await layer.apply(x()).data(), expected);
});

test("names its parameters; only the kernel decays; size counts both", () => {
  const layer = create();
  expect(layer.parameters.map(({ name, decay }) => [name, decay])).toEqual([
    ["head/kernel", true],
    ["head/bias", false],
  ]);
  expect(layer.size).toBe(15);
});

test("select makes the chosen outputs, in the order asked for", async () => {
  const layer = create();
  layer.bias.assign(tf.tensor1d([1, 2, 3]));
  const all = await layer.apply(x()).array();
  const selected = await layer.select([2, 0]).apply(x()).array();
  expectClose(
    selected.flat(),
    all.flatMap((row) => [row[2] ?? Number.NaN, row[0] ?? Number.NaN]),
  );
});

test("selectInputs equals the layer on inputs that are scaled, and 0 elsewhere", async () => {
  const layer = create();
  layer.bias.assign(tf.tensor1d([1, 2, 3]));
  const values = Float32Array.of(0, 0.5, 0, 1);
  const expected = await layer.apply(tf.mul(x(), tf.tensor1d(values))).data();
  const kept = tf.gather(x(), tf.tensor1d([1, 3], "int32"), 1);
  expectClose(await layer.selectInputs([1, 3], values).apply(kept).data(), expected);
});

test("copies own their weights", async () => {
  const layer = create();
  const copy = layer.select([0, 1, 2]);
  const folded = layer.selectInputs([0, 1, 2, 3], new Float32Array(4).fill(1));
  const before = await copy.kernel.data();
  layer.dispose();
  expect(await copy.kernel.data()).toEqual(before);
  expectClose(await folded.kernel.data(), before as Float32Array);
  expect(await folded.bias.data()).toEqual(new Float32Array(3));
});

test.each([[[]], [[3]], [[-1]], [[0.5]]])("select %j is an error", (keep) => {
  expect(() => create().select(keep)).toThrow(ShapeError);
});

test.each([[[]], [[4]], [[-1]]])("selectInputs %j is an error", (keep) => {
  expect(() => create().selectInputs(keep, new Float32Array(4))).toThrow(ShapeError);
});

test("leaves no tensor behind", async () => {
  const input = x();
  const layer = create();
  await expectNoLeak(() => {
    layer.apply(input).dispose();
    layer.select([1]).dispose();
    layer.selectInputs([1], Float32Array.of(1, 1, 1, 1)).dispose();
  });
});
