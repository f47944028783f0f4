import { checkInteger, glorotUniform, type Module, zeros } from "@l0gm/core/modules";
import { dense } from "@l0gm/core/operations";
import * as tf from "@tensorflow/tfjs-core";
import { type Aggregation, aggregate, checkAggregation } from "../spmm.ts";
import { GraphLayer, type GraphLayerArgs } from "./graph-layer.ts";
import { aggregatesLast, type Messages } from "./messages.ts";

/** Options of {@link SageConv}. */
export interface SageConvOptions {
  /** Numbers a node. */
  readonly inputs: number;
  readonly outputs: number;
  /**
   * What becomes of the neighbours. Both are linear, which lets products and aggregation change places; the max pooling of Hamilton et
   * al. is not, and would hold `outputs` numbers an edge. @defaultValue "mean"
   */
  readonly aggregate?: "mean" | "sum";
  /** @defaultValue "linear" */
  readonly activation?: "linear" | "relu";
}

/** Two kernels, for the node itself and for its neighbours: what Hamilton et al. write as one kernel of both, one below the other. */
export function sageConv(options: SageConvOptions): Module<Messages, "self" | "neighbors" | "bias"> {
  const { inputs, outputs, aggregate: aggregation = "mean", activation = "linear" } = options;
  checkInteger("SageConv", "inputs", inputs);
  checkInteger("SageConv", "outputs", outputs);
  checkAggregation("SageConv", aggregation, ["mean", "sum"] satisfies readonly Aggregation[]);
  const kernel = { shape: [inputs, outputs], fill: glorotUniform(inputs, outputs), decay: true };
  return {
    weights: { self: kernel, neighbors: kernel, bias: { shape: [outputs], fill: zeros, decay: false } },
    macs: 2 * inputs * outputs,
    apply(weights, messages) {
      const { graph, sources, own } = messages;
      const self = weights.self as tf.Tensor2D;
      const neighbors = weights.neighbors as tf.Tensor2D;
      const bias = weights.bias as tf.Tensor1D;
      if (aggregatesLast(graph, inputs, outputs)) {
        const received = aggregate(graph, { sources: tf.matMul(sources, neighbors), own }, aggregation);
        return dense(own, self, bias, activation, received);
      }
      const received = aggregate(graph, { sources, own }, aggregation);
      return dense(received, neighbors, bias, activation, tf.matMul(own, self));
    },
  };
}

/**
 * GraphSAGE's layer (Hamilton, Ying and Leskovec, "Inductive Representation Learning on Large Graphs", NeurIPS 2017): a linear function of
 * the node and of the mean or sum over its neighbours. `[columns, inputs]` to `[rows, outputs]`; the graph comes as
 * `apply(x, { graph })`.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { useBackend } from "@l0gm/core";
 *
 * await useBackend("cpu");
 * const graph = Csr.fromEdges([0, 1], [1, 2], { nodes: 3, undirected: true });
 * const layer = new SageConv({ inputs: 4, outputs: 2, activation: "relu" });
 * const y = layer.apply(tf.ones([3, 4]), { graph }) as tf.Tensor;
 * console.log(y.shape); // 3, 2
 * ```
 */
export class SageConv extends GraphLayer<SageConvOptions, "self" | "neighbors" | "bias"> {
  static readonly className = "SageConv";

  constructor(options: SageConvOptions & GraphLayerArgs) {
    super(options, sageConv(options), options.outputs);
  }
}

tf.serialization.registerClass(SageConv);
