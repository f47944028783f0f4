import { ConfigError, type Encoder, registerEncoder } from "@l0gm/core";
import { type EncoderKind, type ModuleEncoderOptions, moduleEncoder } from "@l0gm/core/modules";
import type { GraphBatch } from "@l0gm/graph";
import * as tf from "@tensorflow/tfjs-core";

/** Options of {@link linearEncoder}. */
export interface LinearEncoderOptions extends ModuleEncoderOptions {
  /** Features of a node. */
  readonly features: number;
}

const KIND = "bench/linear";

const LINEAR: EncoderKind<GraphBatch, LinearEncoderOptions> = {
  kind: KIND,
  trunk: (_, { features }) => ({
    width: features,
    apply(batch) {
      if (batch.kind !== "whole") {
        throw new ConfigError({
          where: KIND,
          expected: "whole-graph training and evaluation",
          received: "sampled batches",
          hint: "It reads no neighbour, so there is nothing to sample.",
        });
      }
      const { graph, nodes } = batch;
      const rows = new Float32Array(nodes.length * features);
      nodes.forEach((node, i) => {
        rows.set(graph.features.subarray(node * features, (node + 1) * features), i * features);
      });
      return tf.tensor2d(rows, [nodes.length, features]);
    },
  }),
};

/**
 * The nodes' own features, mapped linearly. With the head it is logistic regression as long as the representation is at least as wide
 * as there are classes.
 */
export function linearEncoder(options: LinearEncoderOptions): Encoder<GraphBatch> {
  return moduleEncoder(LINEAR, options);
}

registerEncoder(KIND, (config) => linearEncoder(config as LinearEncoderOptions) as Encoder<never>);
