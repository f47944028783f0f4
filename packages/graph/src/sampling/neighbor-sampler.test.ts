import { ConfigError, DataError, Random } from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edgeWeight, graphs } from "../../test/graphs.ts";
import { Csr } from "../csr.ts";
import { BlockDrawer } from "./block-drawer.ts";
import { NeighborSampler, type SampledNodes } from "./neighbor-sampler.ts";

/** Node 0 receives from `degree` others, which receive from nobody. */
function star(degree: number): Csr {
  const leaves = Array.from({ length: degree }, (_, i) => i + 1);
  return Csr.fromEdges(
    leaves,
    leaves.map(() => 0),
    { nodes: degree + 1 },
  );
}

function randomGraph(nodes: number, edges: number, seed = 1): Csr {
  const random = Random.from(seed, "graph");
  const ends = (): Int32Array => Int32Array.from({ length: edges }, () => Math.floor(nodes * random.next() ** 2));
  return Csr.fromEdges(ends(), ends(), { nodes, undirected: true });
}

/** The graph's ids of what row `row` of a block draws. */
function drawn({ blocks, nodes }: SampledNodes, block: number, row: number): number[] {
  return Array.from(blocks[block]?.neighborsOf(row) ?? [], (column) => nodes[column] ?? -1);
}

const cases = graphs.chain((csr) =>
  fc.record({
    csr: fc.constant(csr),
    nodes: fc.uniqueArray(fc.nat(csr.rows - 1), { maxLength: 12 }),
    fanOut: fc.array(fc.oneof(fc.constant(-1), fc.integer({ min: 1, max: 8 })), { minLength: 1, maxLength: 3 }),
    seed: fc.nat(),
  }),
);

describe("blocks", () => {
  test("are a graph's own edges, as many as the fan-out wants and the node has, each once, columns ascending", () => {
    fc.assert(
      fc.property(cases, ({ csr, nodes, fanOut, seed }) => {
        const sampled = new NeighborSampler(csr, { fanOut, seed }).sample(nodes);
        const { blocks } = sampled;
        expect(blocks.length).toBe(fanOut.length);
        expect(new Set(sampled.nodes).size).toBe(sampled.nodes.length);
        expect([...sampled.nodes.subarray(0, nodes.length)]).toEqual(nodes);
        expect(blocks.at(-1)?.rows).toBe(nodes.length);
        expect(blocks[0]?.columns).toBe(sampled.nodes.length);
        for (const [b, block] of blocks.entries()) {
          // What the constructor would check had it not been told to trust.
          new Csr({ ...block });
          if (b > 0) expect(block.columns).toBe(blocks[b - 1]?.rows);
          expect(block.columns).toBeGreaterThanOrEqual(block.rows);
          const reached = new Set(Array.from({ length: block.rows }, (_, row) => row));
          const most = fanOut[blocks.length - 1 - b] ?? 0;
          for (let row = 0; row < block.rows; row++) {
            const node = sampled.nodes[row] ?? -1;
            const own = csr.neighborsOf(node);
            const chosen = drawn(sampled, b, row);
            expect(chosen.length).toBe(most === -1 ? own.length : Math.min(most, own.length));
            expect(new Set(chosen).size).toBe(chosen.length);
            for (const neighbor of chosen) expect(own).toContain(neighbor);
            for (const column of block.neighborsOf(row)) reached.add(column);
            const weights = block.weights?.subarray(block.offsets[row], block.offsets[row + 1]);
            expect(weights && [...weights]).toEqual(
              csr.weights && chosen.map((neighbor) => edgeWeight(csr.rows, node, neighbor)),
            );
          }
          // Nobody is there in vain.
          expect(reached.size).toBe(block.columns);
        }
      }),
    );
  });

  test("are right where fan-outs and degrees are large, weighted or not", () => {
    const csr = randomGraph(500, 20_000);
    const weights = Float32Array.from({ length: csr.entries }, (_, i) => i);
    const weighted = new Csr({ ...csr, weights });
    for (const graph of [csr, weighted]) {
      const sampled = new NeighborSampler(graph, { fanOut: [-1, 60, 33], seed: 3 }).sample([1, 400, 7]);
      for (const [b, block] of sampled.blocks.entries()) {
        new Csr({ ...block });
        for (let row = 0; row < block.rows; row++) {
          const node = sampled.nodes[row] ?? -1;
          const chosen = drawn(sampled, b, row);
          const own = [...csr.neighborsOf(node)];
          expect(chosen.length).toBe(Math.min(own.length, [33, 60, Number.POSITIVE_INFINITY][b] ?? 0));
          expect(new Set(chosen).size).toBe(chosen.length);
          const places = chosen.map((neighbor) => own.indexOf(neighbor));
          expect(Math.min(0, ...places)).toBe(0);
          const found = block.weights?.subarray(block.offsets[row], block.offsets[row + 1]);
          expect(found && [...found]).toEqual(
            graph.weights && places.map((place) => graph.weights?.[(csr.offsets[node] ?? 0) + place]),
          );
        }
      }
    }
  });

  test("take a node without neighbours, and a batch without nodes", () => {
    const sampler = new NeighborSampler(Csr.fromEdges([0], [1], { nodes: 3 }), { fanOut: [4, 4], seed: 1 });
    const alone = sampler.sample([2]);
    expect(alone.blocks.map(({ rows, columns, entries }) => [rows, columns, entries])).toEqual([
      [1, 1, 0],
      [1, 1, 0],
    ]);
    expect(sampler.sample([]).nodes.length).toBe(0);
  });

  test("stay right after a batch that failed", () => {
    const { rows, columns, offsets, neighbors } = randomGraph(300, 3000);
    const drawer = new BlockDrawer({ rows, columns, offsets, neighbors }, [3, 2]);
    const keys = [
      { low: 1, high: 2 },
      { low: 3, high: 4 },
    ];
    const seeds = Int32Array.of(7, 8);
    const expected = drawer.draw(seeds, keys);
    // Stops in the second layer, which has no keys.
    expect(() => drawer.draw(Int32Array.of(9, 10), keys.slice(0, 1))).toThrow(TypeError);
    expect(drawer.draw(seeds, keys)).toEqual(expected);
  });

  test("stay right over many batches of one sampler", () => {
    const csr = randomGraph(300, 3000);
    const sampler = new NeighborSampler(csr, { fanOut: [3, 2], seed: 5 });
    const random = Random.from(1, "batches");
    for (let batch = 0; batch < 300; batch++) {
      const nodes = random.permutation(300).subarray(0, 1 + (batch % 40));
      const fresh = new NeighborSampler(csr, { fanOut: [3, 2], seed: 5 });
      expect(sampler.sample(nodes, { batch })).toEqual(fresh.sample(nodes, { batch }));
    }
  });
});

/** The chi-square statistic of counts that should be equal. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Wilson and Hilferty's approximation of the 99.99 % quantile; seeds are fixed, so that a test passes always or never. */
function quantile(freedom: number): number {
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + 3.719 * Math.sqrt(spread)) ** 3;
}

describe("what is drawn", () => {
  test.each([
    [6, 2],
    [6, 3],
    [7, 5],
    [5, 1],
  ])("of %i neighbours, every set of %i is equally likely", (degree, count) => {
    const sampler = new NeighborSampler(star(degree), { fanOut: [count], seed: 11 });
    const counts = new Map<string, number>();
    const draws = 20_000;
    for (let batch = 0; batch < draws; batch++) {
      const key = String(drawn(sampler.sample([0], { batch }), 0, 0).sort((a, b) => a - b));
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    let sets = 1;
    for (let i = 0; i < count; i++) sets = (sets * (degree - i)) / (i + 1);
    expect(counts.size).toBe(sets);
    expect(chiSquare([...counts.values()])).toBeLessThan(quantile(sets - 1));
  });

  test.each([
    [1000, 15],
    [300, 50],
    [40, 39],
  ])("of %i neighbours, each is equally likely among %i", (degree, count) => {
    const sampler = new NeighborSampler(star(degree), { fanOut: [count], seed: 12 });
    const counts = new Array<number>(degree).fill(0);
    const draws = Math.ceil((100 * degree) / count);
    for (let epoch = 0; epoch < draws; epoch++) {
      for (const neighbor of drawn(sampler.sample([0], { epoch }), 0, 0)) {
        counts[neighbor - 1] = (counts[neighbor - 1] ?? 0) + 1;
      }
    }
    // Without replacement the counts of a draw vary less than those of independent draws, by 1 - count / degree.
    expect(chiSquare(counts)).toBeLessThan(quantile(degree - 1) * (1 - count / degree) * 1.1);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  test("by one node tells nothing about another, in the same layer or in another", () => {
    // Two nodes with the same eight neighbours.
    const leaves = Array.from({ length: 8 }, (_, i) => i + 2);
    const csr = Csr.fromEdges([...leaves, ...leaves], [...leaves.map(() => 0), ...leaves.map(() => 1)], { nodes: 10 });
    const sampler = new NeighborSampler(csr, { fanOut: [1, 1], seed: 13 });
    const [nodes, layers] = [new Array<number>(64).fill(0), new Array<number>(64).fill(0)];
    for (let batch = 0; batch < 20_000; batch++) {
      const sampled = sampler.sample([0, 1], { batch });
      const [a = 0, b = 0, c = 0] = [drawn(sampled, 1, 0)[0], drawn(sampled, 1, 1)[0], drawn(sampled, 0, 0)[0]];
      const [pair, other] = [8 * (a - 2) + (b - 2), 8 * (a - 2) + (c - 2)];
      nodes[pair] = (nodes[pair] ?? 0) + 1;
      layers[other] = (layers[other] ?? 0) + 1;
    }
    expect(chiSquare(nodes)).toBeLessThan(quantile(63));
    expect(chiSquare(layers)).toBeLessThan(quantile(63));
  });

  test("depends on the node, its batch and epoch, and on no other node", () => {
    const csr = randomGraph(400, 8000);
    const sampler = new NeighborSampler(csr, { fanOut: [5], seed: 14 });
    const alone = sampler.sample([9], { epoch: 2, batch: 3 });
    const among = sampler.sample([80, 9, 4], { epoch: 2, batch: 3 });
    expect(drawn(among, 0, 1).sort()).toEqual(drawn(alone, 0, 0).sort());
    expect(drawn(sampler.sample([9], { epoch: 2, batch: 4 }), 0, 0)).not.toEqual(drawn(alone, 0, 0));
    expect(drawn(sampler.sample([9], { epoch: 3, batch: 3 }), 0, 0)).not.toEqual(drawn(alone, 0, 0));
    expect(new NeighborSampler(csr, { fanOut: [5], seed: 15 }).sample([9], { epoch: 2, batch: 3 }).nodes).not.toEqual(
      alone.nodes,
    );
  });

  test("is what a plain implementation draws", () => {
    const csr = randomGraph(200, 6000);
    for (const count of [7, 45]) {
      const sampled = new NeighborSampler(csr, { fanOut: [count], seed: 16 }).sample([0], { epoch: 4, batch: 2 });
      // Node 0 draws from the first numbers of the stream.
      const random = Random.from(16, "neighbors", 4, 2, 0);
      const own = csr.neighborsOf(0);
      const taken = new Set<number>();
      for (let last = own.length - count; last < own.length; last++) {
        const place = Math.floor(random.next() * (last + 1));
        taken.add(taken.has(place) ? last : place);
      }
      expect(new Set(drawn(sampled, 0, 0))).toEqual(new Set([...taken].map((place) => own[place])));
    }
  });
});

describe("batches", () => {
  const csr = randomGraph(2000, 20_000);
  const features = { columns: 3, values: Float32Array.from({ length: 6000 }, (_, i) => i / 2) };
  const groups = Array.from({ length: 9 }, (_, i) => Int32Array.from({ length: 50 }, (_, j) => 50 * i + j));

  async function collect(workers: number): Promise<SampledNodes[]> {
    const sampler = new NeighborSampler(csr, { fanOut: [4, 3], seed: 21, workers });
    const all: SampledNodes[] = [];
    for await (const batch of sampler.batches(groups, { epoch: 6, features })) all.push(batch);
    return all;
  }

  test("are the same for any number of workers, and as `sample` gives them", async () => {
    const [none, one, two] = [await collect(0), await collect(1), await collect(2)];
    expect(none.length).toBe(9);
    expect(one).toEqual(none);
    expect(two).toEqual(none);
    const sampler = new NeighborSampler(csr, { fanOut: [4, 3], seed: 21 });
    for (const [batch, { features: rows = [], ...sampled }] of none.entries()) {
      expect(sampled).toEqual(sampler.sample(groups[batch] ?? [], { epoch: 6, batch }));
      const expected = Array.from(sampled.nodes, (node) => [1.5 * node, 1.5 * node + 0.5, 1.5 * node + 1]);
      expect([...rows]).toEqual(expected.flat());
    }
  });

  test.each([0, 2])(
    "with %i workers, come until a group is no batch, whose error comes in its place",
    async (workers) => {
      const sampler = new NeighborSampler(csr, { fanOut: [4], seed: 1, workers });
      let came = 0;
      const pass = async (): Promise<void> => {
        for await (const _ of sampler.batches([[1], [2, 3], [4, 4], [5]])) came++;
      };
      await expect(pass()).rejects.toThrow(/node 1 of the batch.*every node once/s);
      expect(came).toBe(2);
    },
  );

  test.each([1, 15, 16, 40])("bring features of %i columns", async (columns) => {
    const table = { columns, values: Float32Array.from({ length: csr.rows * columns }, (_, i) => i) };
    const sampler = new NeighborSampler(csr, { fanOut: [4], seed: 1 });
    for await (const { nodes, features: rows = [] } of sampler.batches([[3, 1999]], { features: table })) {
      const expected = Array.from(nodes, (node) => Array.from({ length: columns }, (_, j) => node * columns + j));
      expect([...rows]).toEqual(expected.flat());
    }
  });

  test("come of weighted graphs, too", async () => {
    const weights = Float32Array.from({ length: csr.entries }, (_, i) => i);
    const options = { fanOut: [4, -1], seed: 2 };
    const weighted = new Csr({ ...csr, weights });
    const expected = new NeighborSampler(weighted, options).sample([5, 6]);
    for await (const batch of new NeighborSampler(weighted, { ...options, workers: 1 }).batches([[5, 6]])) {
      expect(batch).toEqual(expected);
      expect(batch.blocks[0]?.weights?.length).toBe(batch.blocks[0]?.entries);
    }
  });
});

test("refuses what it cannot sample, and says why", async () => {
  const csr = star(3);
  const make =
    (options: object, graph = csr) =>
    () =>
      new NeighborSampler(graph, { fanOut: [1], seed: 0, ...options });
  expect(make({ fanOut: [] })).toThrow(ConfigError);
  expect(make({ fanOut: [0] })).toThrow(/at least 1, or -1.*\[0\]/s);
  expect(make({ fanOut: [1.5] })).toThrow(ConfigError);
  expect(make({ workers: -1 })).toThrow(/workers/);
  expect(make({ prefetch: 0 })).toThrow(/prefetch/);
  expect(make({ seed: -1 })).toThrow(ConfigError);
  expect(make({}, Csr.fromEdges([0, 0], [1, 1], { nodes: 2, duplicates: "keep" }))).toThrow(/row 1.*0 again/s);
  expect(
    make({}, new Csr({ rows: 1, columns: 2, offsets: Int32Array.of(0, 0), neighbors: new Int32Array(0) })),
  ).toThrow(DataError);
  const sampler = make({})();
  expect(() => sampler.sample([4])).toThrow(/node from 0 to 3.*4/s);
  expect(() => sampler.sample([1, 1])).toThrow(/every node once/);
  const features = { values: new Float32Array(3), columns: 1 };
  await expect(sampler.batches([[0]], { features }).next()).rejects.toThrow(/features of 4 nodes/);
});
