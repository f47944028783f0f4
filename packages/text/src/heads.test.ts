import {
  ConfigError,
  compact,
  type Dataset,
  decodeSafetensors,
  type Encoder,
  EVALUATION,
  FormatError,
  GatedClassifier,
  load,
  memoryFiles,
  save,
  useBackend,
} from "@l0gm/core";
import { countTensors, expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeEach, describe, expect, test } from "vitest";
import { smallBert } from "../test/small-bert.ts";
import type { HiddenBatch, TextBatch, TokenBatch } from "./batch.ts";
import { bertEncoder, bertPrefix, saveBert } from "./bert.ts";
import { textDataset } from "./dataset.ts";
import {
  attentionHeads,
  type HeadImportance,
  headImportance,
  leastImportantHeads,
  pruneHeads,
  textMacs,
} from "./heads.ts";
import { type Positions, transformerEncoder } from "./transformer.ts";

beforeEach(() => useBackend("cpu"));

const ids = [
  [2, 7, 9, 3],
  [2, 5, 3],
  [2, 11, 6, 8, 4, 3],
];
const labels = Int32Array.of(1, 0, 1);
const rows = textDataset({
  sequences: ids.map((each) => ({ ids: Int32Array.from(each), types: new Uint8Array(each.length) })),
  labels,
  classes: 2,
  paddingId: 0,
});

const batch = (): TokenBatch => ({
  ids: tf.tensor2d([2, 7, 9, 3, 2, 5, 3, 0], [2, 4], "int32"),
  mask: tf.tensor2d([1, 1, 1, 1, 1, 1, 1, 0], [2, 4]),
});

/** `[rows, 2]` for both layers. */
function masks(count: number, layers: readonly (readonly number[])[]): tf.Tensor2D[] {
  return layers.map((heads) => tf.tile(tf.tensor2d([[...heads]]), [count, 1]));
}

/** With heads of 4 numbers in both layers, 2 each. */
function scratch(positions: Positions = "learned"): Encoder<TextBatch> {
  const encoder = transformerEncoder({ vocabularySize: 12, hidden: 8, heads: 2, positions, width: 6 });
  // Embeddings begin near 0, where a normalisation bends more than a difference can follow.
  for (const { name, variable } of encoder.parameters) {
    if (name.endsWith("/table")) tf.tidy(() => variable.assign(tf.mul(variable, 40)));
  }
  return encoder;
}

async function classifier(options = {}): Promise<GatedClassifier<TextBatch>> {
  return classifierOf(await bertEncoder(await smallBert(), { width: 6, ...options }));
}

function classifierOf(encoder: Encoder<TextBatch>): GatedClassifier<TextBatch> {
  const model = new GatedClassifier({ encoder, classes: 2 });
  // A head that tells classes apart well, so that gradients are far from rounding.
  tf.tidy(() => model.head.kernel.assign(tf.mul(model.head.kernel, 5)));
  return model;
}

function encoded(encoder: Encoder<TextBatch>, inputs: TextBatch): Float32Array {
  return Float32Array.from(encoder.encode(inputs, EVALUATION).dataSync());
}

describe("headImportance", () => {
  const loss = (model: GatedClassifier<TextBatch>, row: number, layers: readonly (readonly number[])[]): number =>
    tf.tidy(() => {
      const sequence = ids[row] ?? [];
      const inputs = {
        ids: tf.tensor2d([sequence], undefined, "int32"),
        mask: tf.ones<tf.Rank.R2>([1, sequence.length]),
        headMasks: masks(1, layers),
      };
      const { logits } = model.forward(inputs, EVALUATION);
      const [a = 0, b = 0] = logits.dataSync();
      return Math.log(1 + Math.exp(labels[row] === 1 ? a - b : b - a));
    });

  test.each([
    ["a BERT", () => classifier()],
    ["a BERT with frozen layers", () => classifier({ trainableLayers: 1 })],
    ["a Transformer from scratch", () => classifierOf(scratch())],
  ])("is the mean slope of a row's loss, of %s", async (_, make) => {
    const model = await make();
    let importance: HeadImportance[] = [];
    expect(
      await countTensors(async () => {
        importance = await headImportance(model, rows, { batchSize: 2 });
      }),
    ).toBe(0);
    expect(importance.map(({ layer, head }) => [layer, head])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const step = 0.01;
    const slopes = importance.map(({ layer, head }) => {
      const at = (value: number): number[][] =>
        [0, 1].map((l) => [0, 1].map((h) => (l === layer && h === head ? value : 1)));
      const sum = ids.reduce(
        (total, _, row) => total + Math.abs(loss(model, row, at(1 + step)) - loss(model, row, at(1 - step))),
        0,
      );
      return sum / (2 * step) / ids.length;
    });
    expect(Math.max(...slopes)).toBeGreaterThan(1e-2);
    expectClose(
      importance.map((each) => each.importance),
      slopes,
      { absolute: 2e-4, relative: 2e-3 },
    );
  });

  test("looks at as many batches as it is told, and at the heads that are left", async () => {
    const model = await classifier();
    const one = await headImportance(model, rows, { batchSize: 1, batches: 1 });
    const all = await headImportance(model, rows);
    expect(one).not.toEqual(all);
    const slim = new GatedClassifier({ encoder: pruneHeads(model.encoder, [[0]]), classes: 2 });
    const left = await headImportance(slim, rows);
    expect(left.map(({ layer, head }) => [layer, head])).toEqual([
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });

  test("refuses other encoders, other batches and no batch", async () => {
    const encoder: Encoder<TextBatch> = { ...transformerEncoder({ vocabularySize: 12 }), width: 4 };
    const other = new GatedClassifier({ encoder, classes: 2 });
    await expect(headImportance(other, rows)).rejects.toThrow(ConfigError);
    const model = await classifier({ trainableLayers: 1 });
    await expect(headImportance(model, rows, { batches: 0 })).rejects.toThrow(/batches/);
    const nothing = { rows: 0, classes: 2, batches: () => [] };
    await expect(headImportance(model, nothing)).rejects.toThrow(/expected rows, received no batch/);
    const prefix = await bertPrefix(await smallBert(), 1);
    const inputs: HiddenBatch = { hidden: prefix.apply(batch()), mask: batch().mask, layers: 1 };
    const cached = { rows: 2, classes: 2, batches: () => [{ inputs, labels: Int32Array.of(0, 1) }] };
    await expect(headImportance(model, cached as unknown as Dataset<TokenBatch>)).rejects.toThrow(/token ids/);
  });
});

describe("textMacs", () => {
  test("is the linear layers' count for one token and attention's products, and grows with the square of the length", async () => {
    const bert = await bertEncoder(await smallBert(), { width: 6 });
    for (const encoder of [bert, scratch(), pruneHeads(bert, [[1]]), pruneHeads(scratch("rotary"), [[], [0]])]) {
      // Scores and weighted values: two products over 4 numbers a head.
      const products = 2 * 4 * attentionHeads(encoder).flat().length;
      expect(textMacs(encoder, 1)).toBe(encoder.cost.macs + products);
      const projection = 8 * 6;
      expect(textMacs(encoder, 9) - projection).toBe(9 * (encoder.cost.macs - projection) + 81 * products);
      for (const tokens of [0, -3, Number.NaN]) expect(() => textMacs(encoder, tokens)).toThrow(ConfigError);
    }
  });
});

describe("leastImportantHeads", () => {
  const of = (...layers: number[][]): HeadImportance[] =>
    layers.flatMap((heads, layer) => heads.map((importance, head) => ({ layer, head, importance })));

  test("compares heads by their share in their layer's norm, and leaves each layer one", () => {
    // The second layer's are all larger, but its second head is the smallest share of all.
    const importance = of([0.3, 0.4, 0.35], [30, 1, 30]);
    expect(leastImportantHeads(importance, 0)).toEqual([[], []]);
    expect(leastImportantHeads(importance, 1)).toEqual([[], [1]]);
    expect(leastImportantHeads(importance, 3)).toEqual([[0, 2], [1]]);
    expect(leastImportantHeads(importance, 4)).toEqual([
      [0, 2],
      [0, 1],
    ]);
    expect(() => leastImportantHeads(importance, 5)).toThrow(/at most 4/);
    expect(leastImportantHeads(of([0, 0]), 1)).toEqual([[0]]);
  });
});

describe("pruneHeads", () => {
  test("computes what the whole model does when the heads give 0, for less", async () => {
    const encoders = [
      await bertEncoder(await smallBert(), { width: 6 }),
      await bertEncoder(await smallBert(), { width: 6, trainableLayers: 1 }),
      scratch(),
      scratch("rotary"),
    ];
    for (const encoder of encoders) {
      const slim = pruneHeads(encoder, [[1], [0]]);
      const silenced = {
        ...batch(),
        headMasks: masks(2, [
          [1, 0],
          [0, 1],
        ]),
      };
      expectClose(encoded(slim, batch()), encoded(encoder, silenced), { absolute: 2e-6 });
      expect(encoded(slim, batch())).not.toEqual(encoded(encoder, batch()));
      // Queries, keys, values and merging: 4 matrices of 8 x 4 less in each layer, and 3 biases of 4.
      expect(encoder.cost.macs - slim.cost.macs).toBe(2 * 4 * 32);
      expect(encoder.cost.parameters - slim.cost.parameters).toBe(2 * (4 * 32 + 3 * 4));
      expect(pruneHeads(slim, [[1]]).cost).toEqual(slim.cost);
      expect(slim.parameters.map(({ name }) => name)).toEqual(encoder.parameters.map(({ name }) => name));
    }
  });

  test.each([
    ["BERT", async () => bertEncoder(await smallBert(), { width: 6 })],
    ["Transformer from scratch", async () => scratch()],
  ])("a %s is trained, gated, compacted, saved and loaded as any other", async (_, make) => {
    const slim = pruneHeads(await make(), [[], [1]]);
    const model = new GatedClassifier<TextBatch>({ encoder: slim, classes: 2 });
    const { grads } = tf.variableGrads(() => tf.sum(model.logits(batch())) as tf.Scalar);
    expect(Object.keys(grads).length).toBeGreaterThanOrEqual(slim.parameters.length);
    model.gate?.setFixed(Float32Array.of(1, 0, 0.5, 0, 0, 1));
    const files = memoryFiles();
    await save(model, files);
    const loaded = await load<TextBatch>(files);
    expect(loaded.logits(batch()).dataSync()).toEqual(model.logits(batch()).dataSync());
    const small = compact(loaded);
    expect(small.width).toBe(3);
    expectClose(small.logits(batch()).dataSync(), model.logits(batch()).dataSync(), { absolute: 1e-6 });
  });

  test("is written as Hugging Face has it, and read again", async () => {
    const original = await smallBert();
    for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
      await original.write(name, new TextEncoder().encode("{}"));
    }
    const slim = pruneHeads(await bertEncoder(original, { width: 6 }), [[], [0]]);
    const files = memoryFiles();
    await saveBert(slim, original, files);
    const config = JSON.parse(new TextDecoder().decode(await files.read("config.json")));
    expect(config).toMatchObject({ num_attention_heads: 2, pruned_heads: { "1": [0] } });
    const { tensors } = decodeSafetensors((await files.read("model.safetensors")) ?? new Uint8Array());
    expect(tensors.get("encoder.layer.1.attention.self.query.weight")?.shape).toEqual([4, 8]);
    expect(tensors.get("encoder.layer.1.attention.output.dense.weight")?.shape).toEqual([8, 4]);
    const again = await bertEncoder(files, { width: 6 });
    expect(encoded(again, batch())).toEqual(encoded(slim, batch()));
    const prefix = await bertPrefix(files, 2);
    expect(prefix.apply(batch()).shape).toEqual([2, 4, 8]);
    for (const wrong of [{ 2: [0] }, { 0: [0, 1] }, { 0: [2] }, { 0: [1, 1] }, { 0: 1 }, "1"]) {
      const changed = JSON.stringify({ ...config, pruned_heads: wrong });
      await files.write("config.json", new TextEncoder().encode(changed));
      await expect(bertEncoder(files)).rejects.toThrow(FormatError);
      await expect(bertEncoder(files)).rejects.toThrow(/pruned_heads/);
    }
  });

  test("refuses heads that are not there, and to leave a layer none", async () => {
    for (const encoder of [await bertEncoder(await smallBert(), { width: 6 }), scratch()]) {
      for (const heads of [[[2]], [[0.5]], [[], [0, 1]], [[], [], [0]]]) {
        expect(() => pruneHeads(encoder, heads)).toThrow(ConfigError);
      }
      expect(() => pruneHeads(pruneHeads(encoder, [[0]]), [[1]])).toThrow(/layer 0.*not all/s);
      expect(await countTensors(() => pruneHeads(encoder, [[0]]).dispose())).toBe(0);
    }
  });
});
