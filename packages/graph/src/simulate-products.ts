import { ConfigError, Random } from "@l0gm/core";
import { openArchive } from "#files";
import { Csr } from "./csr.ts";
import type { NodeGraph, NodeSplit } from "./graph.ts";
import { readNumbers } from "./number-parser.ts";
import { sharedCsr } from "./shared-arrays.ts";

/** The published size of ogbn-products. */
const NODES = 2_449_029;
const EDGES = 61_859_140;
const TRAIN = 196_615;
const VALIDATION = 39_323;
const COLUMNS = 100;

/** Nodes of each class that train, and those that select or test, of ogbn-products. The last five classes have none that train. */
const TRAIN_SHARES = [
  11332, 12290, 10941, 13153, 60630, 3932, 15305, 16615, 10926, 6266, 4311, 3348, 2755, 10757, 287, 2515, 461, 4245,
  662, 1237, 2047, 1313, 64, 526, 200, 93, 75, 4, 84, 152, 9, 25, 33, 3, 2, 8, 2, 3, 1, 1, 1, 1, 0, 0, 0, 0, 0,
];
const OTHER_SHARES = [
  102962, 97542, 105102, 137908, 608320, 36783, 143466, 155584, 99870, 61092, 48034, 29589, 129131, 90784, 2792, 24396,
  83133, 38092, 48357, 16201, 20528, 79482, 815, 3127, 45206, 2931, 478, 255, 1885, 1409, 268, 393, 480, 26, 152, 36,
  628, 511, 90, 36, 5, 60, 32500, 1399, 566, 9, 1,
];

/** Spread of the logarithm of a node's degree: with the mean of 50.5 it gives about the median of 26 that ogbn-products has. */
const DEGREE_SPREAD = 1.15;

/** Nodes whose features come from one stream of random numbers. */
const FEATURE_BLOCK = 1024;

/** Options of {@link simulateProducts}. */
export interface ProductsOptions {
  /** Of the published size: 1 gives 2,449,029 nodes and 61,859,140 edges. */
  readonly scale: number;
  /** @defaultValue 0 */
  readonly seed?: number;
  /** A folder with the real `raw/node-label.csv.gz`, whose labels are then used. @defaultValue labels are drawn with the real shares */
  readonly labelsFrom?: string;
  /** Share of the edges whose ends have one class. @defaultValue 0.8 */
  readonly homophily?: number;
  /** Root mean square distance between the means of two classes, where features deviate by 1 from the mean of their class. @defaultValue 3 */
  readonly separation?: number;
  /** Puts the arrays of the graph into shared memory. @defaultValue false */
  readonly shared?: boolean;
}

/** A graph that is made up. */
export interface SimulatedProducts {
  /** Says that it is simulated, and how; so does `graph.simulated`, and the folder that `writeOgb` makes of it. */
  readonly name: string;
  readonly graph: NodeGraph;
  readonly split: NodeSplit;
}

/**
 * A graph with the size, degrees, classes and split of ogbn-products, made up of random numbers: a degree-corrected stochastic block
 * model (B. Karrer and M. Newman, "Stochastic blockmodels and community structure in networks", 2011). A node's propensity to have edges
 * is log-normal (spread 1.15), features are Gaussian around the mean of the class. It has the size of the data, and says nothing about
 * accuracy on them.
 *
 * @throws ConfigError when an option is out of range
 * @throws DataError when the labels that were asked for cannot be read
 *
 * @example
 * ```ts
 * const { graph, name } = await simulateProducts({ scale: 1 / 4096, seed: 7 });
 * console.log(graph.csr.rows, name); // 598 simulated ogbn-products, scale 0.000244140625, seed 7, simulated labels
 * ```
 */
export async function simulateProducts(options: ProductsOptions): Promise<SimulatedProducts> {
  const { scale, seed = 0, homophily = 0.8, separation = 3, labelsFrom, shared = false } = options;
  check(scale, homophily, separation);
  const nodes = Math.round(NODES * scale);
  const edges = Math.round(EDGES * scale);
  const train = Math.round(TRAIN * scale);
  const validation = Math.round(VALIDATION * scale);
  const labels = allocate(nodes, shared, Int32Array);
  labels.set(labelsFrom === undefined ? drawLabels(nodes, train, seed) : await realLabels(labelsFrom, nodes));
  const csr = drawEdges(labels, { edges, homophily, seed, shared });
  const features = drawFeatures(labels, { separation, seed, shared });
  const classes = TRAIN_SHARES.map((_, label) => `simulated ${label}`);
  const range = (from: number, to: number): Int32Array => Int32Array.from({ length: to - from }, (_, i) => from + i);
  const name = `simulated ogbn-products, scale ${scale}, seed ${seed}, ${labelsFrom === undefined ? "simulated" : "real"} labels`;
  return {
    name,
    graph: { csr, features, columns: COLUMNS, labels, classes, simulated: name },
    split: {
      train: range(0, train),
      validation: range(train, train + validation),
      test: range(train + validation, nodes),
    },
  };
}

function check(scale: number, homophily: number, separation: number): void {
  const where = "simulateProducts";
  if (!(scale >= 1 / 4096 && scale <= 1)) {
    throw new ConfigError({ where, expected: "a scale from 1/4096 to 1", received: scale });
  }
  if (!(homophily >= 0.2 && homophily <= 0.99)) {
    throw new ConfigError({ where, expected: "a homophily from 0.2 to 0.99", received: homophily });
  }
  if (!(separation >= 0 && Number.isFinite(separation))) {
    throw new ConfigError({ where, expected: "a separation of at least 0", received: separation });
  }
}

function allocate<T extends Float32Array | Int32Array>(
  length: number,
  shared: boolean,
  Type: { new (buffer: ArrayBufferLike): T },
): T {
  return new Type(shared ? new SharedArrayBuffer(4 * length) : new ArrayBuffer(4 * length));
}

/** Draws from a distribution over a range of numbers in constant time (A. Walker's alias method, in M. Vose's form). */
class AliasTable {
  readonly #threshold: Float32Array;
  readonly #alias: Int32Array;

  constructor(weights: ArrayLike<number>) {
    const count = weights.length;
    let total = 0;
    for (let i = 0; i < count; i++) total += weights[i] as number;
    const scaled = Float64Array.from({ length: count }, (_, i) => ((weights[i] as number) * count) / total);
    this.#threshold = new Float32Array(count).fill(1);
    this.#alias = Int32Array.from({ length: count }, (_, i) => i);
    // One array serves as two stacks: the light ones grow from its start, the heavy ones from its end.
    const stack = new Int32Array(count);
    let light = 0;
    let heavy = count;
    for (let i = 0; i < count; i++) {
      if ((scaled[i] as number) < 1) stack[light++] = i;
      else stack[--heavy] = i;
    }
    while (light > 0 && heavy < count) {
      const small = stack[--light] as number;
      const large = stack[heavy] as number;
      this.#threshold[small] = scaled[small] as number;
      this.#alias[small] = large;
      scaled[large] = (scaled[large] as number) - (1 - (scaled[small] as number));
      if ((scaled[large] as number) < 1) {
        heavy++;
        stack[light++] = large;
      }
    }
  }

  draw(random: Random): number {
    const at = Math.floor(random.next() * this.#threshold.length);
    return random.next() < (this.#threshold[at] as number) ? at : (this.#alias[at] as number);
  }
}

/** Labels that train first, as sales ranking sorts them. */
function drawLabels(nodes: number, train: number, seed: number): Int32Array {
  const random = Random.from(seed, "simulated products", "labels");
  const [forTrain, forOthers] = [new AliasTable(TRAIN_SHARES), new AliasTable(OTHER_SHARES)];
  return Int32Array.from({ length: nodes }, (_, node) => (node < train ? forTrain : forOthers).draw(random));
}

/** The real labels, or at a smaller scale those of nodes at equal distances. */
async function realLabels(folder: string, nodes: number): Promise<Int32Array> {
  const archive = await openArchive(folder);
  try {
    const { values } = await readNumbers(archive.read("raw/node-label.csv"), {
      name: archive.nameOf("raw/node-label.csv"),
      kind: "integer",
      columns: 1,
      lines: NODES,
      linesFrom: "the published size",
      bound: TRAIN_SHARES.length,
      what: "labels",
    });
    return Int32Array.from({ length: nodes }, (_, i) => values[Math.floor((i * NODES) / nodes)] as number);
  } finally {
    archive.close();
  }
}

interface EdgeDraw {
  readonly edges: number;
  readonly homophily: number;
  readonly seed: number;
  readonly shared: boolean;
}

/** Draws pairs: one end by its propensity among all nodes, the other among those of its class or among all. */
class PairDraw {
  readonly #random: Random;
  readonly #labels: Int32Array;
  readonly #all: AliasTable;
  readonly #members: readonly Int32Array[];
  readonly #within: readonly AliasTable[];
  readonly #inside: number;

  constructor(labels: Int32Array, homophily: number, seed: number) {
    const drawn = Random.from(seed, "simulated products", "degrees");
    const propensity = Float32Array.from(labels, () => Math.exp(DEGREE_SPREAD * drawn.normal()));
    const counts = new Int32Array(TRAIN_SHARES.length);
    const weights = new Float64Array(TRAIN_SHARES.length);
    labels.forEach((label, node) => {
      counts[label] = (counts[label] as number) + 1;
      weights[label] = (weights[label] as number) + (propensity[node] as number);
    });
    const members = [...counts].map((count) => new Int32Array(count));
    const next = new Int32Array(counts.length);
    labels.forEach((label, node) => {
      const at = next[label] as number;
      next[label] = at + 1;
      (members[label] as Int32Array)[at] = node;
    });
    this.#labels = labels;
    this.#members = members;
    this.#all = new AliasTable(propensity);
    this.#within = members.map(
      (nodes) => new AliasTable(Float32Array.from(nodes, (node) => propensity[node] as number)),
    );
    // A pair of any two nodes has one class by chance, which counts towards the homophily.
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const byChance = weights.reduce((sum, weight) => sum + (weight / total) ** 2, 0);
    this.#inside = Math.max(0, (homophily - byChance) / (1 - byChance));
    this.#random = Random.from(seed, "simulated products", "edges");
  }

  /** @returns the nodes, the smaller one first, as one number: smaller times the number of nodes, plus larger */
  draw(): number {
    for (;;) {
      const from = this.#all.draw(this.#random);
      const label = this.#labels[from] as number;
      const members = this.#members[label] as Int32Array;
      const to =
        this.#random.next() < this.#inside
          ? (members[(this.#within[label] as AliasTable).draw(this.#random)] as number)
          : this.#all.draw(this.#random);
      if (from !== to) return Math.min(from, to) * this.#labels.length + Math.max(from, to);
    }
  }
}

/** Exactly as many different edges as asked for: those that come twice are drawn anew, until there are enough. */
function drawEdges(labels: Int32Array, { edges, homophily, seed, shared }: EdgeDraw): Csr {
  const nodes = labels.length;
  const pairs = new PairDraw(labels, homophily, seed);
  const from = new Int32Array(edges);
  const to = new Int32Array(edges);
  const put = (at: number, pair: number): void => {
    from[at] = Math.floor(pair / nodes);
    to[at] = pair % nodes;
  };
  for (let i = 0; i < edges; i++) put(i, pairs.draw());
  const first = Csr.fromEdges(to, from, { nodes });
  const extra = new Set<number>();
  while (first.entries + extra.size < edges) {
    const pair = pairs.draw();
    if (!has(first.neighborsOf(Math.floor(pair / nodes)), pair % nodes)) extra.add(pair);
  }
  let at = 0;
  for (let row = 0; row < nodes; row++) {
    for (let e = first.offsets[row] as number; e < (first.offsets[row + 1] as number); e++) {
      from[at] = row;
      to[at++] = first.neighbors[e] as number;
    }
  }
  for (const pair of extra) put(at++, pair);
  const csr = Csr.fromEdges(from, to, { nodes, undirected: true });
  return shared ? sharedCsr(csr) : csr;
}

/** Whether ascending numbers hold one. */
function has(row: Int32Array, wanted: number): boolean {
  let low = 0;
  let high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((row[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return row[low] === wanted;
}

interface FeatureDraw {
  readonly separation: number;
  readonly seed: number;
  readonly shared: boolean;
}

function drawFeatures(labels: Int32Array, { separation, seed, shared }: FeatureDraw): Float32Array {
  const classes = TRAIN_SHARES.length;
  // Two means differ by twice the variance of one in each of the columns.
  const spread = separation / Math.sqrt(2 * COLUMNS);
  const means = Random.from(seed, "simulated products", "means").normals(classes * COLUMNS, 0, spread);
  const features = allocate(labels.length * COLUMNS, shared, Float32Array);
  for (let start = 0; start < labels.length; start += FEATURE_BLOCK) {
    const random = Random.from(seed, "simulated products", "features", start / FEATURE_BLOCK);
    const end = Math.min(start + FEATURE_BLOCK, labels.length);
    for (let node = start; node < end; node++) {
      const mean = (labels[node] as number) * COLUMNS;
      const at = node * COLUMNS;
      for (let column = 0; column < COLUMNS; column += 2) {
        // Box and Muller, with both of the numbers that a pair gives.
        const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
        const angle = 2 * Math.PI * random.next();
        features[at + column] = (means[mean + column] as number) + radius * Math.cos(angle);
        features[at + column + 1] = (means[mean + column + 1] as number) + radius * Math.sin(angle);
      }
    }
  }
  return features;
}
