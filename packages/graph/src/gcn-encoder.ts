import { type Encoder, registerEncoder } from "@l0gm/core";
import { type EncoderKind, moduleEncoder } from "@l0gm/core/modules";
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBatch } from "./batch.ts";
import { type GraphEncoderOptions, type GraphKind, graphTrunk } from "./graph-trunk.ts";
import { gcnConv } from "./layers/gcn-conv.ts";

/** Options of {@link gcnEncoder}. */
export type GcnEncoderOptions = GraphEncoderOptions;

const KIND = "graph/gcn";

const LAYERS: GraphKind = {
  kind: KIND,
  convolution: (weights, name, widths) => ({ apply: weights.bind(name, gcnConv(widths)) }),
  activation: tf.relu,
};

const GCN: EncoderKind<GraphBatch, GcnEncoderOptions> = {
  kind: KIND,
  trunk: (weights, options) => graphTrunk(LAYERS, weights, options),
};

/**
 * Graph convolutions (Kipf and Welling 2017): layers of {@link GcnConv}, each with layer normalisation, ReLU and dropout, then the linear
 * projection that makes the representation `[nodes, width]`. Made for whole graphs: a sampled block knows only the degrees that were
 * sampled. Its cost counts the products of one node that goes through every layer once:
 * `(features + hidden * (layers - 1)) * hidden + hidden * width`; adding up neighbours is not counted.
 *
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/core";
 *
 * await useBackend("cpu");
 * console.log(gcnEncoder({ features: 3, hidden: 8, layers: 2, width: 4 }).cost.macs); // 120
 * ```
 */
export function gcnEncoder(options: GcnEncoderOptions): Encoder<GraphBatch> {
  return moduleEncoder(GCN, options);
}

registerEncoder(KIND, (config) => gcnEncoder(config as GcnEncoderOptions) as Encoder<never>);
