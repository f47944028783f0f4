/**
 * One step of `pnpm bench:graph`, in a process of its own, so that the peak of its memory is its own: `scale-steps.ts TASK`, a task in JSON.
 * The answer is one line of JSON on standard output.
 */

import { readdirSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import {
  type Dataset,
  fit,
  GatedClassifier,
  type LabelledBatch,
  load,
  Random,
  save,
  seedsFrom,
  targetFraction,
  useBackend,
} from "@l0gm/core";
import { directory } from "@l0gm/core/node";
import * as tf from "@tensorflow/tfjs-core";
import {
  type GraphBatch,
  inferAllNodes,
  type LoadedGraph,
  loadOgb,
  type SampledBatch,
  sageEncoder,
  sampledDataset,
  simulateProducts,
  writeOgb,
} from "../src/index.ts";

export const STEPS = ["write", "csv", "cache", "train", "infer"] as const;
export type Step = (typeof STEPS)[number];

/** What a step is asked for. */
export interface Task {
  readonly step: Step;
  readonly scale: number;
  readonly seed: number;
  /** Where the graph, its cache and the model are. */
  readonly folder: string;
  /** With the real labels. */
  readonly labelsFrom?: string;
  /** Of training, at most. */
  readonly batches?: number;
}

/** What a step took; times are those of the work that it is named after. */
export interface Measured extends Time {
  /** Edges that the step went over: those of the file, or those along which messages passed. */
  readonly edges: number;
  /** Of the whole process, loading included. */
  readonly peakBytes: number;
  /** Share of all cores that other processes used meanwhile. */
  readonly others: number;
  /** What else there is to say of it. */
  readonly details: Readonly<Record<string, number | string>>;
}

type Outcome = Omit<Measured, "peakBytes" | "others">;

const FAN_OUT = [15, 10, 5];
const BATCH = 1024;
const HIDDEN = 256;
const WIDTH = 128;
const SPLIT = "sales_ranking";

/** Time that has passed, and what of it this process computed, on all its threads together. */
interface Time {
  readonly seconds: number;
  readonly processorSeconds: number;
}

function clock(): () => Time {
  const begin = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - begin) / 1000, processorSeconds: (user + system) / 1e6 };
  };
}

function busySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + (times.irq + times.nice + times.sys + times.user) / 1000, 0);
}

const cacheOf = (folder: string): string => join(folder, "cache");
const modelOf = (folder: string): string => join(folder, "model");

const steps: Readonly<Record<Step, (task: Task) => Promise<Outcome>>> = {
  async write({ scale, seed, folder, labelsFrom }) {
    const time = clock();
    const { name, graph, split } = await simulateProducts({ scale, seed, ...(labelsFrom && { labelsFrom }) });
    const { seconds: simulation } = time();
    await writeOgb(folder, graph, split, SPLIT);
    const taken = time();
    const degrees = graph.csr.degrees().sort();
    const bytes = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((file) => statSync(join(folder, file)))
      .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
    return {
      ...taken,
      edges: graph.csr.entries / 2,
      details: {
        name,
        nodes: graph.csr.rows,
        trainingNodes: split.train.length,
        medianDegree: degrees[degrees.length >> 1] ?? 0,
        largestDegree: degrees.at(-1) ?? 0,
        simulationSeconds: simulation,
        bytes,
      },
    };
  },

  async csv({ folder }) {
    const time = clock();
    let read = Number.NaN;
    const loaded = await loadOgb(folder, {
      cacheDir: cacheOf(folder),
      onProgress: (step) => {
        if (step === "writing the cache") read = time().seconds;
      },
    });
    const taken = time();
    if (loaded.cached) throw new Error(`${cacheOf(folder)} was there before: remove it to measure the load without it`);
    return { ...taken, edges: loaded.graph.csr.entries / 2, details: { withoutCacheSeconds: read } };
  },

  async cache({ folder }) {
    const time = clock();
    const { graph } = await fromCache(folder, false);
    return { ...time(), edges: graph.csr.entries / 2, details: {} };
  },

  async train({ folder, seed, batches }) {
    const { graph, split } = await fromCache(folder, true);
    const { backend } = await useBackend("auto");
    const encoder = sageEncoder({
      features: graph.columns,
      hidden: HIDDEN,
      layers: FAN_OUT.length,
      width: WIDTH,
      seed,
    });
    const model = new GatedClassifier({ encoder, classes: graph.classes.length, seed });
    const chosen = Random.from(seed, "bench")
      .permutation(split.train.length)
      .subarray(0, batches === undefined ? split.train.length : batches * BATCH);
    const nodes = chosen.map((place) => split.train[place] as number);
    const train = new WatchedEpoch(sampledDataset(graph, nodes, { fanOut: FAN_OUT, workers: 1, seed }));
    const validation = sampledDataset(graph, split.validation.subarray(0, BATCH), { fanOut: FAN_OUT, seed });
    await fit<GraphBatch>(
      model,
      { train, validation },
      {
        // The first learns the gates and is the one that is watched.
        epochs: 2,
        batchSize: BATCH,
        controller: targetFraction({ fraction: 1 / 4 }),
        weights: { learningRate: 3e-3 },
        seeds: seedsFrom(seed),
      },
    );
    await save(model, directory(modelOf(folder)));
    const outcome = train.outcome();
    return { ...outcome, details: { backend, trainingNodes: nodes.length, ...outcome.details } };
  },

  async infer({ folder }) {
    const { graph, split } = await fromCache(folder, false);
    const { backend } = await useBackend("auto");
    const model = await load<GraphBatch>(directory(modelOf(folder)));
    const time = clock();
    const logits = await inferAllNodes(model, graph);
    const taken = time();
    const classes = graph.classes.length;
    const right = split.test.reduce((count, node) => {
      const own = logits.subarray(node * classes, (node + 1) * classes);
      return count + (own.indexOf(Math.max(...own)) === graph.labels[node] ? 1 : 0);
    }, 0);
    return {
      ...taken,
      edges: graph.csr.entries * FAN_OUT.length,
      details: { backend, simulatedTestAccuracy: right / split.test.length },
    };
  },
};

async function fromCache(folder: string, shared: boolean): Promise<LoadedGraph> {
  const loaded = await loadOgb(folder, { cacheDir: cacheOf(folder), shared });
  if (!loaded.cached) throw new Error(`${cacheOf(folder)} had no cache of this graph: run the step "csv" again`);
  return loaded;
}

/** A dataset whose first epoch is measured, and whose others have one batch. */
class WatchedEpoch implements Dataset<GraphBatch> {
  readonly #dataset: Dataset<SampledBatch>;
  #epochs = 0;
  #time: Time = { seconds: Number.NaN, processorSeconds: Number.NaN };
  #edges = 0;
  #nodes = 0;
  /** At each batch of the first epoch: live tensors, and resident bytes. */
  readonly #tensors: number[] = [];
  readonly #resident: number[] = [];

  constructor(dataset: Dataset<SampledBatch>) {
    this.#dataset = dataset;
  }

  get rows(): number {
    return this.#dataset.rows;
  }

  get classes(): number {
    return this.#dataset.classes;
  }

  async *batches(batchSize: number, shuffle?: Random): AsyncGenerator<LabelledBatch<SampledBatch>, void, undefined> {
    const isWatched = this.#epochs++ === 0;
    const time = clock();
    for await (const batch of this.#dataset.batches(batchSize, shuffle)) {
      if (isWatched) {
        for (const { entries } of batch.inputs.blocks) this.#edges += entries;
        this.#nodes += batch.inputs.blocks[0]?.columns ?? 0;
        this.#tensors.push(tf.memory().numTensors);
        this.#resident.push(process.memoryUsage.rss());
      }
      yield batch;
      if (!isWatched) return;
    }
    this.#time = time();
  }

  outcome(): Outcome {
    const batches = this.#tensors.length;
    // The first batch makes the optimizer's moments.
    const warm = this.#tensors.slice(1);
    return {
      ...this.#time,
      edges: this.#edges,
      details: {
        batches,
        nodesPerBatch: Math.round(this.#nodes / batches),
        edgesPerBatch: Math.round(this.#edges / batches),
        fewestTensors: Math.min(...warm),
        mostTensors: Math.max(...warm),
        residentAfterTenth: this.#resident[Math.ceil(batches / 10)] ?? Number.NaN,
        residentAtEnd: this.#resident.at(-1) ?? Number.NaN,
      },
    };
  }
}

async function main(task: Task): Promise<void> {
  const begin = performance.now();
  const busy = busySeconds();
  const outcome = await steps[task.step](task);
  const wall = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage();
  const measured: Measured = {
    ...outcome,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    others: Math.max(0, (busySeconds() - busy - (user + system) / 1e6) / (wall * cpus().length)),
  };
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2] ?? "") as Task);
