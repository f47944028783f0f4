import { createHash } from "node:crypto";
import { ConfigError } from "@l0gm/core";
import { type GraphBatch, loadOgb } from "@l0gm/graph";
import envPaths from "env-paths";
import type { z } from "zod";
import { archivePath, dataPath, dataSet, digestFile, filePath, requireFolder } from "../data/folders.ts";
import { GRAPH_COMPARATORS } from "./graph-comparators.ts";
import { FULL_BATCH, type GraphConfig, graphConfig } from "./graph-config.ts";
import { graphData } from "./graph-data.ts";
import { graphIdentity, newGraph } from "./own-graph.ts";
import type { Task } from "./task.ts";

interface GraphBenchmark {
  readonly name: string;
  readonly standInFor?: string;
  readonly config: z.ZodType<GraphConfig>;
  /** Of splits that have other defaults, by the split's name. */
  readonly splitConfigs?: Readonly<Record<string, z.ZodType<GraphConfig>>>;
  /** Folders under `split`; or the one name of a split that the loader cuts, where the publisher made none. */
  readonly splits: readonly [string, ...string[]];
  readonly cut?: boolean;
  /** Whether reading the text takes so long that its binary form is kept. */
  readonly cached?: boolean;
}

function graphBenchmark({
  name,
  standInFor,
  config,
  splitConfigs = {},
  splits,
  cut,
  cached,
}: GraphBenchmark): Task<GraphBatch, GraphConfig> {
  return {
    name,
    ...(standInFor === undefined ? {} : { standInFor }),
    config,
    configFor: (split) => splitConfigs[split] ?? config,
    splits,
    comparators: GRAPH_COMPARATORS,
    async identify({ dataDir, file, testFile }) {
      const own = file ?? testFile;
      if (own !== undefined) {
        const hint = "for a graph of your own: l0gm run graph --data FOLDER";
        throw new ConfigError({ where: name, expected: "no --data and no --test", received: own, hint });
      }
      const set = dataSet(name);
      const folder = requireFolder(set, dataDir);
      const archive = archivePath(folder, set);
      const identity = await graphIdentity(dataPath(folder, set), name);
      if (archive !== undefined) return { ...identity, checksum: (await digestFile(archive)).sha256 };
      const hash = createHash("sha256");
      for (const each of set.files) {
        const { sha256 } = await digestFile(filePath(folder, each) ?? "");
        hash.update(`${each.name} ${sha256}\n`);
      }
      return { ...identity, checksum: hash.digest("hex") };
    },
    async load({ config: settings, source, split, seed }) {
      const set = dataSet(name);
      const path = dataPath(requireFolder(set, source.dataDir), set);
      const loaded = await loadOgb(path, {
        ...(cut === true ? { shares: { seed } } : { split }),
        ...(cached === true ? { cacheDir: envPaths("l0gm", { suffix: "" }).cache } : {}),
        // Threads that sample read the same memory.
        shared: settings.training.kind === "sampled" && settings.training.workers > 0,
      });
      return graphData(loaded, settings, seed);
    },
    newRows: (folder, settings, artefact) => newGraph(folder, settings, artefact),
  };
}

/** ogbn-products by its official sales ranking split, trained on sampled neighbourhoods as on the leaderboard. */
export const ogbnProducts: Task<GraphBatch, GraphConfig> = graphBenchmark({
  name: "ogbn-products",
  config: graphConfig({
    epochs: 10,
    pathEpochs: 20,
    batchSize: 1024,
    learningRate: 3e-3,
    gateLearningRate: 0.05,
    layers: 3,
    training: { kind: "sampled", fanOut: [15, 10, 5], workers: 1 },
  }),
  splits: ["sales_ranking"],
  cached: true,
});

/** Amazon Computers: the kind of product, from what is often bought with it and the words of its reviews. */
export const amazonComputers: Task<GraphBatch, GraphConfig> = graphBenchmark({
  name: "amazon-computers",
  config: graphConfig({ ...FULL_BATCH, dropout: 0.6, featureDropout: 0.5 }),
  splits: ["random_8_2_90", "random_60_20_20"],
  // Seven times as many nodes have labels.
  splitConfigs: { random_60_20_20: graphConfig({ ...FULL_BATCH, dropout: 0.5, featureDropout: 0.3 }) },
});

/** Cora: the field of a paper, from its words and the papers that cite it or that it cites. Comes with this package. */
export const cora: Task<GraphBatch, GraphConfig> = graphBenchmark({
  name: "cora",
  standInFor: "ogbn-products",
  config: graphConfig({ ...FULL_BATCH, features: "rows", hidden: 64, dropout: 0.6, featureDropout: 0.7 }),
  splits: ["stratified"],
  cut: true,
});
