import { ConfigError, DataError, Random } from "@l0gm/core";
import { checkInteger } from "@l0gm/core/modules";
import type { StreamKeys } from "@l0gm/core/operations";
import { Csr, type NodeIds, TRUSTED } from "../csr.ts";
import { shared, sharedCsr } from "../shared-arrays.ts";
import type { BlockDrawer } from "./block-drawer.ts";
import { answersOfCrew } from "./crew.ts";
import { type Answer, answer, type Job, makeDrawer, type NodeTable, type Task } from "./job.ts";

/** Options of {@link NeighborSampler}. */
export interface NeighborSamplerOptions {
  /**
   * How many neighbours of a node are drawn in each layer, the layer next to the batch's own nodes first, as on the OGB leaderboard:
   * `[15, 10, 5]` draws 15 neighbours of each node of the batch. -1 takes all.
   */
  readonly fanOut: readonly number[];
  /** Of all draws. */
  readonly seed: number;
  /**
   * Threads that sample ahead of the loop over `batches`, in Node; 0 samples on the thread of the caller, and so does a browser always.
   * They read the graph and its features from shared memory: arrays that are not in a SharedArrayBuffer are copied to one, once, which
   * takes their size again. Each thread has 4 bytes of its own for each node. The batches are the same for any number of threads.
   * @defaultValue 0
   */
  readonly workers?: number;
  /** Batches that may be begun and not yet taken; each holds its blocks, and its features. @defaultValue `workers` + 1 */
  readonly prefetch?: number;
}

/** Where a batch stands in a run: the address of its random numbers. */
export interface BatchPlace {
  /** @defaultValue 0 */
  readonly epoch?: number;
  /** @defaultValue 0 */
  readonly batch?: number;
}

/** Options of {@link NeighborSampler.batches}. */
export interface SampledBatchesOptions {
  /** @defaultValue 0 */
  readonly epoch?: number;
  /** Rows of which every batch brings those of its nodes. */
  readonly features?: NodeTable;
}

/** The sampled neighbourhood of a batch of nodes, in host memory. */
export interface SampledNodes {
  /**
   * One a layer, from the features to the output: the rows of one are the columns of the next, and the last one's rows are the nodes of
   * the batch. In every block the first `rows` columns are the rows themselves.
   */
  readonly blocks: readonly Csr[];
  /** Ids in the graph of the columns of the first block; of any other block, the first `columns` of these. */
  readonly nodes: Int32Array;
  /** Row-major, a row for each of `nodes`, where they were asked for. */
  readonly features?: Float32Array;
}

/** Graphs that have been looked through. */
const simple = new WeakSet<Csr>();

/**
 * Samples neighbourhoods for training a graph network on batches of nodes (Hamilton et al. 2017): in each layer every node that is there
 * so far draws some of its neighbours, without replacement, every set of them equally likely.
 *
 * What is drawn depends on the seed, the epoch, the batch, the layer and the node alone: not on the order of the batches, not on
 * threads.
 *
 * @example
 * ```ts
 * const star = Csr.fromEdges([1, 2, 3, 4], [0, 0, 0, 0], { nodes: 5 });
 * const sampler = new NeighborSampler(star, { fanOut: [2], seed: 7 });
 * const { blocks, nodes } = sampler.sample([0]);
 * console.log(blocks[0]?.rows, blocks[0]?.columns, nodes.length); // 1, 3, 3
 * ```
 */
export class NeighborSampler {
  readonly csr: Csr;
  readonly fanOut: readonly number[];
  readonly seed: number;
  readonly workers: number;
  readonly prefetch: number;
  /** Made when it is needed: its memory goes with the nodes of the graph. */
  #drawer: BlockDrawer | undefined;

  /**
   * @throws ConfigError when an option is out of range
   * @throws DataError when the graph has two kinds of nodes, or a node twice among the neighbours of another
   */
  constructor(csr: Csr, options: NeighborSamplerOptions) {
    checkOptions(options);
    checkGraph(csr);
    this.csr = csr;
    this.fanOut = [...options.fanOut];
    this.seed = options.seed;
    this.workers = options.workers ?? 0;
    this.prefetch = options.prefetch ?? this.workers + 1;
  }

  /**
   * One batch, sampled at once on this thread.
   *
   * @param nodes - those of the batch, each once
   * @throws DataError when a node is not of the graph, or there twice
   */
  sample(nodes: NodeIds, place: BatchPlace = {}): SampledNodes {
    const task = { graph: this.csr, fanOut: this.fanOut };
    return sampledNodes(answer(task, this.#ownDrawer(), this.#job(nodes, place.epoch ?? 0, place.batch ?? 0)));
  }

  /**
   * One batch after the other, sampled ahead in worker threads if there are any. The threads end with the loop.
   *
   * @param groups - the nodes of each batch
   * @throws DataError when a node is not of the graph or twice in a batch, the features have another number of rows, or a thread fails
   */
  async *batches(
    groups: Iterable<NodeIds>,
    { epoch = 0, features }: SampledBatchesOptions = {},
  ): AsyncGenerator<SampledNodes, void, undefined> {
    if (features !== undefined) checkFeatures(features, this.csr.rows);
    const jobs = this.#jobs(groups, epoch);
    for await (const drawn of this.workers === 0 ? this.#answers(jobs, features) : this.#crew(jobs, features)) {
      yield sampledNodes(drawn);
    }
  }

  *#answers(jobs: Iterable<Job>, features: NodeTable | undefined): Generator<Answer, void, undefined> {
    const task: Task = { graph: this.csr, fanOut: this.fanOut, ...(features && { features }) };
    for (const job of jobs) yield answer(task, this.#ownDrawer(), job);
  }

  #crew(jobs: Iterable<Job>, features: NodeTable | undefined): AsyncGenerator<Answer, void, undefined> {
    const { csr, fanOut, workers, prefetch } = this;
    const table = features && { columns: features.columns, values: shared(features.values) };
    const { rows, columns, offsets, neighbors, weights } = sharedCsr(csr);
    const graph = { rows, columns, offsets, neighbors, ...(weights && { weights }) };
    return answersOfCrew({ graph, fanOut, ...(table && { features: table }) }, jobs, {
      workers,
      prefetch,
    });
  }

  *#jobs(groups: Iterable<NodeIds>, epoch: number): Generator<Job, void, undefined> {
    let batch = 0;
    for (const nodes of groups) yield this.#job(nodes, epoch, batch++);
  }

  #job(nodes: NodeIds, epoch: number, batch: number): Job {
    // A copy, which a worker takes over.
    const seeds = checkedNodes("NeighborSampler", nodes, this.csr.rows);
    const keys = this.fanOut.map((_, layer): StreamKeys => {
      const { low, high } = Random.from(this.seed, "neighbors", epoch, batch, layer).take(1);
      return { low, high };
    });
    return { seeds, keys };
  }

  #ownDrawer(): BlockDrawer {
    this.#drawer ??= makeDrawer({ graph: this.csr, fanOut: this.fanOut });
    return this.#drawer;
  }
}

function sampledNodes({ blocks, nodes, features }: Answer): SampledNodes {
  return { blocks: blocks.map((block) => new Csr(block, TRUSTED)), nodes, ...(features && { features }) };
}

/** @throws DataError that names the first node that is out of range, or there a second time */
export function checkedNodes(where: string, nodes: NodeIds, graphNodes: number): Int32Array {
  const ids = new Int32Array(nodes.length);
  const seen = new Set<number>();
  for (let i = 0; i < ids.length; i++) {
    const id = nodes[i];
    if (id === undefined || !Number.isInteger(id) || id < 0 || id >= graphNodes) {
      const expected = `a node from 0 to ${graphNodes - 1}`;
      throw new DataError({ where: `${where}, node ${i} of the batch`, expected, received: id });
    }
    if (seen.has(id)) {
      throw new DataError({ where: `${where}, node ${i} of the batch`, expected: "every node once", received: id });
    }
    seen.add(id);
    ids[i] = id;
  }
  return ids;
}

function checkOptions({ fanOut, seed, workers = 0, prefetch = workers + 1 }: NeighborSamplerOptions): void {
  const where = "NeighborSampler";
  const isCount = (n: number): boolean => n === -1 || (Number.isSafeInteger(n) && n >= 1);
  if (fanOut.length === 0 || !fanOut.every(isCount)) {
    const expected = "a fan-out of at least one layer, each an integer of at least 1, or -1 for all";
    throw new ConfigError({ where, expected, received: JSON.stringify(fanOut) });
  }
  checkInteger(where, "workers", workers, 0);
  checkInteger(where, "prefetch", prefetch);
  // Refuses what is no seed.
  Random.from(seed);
}

/** Both hold of what `Csr.fromEdges` gives unless it is told to keep duplicates. */
function checkGraph(csr: Csr): void {
  const where = "NeighborSampler";
  if (simple.has(csr)) return;
  const { rows, columns, offsets, neighbors } = csr;
  if (rows !== columns) {
    const expected = "a graph whose rows and columns are the same nodes";
    throw new DataError({ where, expected, received: `${rows} rows and ${columns} columns` });
  }
  for (let row = 0; row < rows; row++) {
    const end = offsets[row + 1] as number;
    for (let e = (offsets[row] as number) + 1; e < end; e++) {
      if (neighbors[e] === neighbors[e - 1]) {
        const expected = "every neighbour of a node once";
        const hint = "Merge repeated edges, as Csr.fromEdges does by default.";
        throw new DataError({ where: `${where}, row ${row}`, expected, received: `${neighbors[e]} again`, hint });
      }
    }
  }
  simple.add(csr);
}

function checkFeatures({ values, columns }: NodeTable, nodes: number): void {
  if (values.length !== nodes * columns) {
    const expected = `features of ${nodes} nodes, ${columns} each`;
    throw new DataError({ where: "NeighborSampler.batches", expected, received: `${values.length} numbers` });
  }
}
