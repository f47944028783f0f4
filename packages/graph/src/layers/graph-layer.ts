import { ConfigError, Random, ShapeError } from "@l0gm/core";
import { type CallArgs, type Module, ModuleLayer, type SeededLayerArgs } from "@l0gm/core/modules";
import type * as tf from "@tensorflow/tfjs-core";
import { Csr } from "../csr.ts";
import { firstRows } from "../spmm.ts";
import type { Messages } from "./messages.ts";

/** What every layer over a graph takes besides its own options: `name`, `seed` and so on. */
export type GraphLayerArgs = SeededLayerArgs;

/**
 * A layer of tf.layers that passes messages: `layer.apply(x, { graph })` with x `[columns, inputs]` and a {@link Csr}. In training, which
 * `{ training: true }` says, each call drops out otherwise than the one before it.
 */
export abstract class GraphLayer<Options extends object, Name extends string> extends ModuleLayer<
  Options,
  Name,
  Messages
> {
  readonly #seed: number;
  #calls = 0;

  constructor(options: Options & SeededLayerArgs, module: Module<Messages, Name>, outputs: number) {
    super(options, module, [outputs]);
    this.#seed = options.seed ?? 0;
  }

  /**
   * @throws ConfigError when no graph is given
   * @throws ShapeError when the graph has another number of columns than there are rows of x, or fewer of them than rows
   */
  protected override inputOf([x]: tf.Tensor[], kwargs: CallArgs): Messages {
    const graph: unknown = kwargs["graph"];
    const where = this.getClassName();
    if (!(graph instanceof Csr)) {
      const hint = "call layer.apply(x, { graph })";
      throw new ConfigError({ where, expected: "a Csr as graph", received: graph, hint });
    }
    if (x?.rank !== 2 || x.shape[0] !== graph.columns || graph.columns < graph.rows) {
      const expected = `[${graph.columns}, inputs], and at least ${graph.rows} rows, those that receive first`;
      throw new ShapeError({ where, expected, received: x?.shape });
    }
    const training = kwargs["training"] === true;
    const random = Random.from(this.#seed, "dropout", training ? this.#calls++ : 0);
    const sources = x as tf.Tensor2D;
    return { graph, sources, own: firstRows(sources, graph.rows), context: { training, random } };
  }
}
