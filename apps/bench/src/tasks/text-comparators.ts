import { ConfigError } from "@l0gm/core";
import { requireModel } from "../data/models.ts";
import { headsKept } from "./head-pruning.ts";
import { pretrainedSizes } from "./pretrained.ts";
import type { Comparator } from "./task.ts";
import type { TextConfig } from "./text-config.ts";

/**
 * Where texts save work by habit. Each has the epochs, the batches and the optimizer of the dense run; those of `heads` are divided between
 * the whole model and the pruned one, whose learning rate starts anew.
 */
export function textComparators<Config extends TextConfig>(): Readonly<Record<string, Comparator<Config>>> {
  return {
    layers: {
      summary: "the first blocks alone, this many",
      levels: [1],
      configure(config, layers) {
        const { encoder } = config;
        checkFewer(layers, encoder.layers);
        if (encoder.kind === "transformer" || encoder.trainableLayers === undefined) {
          return { ...config, encoder: { ...encoder, layers } };
        }
        return {
          ...config,
          encoder: { ...encoder, layers, trainableLayers: Math.min(encoder.trainableLayers, layers) },
        };
      },
      async check({ encoder }, layers, source) {
        if (encoder.kind !== "bert") return;
        const { heads } = await pretrainedSizes(requireModel(encoder.model, source.modelDir));
        checkFewer(layers, heads.length);
      },
    },
    heads: {
      summary:
        "this share of the attention heads, the most important ones, after the others were pruned in the middle of training",
      levels: [0.75, 0.5, 0.25],
      configure(config, kept) {
        const { encoder, epochs } = config;
        if (!(kept > 0 && kept < 1)) {
          throw new ConfigError({ where: "heads", expected: "a share of heads between 0 and 1", received: kept });
        }
        if (encoder.kind === "bert" && encoder.trainableLayers === 0) {
          const expected = "trainable layers, the only ones whose heads are pruned";
          throw new ConfigError({ where: "heads", expected, received: 0 });
        }
        if (encoder.kind === "transformer") headsKept(kept, encoder.heads * encoder.layers, encoder.layers);
        if (epochs < 2) {
          const expected = "at least 2, one before pruning and one after";
          throw new ConfigError({ where: "heads: epochs", expected, received: epochs });
        }
        return config;
      },
      async check({ encoder }, kept, source) {
        if (encoder.kind !== "bert") return;
        const { heads: all } = await pretrainedSizes(requireModel(encoder.model, source.modelDir));
        const used = all.slice(0, encoder.layers);
        const trained = used.slice(-Math.min(encoder.trainableLayers ?? used.length, used.length));
        headsKept(
          kept,
          trained.reduce((sum, heads) => sum + heads, 0),
          trained.length,
        );
      },
    },
  };
}

function checkFewer(layers: number, all: number | undefined): void {
  if (all === undefined || layers < all) return;
  throw new ConfigError({
    where: "layers",
    expected: `fewer than the ${all} layers of the dense run`,
    received: layers,
  });
}
