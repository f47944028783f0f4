import { type Encoder, registerEncoder } from "@l0gm/core";
import { type EncoderKind, moduleEncoder } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBatch } from "./batch.ts";
import { type GraphEncoderOptions, type GraphKind, graphTrunk } from "./graph-trunk.ts";
import { type SageConvOptions, sageConv } from "./layers/sage-conv.ts";

/** Options of {@link sageEncoder}. */
export interface SageEncoderOptions extends GraphEncoderOptions {
  /** What becomes of a node's neighbours. @defaultValue "mean" */
  readonly aggregate?: NonNullable<SageConvOptions["aggregate"]>;
}

const KIND = "graph/sage";

const SAGE: EncoderKind<GraphBatch, SageEncoderOptions> = {
  kind: KIND,
  trunk(weights, options) {
    const { aggregate = "mean" } = options;
    const kind: GraphKind = {
      kind: KIND,
      convolution: (w, name, widths) => ({ apply: w.bind(name, sageConv({ ...widths, aggregate })) }),
      activation: tf.relu,
    };
    return graphTrunk(kind, weights, options);
  },
};

/**
 * GraphSAGE (Hamilton et al. 2017): layers of {@link SageConv}, each with layer normalisation, ReLU and dropout, then the linear projection
 * that makes the representation `[nodes, width]`. Made for sampled batches, and as good on a whole graph. Its cost counts the products
 * of one node that goes through every layer once, as in inference over all nodes: `2 * (features + hidden * (layers - 1)) * hidden +
 * hidden * width`; adding up neighbours is not counted.
 *
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { EVALUATION, useBackend } from "@l0gm/core";
 *
 * await useBackend("cpu");
 * const encoder = sageEncoder({ features: 3, hidden: 8, layers: 1, width: 4 });
 * const blocks = [Csr.fromEdges([1, 2], [0, 0], { nodes: 3 })];
 * const h = encoder.encode({ kind: "sampled", blocks, features: tf.ones([3, 3]) }, EVALUATION);
 * console.log(h.shape); // 3, 4
 * ```
 */
export function sageEncoder(options: SageEncoderOptions): Encoder<GraphBatch> {
  return moduleEncoder(SAGE, options);
}

registerEncoder(KIND, (config) => sageEncoder(config as SageEncoderOptions) as Encoder<never>);
