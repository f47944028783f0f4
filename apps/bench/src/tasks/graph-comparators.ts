import { ConfigError } from "@l0gm/core";
import type { GraphConfig } from "./graph-config.ts";
import { LABEL_PROPAGATION } from "./graph-data.ts";
import type { Comparator } from "./task.ts";

/** Of a batch; larger than any graph, so that a batch is all training nodes. */
const ALL_NODES = 2 ** 31 - 1;

/** Where graphs save work by habit, and what a graph has to beat. Each has the epochs, the batches and the optimizer of the dense run. */
export const GRAPH_COMPARATORS: Readonly<Record<string, Comparator<GraphConfig>>> = {
  "fan-out": {
    summary: "training on this many sampled neighbours a node and layer, evaluation on all",
    levels: [10, 5, 2],
    configure(config, neighbors) {
      if (config.encoder.kind === "linear") {
        throw new ConfigError({ where: "fan-out", expected: "an encoder that reads neighbours", received: "linear" });
      }
      const fanOut = Array.from({ length: config.encoder.layers }, () => neighbors);
      if (config.training.kind === "sampled") return { ...config, training: { ...config.training, fanOut } };
      const batchSize = config.batchSize === "auto" ? ALL_NODES : config.batchSize;
      return { ...config, batchSize, training: { kind: "sampled", fanOut, workers: 0 } };
    },
  },
  "drop-edge": {
    summary: "DropEdge: each epoch does without this share of the edges",
    levels: [0.25, 0.5, 0.75],
    configure: (config, drop) => ({ ...config, edges: { ...config.edges, drop } }),
  },
  sparsify: {
    summary: "this share of the edges stays for good, those of nodes of small degree first",
    levels: [0.5, 0.25, 0.125],
    configure: (config, keep) => ({ ...config, edges: { ...config.edges, keep } }),
  },
  mlp: {
    summary: "the same layers without any edge",
    // A graph convolution without edges is a dense layer.
    configure: (config) => ({
      ...config,
      encoder: { ...trunkOf(config), kind: "gcn" },
      training: { kind: "whole" },
      evaluation: "whole",
      edges: { ...config.edges, keep: "none" },
    }),
  },
  "averaged-features": {
    summary: "logistic regression on features that were averaged twice over neighbours",
    configure: (config) => ({
      ...config,
      encoder: { kind: "linear" },
      training: { kind: "whole" },
      evaluation: "whole",
      edges: { ...config.edges, averagings: 2 },
    }),
  },
  [LABEL_PROPAGATION]: {
    summary: "the training nodes' labels alone, passed along edges; nothing is learned",
    configure: (config) => config,
  },
};

function trunkOf({ encoder }: GraphConfig) {
  if (encoder.kind === "linear") {
    throw new ConfigError({ where: "mlp", expected: "an encoder with hidden layers", received: "linear" });
  }
  const { hidden, layers, dropout, featureDropout, residual, normalisation } = encoder;
  return { hidden, layers, dropout, featureDropout, residual, normalisation };
}
