import { ConfigError, type Encoder, registerEncoder } from "@l0gm/core";
import { checkInteger, type EncoderKind, moduleEncoder } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBatch } from "./batch.ts";
import { type GraphEncoderOptions, type GraphKind, graphTrunk } from "./graph-trunk.ts";
import { gatAttention, gatTransform } from "./layers/gat-conv.ts";
import { withSelfLoops } from "./self-loops.ts";

/** Options of {@link gatEncoder}. */
export interface GatEncoderOptions extends GraphEncoderOptions {
  /** Attention heads side by side, a divisor of `hidden`. @defaultValue 4 */
  readonly heads?: number;
  /** Rate of attention weights, in training. @defaultValue 0 */
  readonly attentionDropout?: number;
}

const KIND = "graph/gat";

const GAT: EncoderKind<GraphBatch, GatEncoderOptions> = {
  kind: KIND,
  trunk(weights, options) {
    const { hidden = 256, heads = 4, attentionDropout = 0 } = options;
    checkInteger(KIND, "heads", heads);
    if (hidden % heads !== 0) {
      throw new ConfigError({ where: KIND, expected: `heads to divide hidden, ${hidden}`, received: heads });
    }
    const kind: GraphKind = {
      kind: KIND,
      convolution(w, name, { inputs, outputs }) {
        const layer = { inputs, headWidth: outputs / heads, heads, attentionDropout };
        const transform = w.bind(name, gatTransform(layer));
        return { transform: (x) => transform(x) as tf.Tensor2D, apply: w.bind(name, gatAttention(layer)) };
      },
      activation: tf.elu,
      prepare: withSelfLoops,
    };
    return graphTrunk(kind, weights, options);
  },
};

/**
 * Graph attention (Velickovic et al. 2018): layers of {@link GatConv} with their heads side by side, each with layer normalisation, ELU and
 * dropout, then the linear projection that makes the representation `[nodes, width]`. Its cost counts the products of one node that goes
 * through every layer once: `(features + hidden * (layers - 1)) * hidden + 2 * hidden * layers + hidden * width`; weighing and adding up
 * neighbours is not counted.
 *
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/core";
 *
 * await useBackend("cpu");
 * console.log(gatEncoder({ features: 3, hidden: 8, heads: 2, layers: 1, width: 4 }).cost.macs); // 72
 * ```
 */
export function gatEncoder(options: GatEncoderOptions): Encoder<GraphBatch> {
  return moduleEncoder(GAT, options);
}

registerEncoder(KIND, (config) => gatEncoder(config as GatEncoderOptions) as Encoder<never>);
