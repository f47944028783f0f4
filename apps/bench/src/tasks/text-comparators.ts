import { ConfigError } from "@l0gm/core";
import type { Comparator } from "./task.ts";
import type { TextConfig } from "./text-config.ts";

/** Where texts save work by habit. Each has the epochs, the batches and the optimizer of the dense run. */
export function textComparators<Config extends TextConfig>(): Readonly<Record<string, Comparator<Config>>> {
  return {
    layers: {
      summary: "the first blocks alone, this many",
      levels: [1],
      configure(config, layers) {
        const { encoder } = config;
        if (encoder.layers !== undefined && layers >= encoder.layers) {
          const expected = `fewer than the ${encoder.layers} layers of the dense run`;
          throw new ConfigError({ where: "layers", expected, received: layers });
        }
        if (encoder.kind === "transformer" || encoder.trainableLayers === undefined) {
          return { ...config, encoder: { ...encoder, layers } };
        }
        return {
          ...config,
          encoder: { ...encoder, layers, trainableLayers: Math.min(encoder.trainableLayers, layers) },
        };
      },
    },
  };
}
