import * as tf from "@tensorflow/tfjs-core";
import type { NamedVariable, Parameter } from "../model/encoder.ts";
import { Random } from "../random.ts";

/** Makes the initial values of a weight. */
export type Fill = (random: Random, size: number) => Float32Array;

/** A weight that a {@link Module} needs. */
export interface Weight {
  readonly shape: readonly number[];
  readonly fill: Fill;
  /** Whether decoupled weight decay applies. */
  readonly decay: boolean;
  /** Factor on the learning rate. @defaultValue 1 */
  readonly rate?: number;
  /** False for what stays as it is loaded, and costs no gradient. @defaultValue true */
  readonly trainable?: boolean;
}

/**
 * A differentiable function and the weights it needs, without the weights themselves: layers of tf.layers and encoders own theirs in
 * different ways.
 */
export interface Module<Input, Name extends string> {
  readonly weights: Readonly<Record<Name, Weight>>;
  /** Multiply-accumulates a row in matrix products; elementwise operations are not counted. */
  readonly macs: number;
  /** @returns the caller's to dispose; may leave intermediate tensors, so a tidy has to be around it */
  apply(weights: Readonly<Record<Name, tf.Tensor>>, input: Input): tf.Tensor;
}

export const zeros: Fill = (_, size) => new Float32Array(size);
export const ones: Fill = (_, size) => new Float32Array(size).fill(1);

export function normal(deviation: number): Fill {
  return (random, size) => random.normals(size, 0, deviation);
}

export function uniform(bound: number): Fill {
  return (random, size) => random.uniforms(size, -bound, bound);
}

/** For layers that are followed by a ReLU (He et al. 2015). */
export function heUniform(inputs: number): Fill {
  return uniform(Math.sqrt(6 / inputs));
}

/** For linear layers (Glorot and Bengio 2010). */
export function glorotUniform(inputs: number, outputs: number): Fill {
  return uniform(Math.sqrt(6 / (inputs + outputs)));
}

/** A weight's initial values depend on the seed and its name alone, not on what else was made before it. */
export function initialValues(weight: Weight, seed: number, name: string): tf.Tensor {
  const size = tf.util.sizeFromShape([...weight.shape]);
  return tf.tensor(weight.fill(Random.from(seed, "initial", name), size), [...weight.shape], "float32");
}

/** Makes and holds the variables of modules. */
export class ModuleWeights {
  readonly #parameters: Parameter[] = [];
  readonly #buffers: NamedVariable[] = [];
  readonly #initial: (name: string, weight: Weight) => tf.Tensor;
  #macs = 0;

  private constructor(initial: (name: string, weight: Weight) => tf.Tensor) {
    this.#initial = initial;
  }

  static seeded(seed: number): ModuleWeights {
    return new ModuleWeights((name, weight) => initialValues(weight, seed, name));
  }

  /** Starts from the values of other variables of the same names. */
  static copied(variables: readonly NamedVariable[]): ModuleWeights {
    const values = new Map(variables.map(({ name, variable }) => [name, variable]));
    return new ModuleWeights((name, weight) => tf.clone(values.get(name) ?? tf.zeros([...weight.shape])));
  }

  get parameters(): readonly Parameter[] {
    return this.#parameters;
  }

  /** Weights that are not trained. */
  get buffers(): readonly NamedVariable[] {
    return this.#buffers;
  }

  /** Of all modules together. */
  get macs(): number {
    return this.#macs;
  }

  /** Makes a module's variables, named `prefix/weight`, and gives back the module as a function of its input. */
  bind<Input, Name extends string>(prefix: string, module: Module<Input, Name>): (input: Input) => tf.Tensor {
    const variables = {} as Record<Name, tf.Variable>;
    for (const key of Object.keys(module.weights) as Name[]) {
      const name = `${prefix}/${key}`;
      const { decay, rate = 1, trainable = true } = module.weights[key];
      const initial = this.#initial(name, module.weights[key]);
      const variable = tf.variable(initial, trainable);
      initial.dispose();
      variables[key] = variable;
      if (trainable) this.#parameters.push({ name, variable, decay, rate });
      else this.#buffers.push({ name, variable });
    }
    this.#macs += module.macs;
    return (input) => module.apply(variables, input);
  }

  dispose(): void {
    for (const { variable } of [...this.#parameters, ...this.#buffers]) variable.dispose();
  }
}
