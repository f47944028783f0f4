import {
  ConfigError,
  compact,
  DataError,
  type Dataset,
  type Encoder,
  EVALUATION,
  GatedClassifier,
  load,
  memoryFiles,
  predict,
  Random,
  rebuildEncoder,
  ShapeError,
  save,
  useBackend,
} from "@l0gm/core";
import { countTensors, expectClose, expectNoLeak, finiteDifferences } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import type { GraphBatch, SampledBatch, WholeGraphBatch } from "./batch.ts";
import { Csr } from "./csr.ts";
import { gatEncoder } from "./gat-encoder.ts";
import { gcnEncoder } from "./gcn-encoder.ts";
import type { NodeGraph } from "./graph.ts";
import type { GraphEncoderOptions } from "./graph-trunk.ts";
import { inferAllNodes } from "./inference.ts";
import { sageEncoder } from "./sage-encoder.ts";
import { wholeGraphDataset } from "./whole-graph-dataset.ts";

await useBackend("cpu");
afterEach(async () => {
  await useBackend("cpu");
});

const NODES = 60;
const FEATURES = 5;

/** A few nodes with many edges, some with none. */
function randomGraph({ weighted = false, seed = 1 } = {}): NodeGraph {
  const random = Random.from(seed);
  const edges = 150;
  const node = (): number => Math.floor((NODES - 4) * random.next() ** 2);
  const [from, to] = [Array.from({ length: edges }, node), Array.from({ length: edges }, node)];
  const weights = random.uniforms(edges, 0.5, 1.5);
  return {
    csr: Csr.fromEdges(from, to, { nodes: NODES, undirected: true, ...(weighted ? { weights } : {}) }),
    features: random.normals(NODES * FEATURES),
    columns: FEATURES,
    labels: Int32Array.from({ length: NODES }, (_, i) => i % 3),
    classes: ["a", "b", "c"],
  };
}

const graph = randomGraph();
const all = Int32Array.from({ length: NODES }, (_, i) => i);
const some = Int32Array.of(3, 0, 17, 59, 22);
const whole = (nodes: Int32Array, of = graph): WholeGraphBatch => ({ kind: "whole", graph: of, nodes, pass: {} });
const training = (step = 0) => ({ training: true, random: Random.from(0, "dropout", step) });

/** The whole graph as one block a layer: what the batches that are made of it are compared with. */
const asBlocks = (layers: number, of = graph): SampledBatch => ({
  kind: "sampled",
  blocks: Array.from({ length: layers }, () => of.csr),
  features: tf.tensor2d(of.features, [NODES, FEATURES]),
});

type Options = Partial<GraphEncoderOptions>;
const small = { features: FEATURES, hidden: 8, width: 6, dropout: 0 };
const encoders: [string, (options?: Options) => Encoder<GraphBatch>][] = [
  ["sage", (options = {}) => sageEncoder({ ...small, ...options })],
  ["sage, sum", (options = {}) => sageEncoder({ ...small, aggregate: "sum", ...options })],
  ["gcn", (options = {}) => gcnEncoder({ ...small, ...options })],
  ["gat", (options = {}) => gatEncoder({ ...small, heads: 2, ...options })],
];

function rowsOf(values: ArrayLike<number>, nodes: Int32Array, width: number): number[] {
  return [...nodes].flatMap((node) => Array.from({ length: width }, (_, j) => values[node * width + j] ?? Number.NaN));
}

describe.each(encoders)("%s", (_, make) => {
  test.each([
    ["cpu", {}],
    ["wasm", {}],
    ["cpu", { layers: 3, residual: true, normalisation: "none" }],
    ["wasm", { layers: 3, residual: true }],
    ["wasm", { layers: 1, hidden: 4 }],
  ] as const)("says the same of nodes in every kind of batch, on %s with %o", async (backend, options) => {
    await useBackend(backend);
    for (const of of [graph, randomGraph({ weighted: true, seed: 2 })]) {
      const encoder = make(options);
      const { layers = 2 } = options as Options;
      const expected = await encoder.encode(asBlocks(layers, of), EVALUATION).data();
      const close = { absolute: 1e-4, relative: 1e-4 };
      expectClose(await encoder.encode(whole(some, of), training()).data(), rowsOf(expected, some, 6), close);
      expectClose(await encoder.encode(whole(all, of), training()).data(), expected, close);
      expectClose(await encoder.encode(whole(some, of), EVALUATION).data(), rowsOf(expected, some, 6), close);
      for (const chunk of [1, 100, 1e6]) expectClose(await inferAllNodes(encoder, of, { chunk }), expected, close);
      encoder.dispose();
    }
  });

  test("gives on the WebAssembly kernels what plain operations give, gradients and dropout included", async () => {
    for (const make2 of [() => asBlocks(2), () => whole(some)]) {
      const run = async (backend: "cpu" | "wasm"): Promise<Float32Array[]> => {
        await useBackend(backend);
        const encoder = make({ dropout: 0.3, featureDropout: 0.2, seed: 3 });
        const batch = make2();
        const loss = (): tf.Scalar => tf.sum(tf.square(encoder.encode(batch, training(5))));
        const { value, grads } = tf.variableGrads(loss, [...encoder.parameters.map(({ variable }) => variable)]);
        const all = [value, ...encoder.parameters.map(({ variable }) => grads[variable.name] ?? tf.scalar(Number.NaN))];
        return Promise.all(all.map((tensor) => tensor.data<"float32">()));
      };
      const [plain, fused] = [await run("cpu"), await run("wasm")];
      fused.forEach((values, i) => {
        expectClose(values, plain[i] ?? [], { absolute: 2e-3, relative: 2e-3 });
      });
    }
  });

  test.each(["cpu", "wasm"] as const)("has the gradients of finite differences, on %s", async (backend) => {
    await useBackend(backend);
    const encoder = make({ hidden: 4, width: 3, normalisation: "none" });
    // Few nodes, because every ReLU is a kink that a difference may meet.
    const csr = Csr.fromEdges([0, 1, 2, 3, 4, 0, 6], [1, 2, 0, 4, 5, 5, 1], { nodes: 8, undirected: true });
    const tiny = { ...graph, csr, features: graph.features.subarray(0, 8 * FEATURES) };
    const batch = whole(Int32Array.of(5, 2, 7, 1), tiny);
    const outputs = Random.from(6).normals(batch.nodes.length * 3);
    const run = (): tf.Tensor2D => encoder.encode(batch, training());
    const { grads } = tf.variableGrads(
      (): tf.Scalar => tf.sum(tf.mul(run(), tf.tensor2d(outputs, [batch.nodes.length, 3]))),
    );
    for (const { name, variable } of encoder.parameters) {
      const start = tf.clone(variable);
      const at = (x: tf.Tensor): tf.Tensor => {
        variable.assign(x);
        return run();
      };
      // Small steps, because kinks of ReLU are no fault of the gradient.
      const expected = await finiteDifferences(at, start, { epsilon: 2e-3, weights: outputs });
      variable.assign(start);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      const actual = await (grads[variable.name] ?? tf.scalar(Number.NaN)).data();
      expectClose(actual, expected, { absolute: 1e-3 * largest }, name);
    }
  });

  test("leaves no tensors behind, trained, evaluated or disposed", async () => {
    const encoder = make({ dropout: 0.5 });
    const batch = whole(some);
    await expectNoLeak((step) => {
      const { value, grads } = tf.variableGrads(() => tf.sum(encoder.encode(batch, training(step))) as tf.Scalar);
      tf.dispose([value, grads]);
      encoder.encode(whole(some), EVALUATION).dispose();
    }, 5);
    await expectNoLeak(() => inferAllNodes(encoder, graph, { chunk: 30 }), 2);
    encoder.dispose();
    const left = await countTensors(() => {
      const made = make();
      made.narrow?.([0])?.dispose();
      made.dispose();
    });
    expect(left).toBe(0);
  });

  test("compacts to a model of the same logits", async () => {
    const model = new GatedClassifier({ encoder: make(), classes: 3, seed: 1 });
    await model.gate?.freeze([1, 4]);
    const compacted = compact(model);
    expect(compacted.width).toBe(2);
    for (const batch of [whole(some), asBlocks(2)]) {
      expectClose(await compacted.logits(batch).data(), await model.logits(batch).data(), { absolute: 1e-5 });
    }
    expectClose(await inferAllNodes(compacted, graph), await inferAllNodes(model, graph), { absolute: 1e-5 });
  });

  test("is saved and loaded", async () => {
    const model = new GatedClassifier({ encoder: make({ seed: 4 }), classes: 3, seed: 2 });
    const files = memoryFiles();
    await save(model, files);
    const loaded = await load<GraphBatch>(files);
    expect(await inferAllNodes(loaded, graph)).toEqual(await inferAllNodes(model, graph));
    const description = JSON.parse(JSON.stringify(model.encoder.describe?.()));
    expect(rebuildEncoder(description).cost).toEqual(model.encoder.cost);
  });

  test("refuses batches and options that do not fit", async () => {
    const encoder = make();
    const other = { ...graph, columns: 4 };
    expect(() => encoder.encode(whole(some, other), EVALUATION)).toThrow(ShapeError);
    expect(() => encoder.encode(whole(Int32Array.of(NODES)), EVALUATION)).toThrow(DataError);
    expect(() => encoder.encode(asBlocks(1), EVALUATION)).toThrow(/2 blocks/);
    expect(() => encoder.encode({ ...asBlocks(2), features: tf.ones([NODES, 4]) }, EVALUATION)).toThrow(ShapeError);
    expect(() => encoder.encode({ ...asBlocks(2), features: tf.ones([4, FEATURES]) }, EVALUATION)).toThrow(ShapeError);
    await expect(inferAllNodes(encoder, graph, { chunk: 0 })).rejects.toThrow(ConfigError);
    const refused = (): void => {
      for (const options of [
        { hidden: 0 },
        { layers: 0 },
        { dropout: 1 },
        { featureDropout: -1 },
        { normalisation: "batch" as "none" },
      ]) {
        expect(() => make(options)).toThrow(ConfigError);
      }
    };
    expect(await countTensors(refused)).toBe(0);
  });
});

describe("wholeGraphDataset", () => {
  const nodes = Int32Array.of(5, 2, 40, 8);

  async function collect(data: Dataset<WholeGraphBatch>, size: number, shuffle?: Random) {
    const out: { nodes: number[]; labels: number[]; pass: object }[] = [];
    for await (const { inputs, labels } of data.batches(size, shuffle)) {
      out.push({ nodes: [...inputs.nodes], labels: [...labels], pass: inputs.pass });
    }
    return out;
  }

  test("yields its nodes in order, or shuffled, with their labels", async () => {
    const data = wholeGraphDataset(graph, nodes);
    expect([data.rows, data.classes]).toEqual([4, 3]);
    const batches = await collect(data, 3);
    expect(batches.map((batch) => batch.nodes)).toEqual([[5, 2, 40], [8]]);
    expect(batches.map((batch) => batch.labels)).toEqual([[2, 2, 1], [2]]);
    expect(batches[0]?.pass).toBe(batches[1]?.pass);
    expect((await collect(data, 3))[0]?.pass).not.toBe(batches[0]?.pass);
    const shuffled = await collect(data, 2, Random.from(4));
    expect(shuffled.flatMap((batch) => batch.nodes).sort((a, b) => a - b)).toEqual([2, 5, 8, 40]);
    expect(shuffled.every((batch) => batch.nodes.every((node, i) => batch.labels[i] === node % 3))).toBe(true);
  });

  test.each([
    ["few", nodes],
    ["most", Random.from(5).permutation(NODES).subarray(3)],
  ])("%s nodes are predicted as all are, whatever the batch size", async (_, chosen) => {
    const model = new GatedClassifier<GraphBatch>({ encoder: sageEncoder(small), classes: 3 });
    const expected = rowsOf(await inferAllNodes(model, graph), chosen, 3);
    for (const batchSize of [1, 3, 100]) {
      const { logits, labels } = await predict(model, wholeGraphDataset(graph, chosen), { batchSize });
      expectClose(logits, expected, { absolute: 1e-5 });
      expect([...labels]).toEqual(Array.from(chosen, (node) => node % 3));
    }
  });

  test("a batch that is asked for twice is computed anew, as are those of another pass", () => {
    const encoder = sageEncoder(small);
    const values = (batch: WholeGraphBatch): string => String(encoder.encode(batch, EVALUATION).dataSync());
    const passOf = (): WholeGraphBatch[] => {
      const pass = {};
      return [nodes.subarray(0, 2), nodes.subarray(2)].map((part) => ({ ...whole(part), pass }));
    };
    const [first, second] = passOf() as [WholeGraphBatch, WholeGraphBatch];
    const before = values(first);
    for (const { variable } of encoder.parameters) variable.assign(tf.mul(variable, 2));
    // What the pass shares was computed before the weights changed.
    const shared = values(second);
    expect(values(first)).not.toBe(before);
    expect(values(second)).not.toBe(shared);
    const [again] = passOf() as [WholeGraphBatch];
    expect(values(again)).toBe(values(first));
  });

  test("refuses nodes that are none, twice there, or without a class", () => {
    expect(() => wholeGraphDataset(graph, new Int32Array(0))).toThrow(DataError);
    expect(() => wholeGraphDataset(graph, Int32Array.of(NODES))).toThrow(DataError);
    expect(() => wholeGraphDataset(graph, Int32Array.of(1, 1))).toThrow(/1 twice/);
    expect(() => wholeGraphDataset({ ...graph, classes: ["a", "b"] }, Int32Array.of(2))).toThrow(DataError);
    expect(() => [...(wholeGraphDataset(graph, nodes).batches(0) as Iterable<unknown>)]).toThrow(ConfigError);
  });
});

test("inference tells how far it is", async () => {
  const seen: number[] = [];
  const total = 2 * graph.csr.entries;
  await inferAllNodes(sageEncoder(small), graph, {
    chunk: 50,
    onProgress: (progress) => {
      expect(progress.total).toBe(total);
      seen.push(progress.done);
    },
  });
  expect(seen.length).toBeGreaterThan(4);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(total);
});

test("costs count the products of a node", () => {
  expect(sageEncoder(small).cost.macs).toBe(2 * (5 + 8) * 8 + 8 * 6);
  expect(gcnEncoder(small).cost.macs).toBe((5 + 8) * 8 + 8 * 6);
  expect(gatEncoder({ ...small, heads: 2 }).cost.macs).toBe((5 + 8) * 8 + 2 * 2 * 8 + 8 * 6);
  expect(() => gatEncoder({ ...small, heads: 3 })).toThrow(ConfigError);
});
