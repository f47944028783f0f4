import { checkInteger, glorotUniform, type Module, zeros } from "@l0gm/core/modules";
import { dense } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";
import { aggregate } from "../spmm.ts";
import { GraphLayer, type GraphLayerArgs } from "./graph-layer.ts";
import { aggregatesLast, type Messages } from "./messages.ts";

/** Options of {@link GcnConv}. */
export interface GcnConvOptions {
  /** Numbers a node. */
  readonly inputs: number;
  readonly outputs: number;
  /** @defaultValue "linear" */
  readonly activation?: "linear" | "relu";
}

export function gcnConv(options: GcnConvOptions): Module<Messages, "kernel" | "bias"> {
  const { inputs, outputs, activation = "linear" } = options;
  checkInteger("GcnConv", "inputs", inputs);
  checkInteger("GcnConv", "outputs", outputs);
  return {
    weights: {
      kernel: { shape: [inputs, outputs], fill: glorotUniform(inputs, outputs), decay: true },
      bias: { shape: [outputs], fill: zeros, decay: false },
    },
    macs: inputs * outputs,
    apply(weights, { graph, sources, own }) {
      const kernel = weights.kernel as tf.Tensor2D;
      const bias = weights.bias as tf.Tensor1D;
      if (!aggregatesLast(graph, inputs, outputs)) {
        return dense(aggregate(graph, { sources, own }, "symmetric"), kernel, bias, activation);
      }
      const products = {
        sources: tf.matMul(sources, kernel) as tf.Tensor2D,
        own: tf.matMul(own, kernel) as tf.Tensor2D,
      };
      const y = tf.add(aggregate(graph, products, "symmetric"), bias);
      return activation === "relu" ? tf.relu(y) : y;
    },
  };
}

/**
 * The layer of Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional Networks", ICLR 2017: D^-1/2 (A + I) D^-1/2 X W.
 * `[columns, inputs]` to `[rows, outputs]`; the graph comes as `apply(x, { graph })`.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { useBackend } from "@l0gm/core";
 *
 * await useBackend("cpu");
 * const graph = Csr.fromEdges([0, 1], [1, 2], { nodes: 3, undirected: true });
 * const y = new GcnConv({ inputs: 4, outputs: 2 }).apply(tf.ones([3, 4]), { graph }) as tf.Tensor;
 * console.log(y.shape); // 3, 2
 * ```
 */
export class GcnConv extends GraphLayer<GcnConvOptions, "kernel" | "bias"> {
  static readonly className = "GcnConv";

  constructor(options: GcnConvOptions & GraphLayerArgs) {
    super(options, gcnConv(options), options.outputs);
  }
}

tf.serialization.registerClass(GcnConv);
