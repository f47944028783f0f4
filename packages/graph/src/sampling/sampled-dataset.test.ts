import { ConfigError, DataError, Random, useBackend } from "@l0gm/core";
import { expectNoLeak } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { Csr } from "../csr.ts";
import type { NodeGraph } from "../graph.ts";
import { type SampledDatasetOptions, sampledDataset } from "./sampled-dataset.ts";

beforeAll(() => useBackend("cpu"));

const nodes = 500;
const random = Random.from(1, "graph");
const ends = (): Int32Array => Int32Array.from({ length: 6000 }, () => random.integer(nodes));
const graph: NodeGraph = {
  csr: Csr.fromEdges(ends(), ends(), { nodes, undirected: true }),
  features: Float32Array.from({ length: 2 * nodes }, (_, i) => i),
  columns: 2,
  labels: Int32Array.from({ length: nodes }, (_, i) => i % 3),
  classes: ["a", "b", "c"],
};
const ids = Int32Array.from({ length: 110 }, (_, i) => 4 * i + 1);

interface Seen {
  readonly nodes: number[];
  readonly edges: string[];
  readonly labels: number[];
}

/** What a pass gives, by the graph's ids, which the features tell. */
async function pass(options: Partial<SampledDatasetOptions> = {}, shuffle?: Random): Promise<Seen[]> {
  const seen: Seen[] = [];
  const dataset = sampledDataset(graph, ids, { fanOut: [3, 2], ...options });
  for await (const { inputs, labels } of dataset.batches(40, shuffle)) {
    const rows = (await inputs.features.array()).map(([first = 0, second = 0]) => {
      expect(second).toBe(first + 1);
      return first / 2;
    });
    expect(inputs.kind).toBe("sampled");
    expect(inputs.blocks.at(-1)?.rows).toBe(labels.length);
    const edges = inputs.blocks.flatMap((block, layer) =>
      Array.from({ length: block.rows }, (_, row) =>
        Array.from(block.neighborsOf(row), (column) => `${layer}: ${rows[column]} to ${rows[row]}`),
      ).flat(),
    );
    seen.push({ nodes: rows.slice(0, labels.length), edges, labels: [...labels] });
  }
  return seen;
}

describe("sampledDataset", () => {
  test("gives the nodes in their order, with their labels, and the same samples every time", async () => {
    const dataset = sampledDataset(graph, ids, { fanOut: [3] });
    expect(dataset).toMatchObject({ rows: 110, classes: 3 });
    const [first, second] = [await pass(), await pass()];
    expect(first).toEqual(second);
    expect(first.map(({ labels }) => labels.length)).toEqual([40, 40, 30]);
    expect(first.flatMap((batch) => batch.nodes)).toEqual([...ids]);
    for (const batch of first) expect(batch.labels).toEqual(batch.nodes.map((node) => node % 3));
    expect((await pass({ seed: 1 }))[0]?.edges).not.toEqual(first[0]?.edges);
  });

  test("draws order and samples from the shuffle, the same for any number of workers", async () => {
    const epoch = (number: number, workers: number): Promise<Seen[]> =>
      pass({ workers, dropEdge: 0.3 }, Random.from(0, "shuffle", number));
    const [first, again, other] = [await epoch(1, 0), await epoch(1, 2), await epoch(2, 0)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const order = first.flatMap((batch) => batch.nodes);
    expect(order).not.toEqual([...ids]);
    expect(order.toSorted((a, b) => a - b)).toEqual([...ids]);
    for (const batch of first) expect(batch.labels).toEqual(batch.nodes.map((node) => node % 3));
  });

  test("samples anew for the same node in the same place of another epoch", async () => {
    const one = sampledDataset(graph, [7], { fanOut: [2] });
    const seen = new Set<string>();
    for (let epoch = 0; epoch < 20; epoch++) {
      for await (const { inputs } of one.batches(1, Random.from(0, "shuffle", epoch))) {
        seen.add(String(await inputs.features.array()));
      }
    }
    expect(seen.size).toBeGreaterThan(10);
  });

  test("does without some edges in training, in both directions, and with all in evaluation", async () => {
    const edgesOf = async (shuffle?: Random): Promise<Set<string>> => {
      const all = await pass({ fanOut: [-1, -1, -1], dropEdge: 0.5 }, shuffle);
      return new Set(all.flatMap(({ edges }) => edges.filter((edge) => edge.startsWith("0: "))));
    };
    const [evaluation, whole] = [await edgesOf(), graph.csr.entries];
    expect(evaluation.size).toBe(whole);
    const training = await edgesOf(Random.from(0, "shuffle", 1));
    expect(training.size / whole).toBeGreaterThan(0.45);
    expect(training.size / whole).toBeLessThan(0.55);
    for (const edge of training) {
      const [, from, to] = /0: (\d+) to (\d+)/.exec(edge) ?? [];
      expect(training).toContain(`0: ${to} to ${from}`);
    }
    expect(await edgesOf(Random.from(0, "shuffle", 2))).not.toEqual(training);
  });

  test.each([0, 1])("disposes every batch, also when the loop is left or throws, with %i workers", async (workers) => {
    const dataset = sampledDataset(graph, ids, { fanOut: [2], workers });
    const before = tf.memory().numTensors;
    for await (const { inputs } of dataset.batches(30)) {
      expect(tf.memory().numTensors).toBe(before + 1);
      if (inputs.blocks[0]?.rows === 20) break;
    }
    expect(tf.memory().numTensors).toBe(before);
    const failing = async (): Promise<void> => {
      for await (const _ of dataset.batches(30)) throw new Error("mine");
    };
    await expect(failing()).rejects.toThrow("mine");
    await expectNoLeak(() => failing().catch(() => {}), 3);
  });

  test("keeps memory flat over many epochs, with and without workers", async () => {
    const bytes = new Float32Array(1000 * 100);
    const large: NodeGraph = { ...graph, features: bytes.subarray(0, nodes * 100), columns: 100 };
    for (const workers of [0, 1]) {
      const dataset = sampledDataset(large, ids, { fanOut: [5, 5], workers, dropEdge: 0.2 });
      const run = async (epochs: number): Promise<number> => {
        for (let epoch = 0; epoch < epochs; epoch++) {
          for await (const _ of dataset.batches(20, Random.from(0, "shuffle", epoch)));
        }
        return process.memoryUsage.rss();
      };
      const tensors = tf.memory().numTensors;
      const before = await run(30);
      const after = await run(workers === 0 ? 400 : 100);
      // Each epoch makes over a megabyte.
      expect((after - before) / 2 ** 20).toBeLessThan(100);
      expect(tf.memory().numTensors).toBe(tensors);
    }
  });

  test("refuses what does not fit, and says why", () => {
    const make =
      (options: object, own: Partial<NodeGraph> = {}, rows: ArrayLike<number> = ids) =>
      () =>
        sampledDataset({ ...graph, ...own }, rows, { fanOut: [2], ...options });
    expect(make({}, {}, [0, 500])).toThrow(/node from 0 to 499.*500/s);
    expect(make({}, {}, [3, 3])).toThrow(/every node once/);
    expect(make({ dropEdge: 1 })).toThrow(ConfigError);
    expect(make({ fanOut: [] })).toThrow(ConfigError);
    expect(make({}, { columns: 3 })).toThrow(DataError);
    expect(make({}, { labels: new Int32Array(3) })).toThrow(/a label for each of the 500 nodes.*3 labels/s);
    expect(make({}, { classes: ["a", "b"] })).toThrow(/node 5: expected labels from 0 to 1, received 2/);
    expect(() => make({})().batches(0)).toThrow(ConfigError);
  });
});
