import * as tf from "@tensorflow/tfjs-core";
import { initializers, type LayerVariable, layers, type Shape } from "@tensorflow/tfjs-layers";
import { initialValues, type Module } from "./module.ts";

/** What every layer of tf.layers takes: `name`, `inputShape`, `trainable` and so on. */
export type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

/** What every layer that a seed initialises takes. */
export interface SeededLayerArgs extends LayerArgs {
  /** Seed of the initial values. @defaultValue 0 */
  readonly seed?: number;
}

/** The second argument of a layer's `apply`. */
export type CallArgs = Readonly<Record<string, unknown>>;

type Config = ReturnType<layers.Layer["getConfig"]>;

/**
 * A layer of tf.layers around a {@link Module}.
 *
 * @typeParam Input - what the module reads; anything but the layer's tensors is for `inputOf` to make
 */
export abstract class ModuleLayer<
  Options extends object,
  Name extends string,
  Input = tf.Tensor[],
> extends layers.Layer {
  readonly #options: Options & SeededLayerArgs;
  readonly #module: Module<Input, Name>;
  readonly #outputShape: readonly number[];
  readonly #variables: Partial<Record<Name, LayerVariable>> = {};

  /** @param outputShape - without the batch */
  constructor(options: Options & SeededLayerArgs, module: Module<Input, Name>, outputShape: readonly number[]) {
    super(options);
    this.#options = options;
    this.#module = module;
    this.#outputShape = outputShape;
  }

  override build(inputShape: Shape | Shape[]): void {
    for (const key of Object.keys(this.#module.weights) as Name[]) {
      const weight = this.#module.weights[key];
      const variable = this.addWeight(key, [...weight.shape], "float32", initializers.zeros());
      // Written, not initialised: tfjs's own initializers take seed 0 as none.
      const initial = initialValues(weight, this.#options.seed ?? 0, key);
      variable.write(initial);
      initial.dispose();
      this.#variables[key] = variable;
    }
    super.build(inputShape);
  }

  /** What the module reads in a call; called within its tidy. */
  protected inputOf(inputs: tf.Tensor[], _kwargs: CallArgs): Input {
    return inputs as Input;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArgs = {}): tf.Tensor {
    const weights = {} as Record<Name, tf.Tensor>;
    for (const [key, variable] of Object.entries<LayerVariable | undefined>(this.#variables)) {
      if (variable !== undefined) weights[key as Name] = variable.read();
    }
    return tf.tidy(() => this.#module.apply(weights, this.inputOf(Array.isArray(inputs) ? inputs : [inputs], kwargs)));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const first = Array.isArray(inputShape[0]) ? inputShape[0] : (inputShape as Shape);
    return [first[0] ?? null, ...this.#outputShape];
  }

  override getConfig(): Config {
    return { ...(this.#options as Config), ...super.getConfig() };
  }
}
