/**
 * `pnpm bench:sampler`: batches of sampled neighbourhoods a second, ours, DGL's and PyTorch Geometric's on the same simulated graph, in one
 * interleaved run. Both sample the same nodes; the ratio is taken within each round.
 */

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Random } from "@l0gm/core";
import { Command } from "commander";
import { type Csr, NeighborSampler, simulateProducts } from "../src/index.ts";
import { writeNpy } from "./npy.ts";
import { fillSection } from "./page.ts";

interface Options {
  readonly scale: string;
  readonly batch: string;
  readonly fanOut: string;
  readonly batches: string;
  readonly peerBatches: string;
  readonly rounds: string;
  readonly workers: string;
  readonly python: string;
  readonly dgl: string;
  readonly json: string;
  readonly markdown?: string;
}

/** What one measurement found. */
interface Pass {
  readonly seconds: number;
  /** That the one thread computed: the fair measure where others use the machine. Workers are not counted alike everywhere. */
  readonly processorSeconds: number;
  readonly edges: number;
  readonly nodes: number;
}

interface Contender {
  readonly title: string;
  readonly threads: number;
  /** Whom it is compared with: the same number of threads, by name. */
  readonly peers: ReadonlyMap<string, string>;
  /** In a measurement. */
  readonly batches: number;
  measure(first: number, batches: number): Promise<Pass>;
}

/** A way to sample of another library. */
interface Loader {
  readonly name: string;
  readonly peer: Peer;
  readonly loader: string;
}

/** Median and quartiles, by linear interpolation. */
interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => {
    const place = q * (sorted.length - 1);
    const [low = Number.NaN, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return low + (high - low) * (place % 1);
  };
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
}

/** A process that answers every line with a line. */
class Peer {
  readonly #child;
  readonly #lines: AsyncIterator<string>;
  #chatter = "";

  constructor(python: string, args: readonly string[]) {
    this.#child = spawn(python, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.#chatter = `${this.#chatter}${chunk}`.slice(-1000);
    });
    this.#child.on("error", (error) => {
      this.#chatter = error.message;
    });
    this.#child.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error when it fails or has ended, saying why */
  async answer(request?: object): Promise<Record<string, unknown>> {
    if (request !== undefined) this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(this.#chatter.trim() || "its process ended");
      if (!value.startsWith("{")) continue;
      const answer = JSON.parse(value) as Record<string, unknown>;
      if (typeof answer["fails"] === "string") throw new Error(answer["fails"]);
      return answer;
    }
  }

  end(): void {
    this.#child.stdin.end();
  }
}

const program = new Command("bench:sampler")
  .description("sampled batches a second, beside DGL and PyTorch Geometric")
  .option("--scale <x>", "of the simulated graph: 1 has the size of ogbn-products", "0.25")
  .option("--batch <n>", "nodes a batch", "1024")
  .option("--fan-out <list>", "neighbours a layer, the output's first", "15,10,5")
  .option("--batches <n>", "batches a measurement", "20")
  .option("--peer-batches <n>", "batches a measurement of the peer, which takes longer", "4")
  .option("--rounds <n>", "measurements of each", "7")
  .option("--workers <list>", "numbers of worker threads", "0,1,2")
  .option(
    "--python <file>",
    "an interpreter with PyTorch Geometric: apps/bench/peers/requirements-graph.txt",
    "python3",
  )
  .option("--dgl <file>", "an interpreter with dgl", "python3")
  .option("--json <file>", "where every number goes", "runs/sampler-benchmark.json")
  .option("--markdown <file>", "a page with a section <!-- sampler -->, which is written anew")
  .parse();
const options: Options = program.opts();
const [batch, batches, rounds] = [Number(options.batch), Number(options.batches), Number(options.rounds)];
const fanOut = options.fanOut.split(",").map(Number);
const workers = options.workers.split(",").map(Number);
const seed = 1;

const { name: graphName, graph } = await simulateProducts({ scale: Number(options.scale), seed });
const { csr } = graph;
const nodes = csr.rows;
const perPass = Math.min(batches, Math.floor(nodes / batch / (rounds + 1)));
if (perPass < 1) throw new Error(`${nodes} nodes are too few for ${rounds} rounds of batches of ${batch}`);

function ours(csr: Csr, seeds: Int32Array, threads: number): Contender {
  const sampler = new NeighborSampler(csr, { fanOut, seed, workers: threads });
  return {
    title: title("ours", threads),
    threads,
    peers: new Map(loaders.map(({ name }) => [name, title(name, threads)])),
    batches: perPass,
    async measure(first, count) {
      const groups = Array.from({ length: count }, (_, i) =>
        seeds.subarray((first + i) * batch, (first + i + 1) * batch),
      );
      const [begin, before] = [performance.now(), process.cpuUsage()];
      let [edges, reached] = [0, 0];
      for await (const { blocks, nodes } of sampler.batches(groups, { epoch: first })) {
        for (const block of blocks) edges += block.entries;
        reached += nodes.length;
      }
      const { user, system } = process.cpuUsage(before);
      const seconds = (performance.now() - begin) / 1000;
      return { seconds, processorSeconds: (user + system) / 1e6, edges, nodes: reached };
    },
  };
}

function theirs({ name, peer, loader }: Loader, threads: number): Contender {
  return {
    title: title(name, threads),
    threads,
    peers: new Map(),
    batches: Math.min(perPass, Number(options.peerBatches)),
    async measure(first, count) {
      const found = await peer.answer({ loader, workers: threads, first, batches: count });
      const [seconds = 0, processorSeconds = 0, edges = 0, nodes = 0] = [
        found["seconds"],
        found["processorSeconds"],
        found["edges"],
        found["nodes"],
      ].map(Number);
      return { seconds, processorSeconds, edges, nodes };
    },
  };
}

function title(name: string, threads: number): string {
  return `${name}, ${threads === 0 ? "no worker" : threads === 1 ? "1 worker" : `${threads} workers`}`;
}

const seeds = Random.from(seed, "seeds").permutation(nodes);
const largest = csr.degrees().reduce((most, each) => Math.max(most, each), 0);
const folder = await mkdtemp(join(tmpdir(), "l0gm-sampler-"));
await Promise.all([
  writeNpy(join(folder, "offsets.npy"), csr.offsets),
  writeNpy(join(folder, "neighbors.npy"), csr.neighbors),
  writeNpy(join(folder, "seeds.npy"), seeds),
]);
const starts = [
  await start("DGL", options.dgl, "dgl", ["NeighborSampler"]),
  await start("PyG", options.python, "pyg", ["NeighborLoader", "NeighborSampler"]),
];
const loaders = starts.flatMap(({ loaders }) => loaders);
const contenders = workers.flatMap((count) => [
  ours(csr, seeds, count),
  ...loaders.map((loader) => theirs(loader, count)),
]);
const passes = new Map<string, Pass[]>(contenders.map(({ title }) => [title, []]));
for (let round = 0; round <= rounds; round++) {
  const order = Random.from(seed, "order", round).permutation(contenders.length);
  for (const i of order) {
    const contender = contenders[i];
    if (contender === undefined) continue;
    const pass = await contender.measure(round * perPass, contender.batches);
    // The first round finds compilers and caches cold.
    if (round > 0) passes.get(contender.title)?.push(pass);
    process.stderr.write(`round ${round} of ${rounds}, ${contender.title}: ${pass.seconds.toFixed(2)} s\n`);
  }
}
for (const { peer } of loaders) peer.end();
await rm(folder, { recursive: true });

async function start(
  library: string,
  python: string,
  key: string,
  names: readonly string[],
): Promise<{ library: string; loaders: Loader[]; versions?: unknown; absent?: string }> {
  const peer = new Peer(python, [
    join(import.meta.dirname, "sampler_peer.py"),
    key,
    folder,
    String(batch),
    ...fanOut.map(String),
  ]);
  try {
    const { versions } = await peer.answer();
    return { library, versions, loaders: names.map((loader) => ({ name: `${library} ${loader}`, peer, loader })) };
  } catch (error) {
    peer.end();
    return { library, loaders: [], absent: error instanceof Error ? error.message : String(error) };
  }
}

/** Of two contenders, in each round. */
function ratios(own: readonly Rate[], others: readonly Rate[]): Spread {
  return spread(own.flatMap((each, round) => (others[round] ? [each.compared / others[round].compared] : [])));
}

interface Rate {
  readonly batches: number;
  readonly edges: number;
  /** What ratios are taken of: edges a second, of the processor's time where no worker samples. */
  readonly compared: number;
}

const rates = new Map<string, Rate[]>(
  contenders.map(({ title, threads, batches: count }) => [
    title,
    (passes.get(title) ?? []).map(({ seconds, processorSeconds, edges }) => ({
      batches: count / seconds,
      edges: edges / seconds,
      compared: edges / (threads === 0 ? processorSeconds : seconds),
    })),
  ]),
);
const results = contenders.map(({ title, threads, peers, batches: count }) => {
  const [own, measured] = [rates.get(title) ?? [], passes.get(title) ?? []];
  return {
    title,
    batchesPerSecond: spread(own.map(({ batches }) => batches)),
    edgesPerSecond: spread(own.map(({ edges }) => edges)),
    edgesPerBatch: (measured[0]?.edges ?? 0) / count,
    nodesPerBatch: (measured[0]?.nodes ?? 0) / count,
    ...(threads === 0 && { edgesPerProcessorSecond: spread(own.map(({ compared }) => compared)) }),
    ratios: Object.fromEntries(Array.from(peers, ([name, other]) => [name, ratios(own, rates.get(other) ?? [])])),
    passes: measured,
  };
});
const run = {
  format: 1,
  date: new Date().toISOString(),
  machine: {
    processor: cpus()[0]?.model,
    cores: availableParallelism(),
    node: process.version,
    loadAverage: loadavg()[0],
  },
  graph: { name: graphName, nodes, entries: csr.entries, largestDegree: largest },
  options: { batch, fanOut, batches: perPass, peerBatches: Number(options.peerBatches), rounds, seed },
  peers: starts.map(({ library, versions, absent }) => ({ library, versions, absent })),
  results,
};
await mkdir(dirname(options.json), { recursive: true });
await writeFile(options.json, `${JSON.stringify(run, undefined, 2)}\n`);

const number = ({ median, lower, upper }: Spread, digits: number): string =>
  `${median.toFixed(digits)} [${lower.toFixed(digits)}, ${upper.toFixed(digits)}]`;
const millions = ({ median, lower, upper }: Spread): Spread => ({
  median: median / 1e6,
  lower: lower / 1e6,
  upper: upper / 1e6,
});
const rows = results.map((result) => [
  result.title,
  number(result.batchesPerSecond, 1),
  number(millions(result.edgesPerSecond), 2),
  result.edgesPerProcessorSecond === undefined ? "" : number(millions(result.edgesPerProcessorSecond), 2),
  Math.round(result.edgesPerBatch).toLocaleString("en"),
  ...loaders.map(({ name }) => (result.ratios[name] ? number(result.ratios[name], 1) : "")),
]);
const head = [
  "",
  "batches/s",
  "million edges/s",
  "a processor second",
  "edges a batch",
  ...loaders.map(({ name }) => `ours / ${name}`),
];
const table = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
const about = [
  `- Graph: ${graphName}; ${nodes.toLocaleString("en")} nodes, ${csr.entries.toLocaleString("en")} directed edges, largest degree ${largest.toLocaleString("en")}.`,
  `- Fan-out ${fanOut.join("/")}, ${batch} nodes a batch, ${perPass} batches a measurement of ours and ${options.peerBatches} of the peer, starts of threads and processes included; ${rounds} rounds; medians [quartiles]. Ratios are of edges a second, taken within a round: of the processor's time without workers, of the clock's with them.`,
  `- Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}.`,
  ...starts.map(({ library, versions, absent }) => `- ${library}: ${absent ?? JSON.stringify(versions)}.`),
].join("\n");
const text = `${table}\n\n${about}\n`;
process.stdout.write(text);
if (options.markdown !== undefined) {
  const page = await readFile(options.markdown, "utf8");
  await writeFile(options.markdown, fillSection(page, "sampler", text, options.markdown));
}
