import { dense } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../errors.ts";
import type { Random } from "../random.ts";
import type { Linear, Parameter } from "./encoder.ts";

/** Sizes of a {@link Projection} and where its initial weights come from. */
export interface ProjectionOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly random: Random;
  /** Prefix of the parameters' names. @defaultValue "projection" */
  readonly name?: string;
}

/**
 * Checks the dimensions that are to be kept; some backends gather from beyond the end without a word.
 *
 * @throws ShapeError when there are none or one is out of range
 */
export function checkKept(keep: readonly number[], dimensions: number, where: string): void {
  const wrong = keep.find((j) => !Number.isInteger(j) || j < 0 || j >= dimensions);
  if (keep.length > 0 && wrong === undefined) return;
  throw new ShapeError({
    where,
    expected: `at least one index from 0 to ${dimensions - 1}`,
    received: wrong ?? "none",
  });
}

/**
 * A linear layer `x W + b` whose outputs can be removed one by one: the layer from which a representation comes, and the head that
 * reads it.
 *
 * @example
 * ```ts
 * await useBackend("cpu");
 * const layer = Projection.create({ inputs: 8, outputs: 4, random: Random.from(0, "initial") });
 * const slim = layer.select([0, 2]);
 * console.log(slim.kernel.shape); // 8, 2
 * ```
 */
export class Projection implements Linear {
  readonly kernel: tf.Variable<tf.Rank.R2>;
  readonly bias: tf.Variable<tf.Rank.R1>;
  readonly #name: string;

  /** Takes over the two tensors. */
  private constructor(kernel: tf.Tensor2D, bias: tf.Tensor1D, name: string) {
    this.kernel = tf.variable(kernel);
    this.bias = tf.variable(bias);
    tf.dispose([kernel, bias]);
    this.#name = name;
  }

  /** Glorot-uniform kernel (Glorot and Bengio 2010), zero bias. */
  static create({ inputs, outputs, random, name = "projection" }: ProjectionOptions): Projection {
    const limit = Math.sqrt(6 / (inputs + outputs));
    const kernel = tf.tensor2d(random.uniforms(inputs * outputs, -limit, limit), [inputs, outputs]);
    return new Projection(kernel, tf.zeros([outputs]), name);
  }

  get parameters(): readonly Parameter[] {
    return [
      { name: `${this.#name}/kernel`, variable: this.kernel, decay: true },
      { name: `${this.#name}/bias`, variable: this.bias, decay: false },
    ];
  }

  /** Trainable numbers; also the multiply-accumulates a row, bias aside. */
  get size(): number {
    return this.kernel.size + this.bias.size;
  }

  /**
   * @param x - `[rows, inputs]`
   * @returns `[rows, outputs]`, the caller's to dispose
   */
  apply(x: tf.Tensor2D): tf.Tensor2D {
    return tf.tidy(() => dense(x, this.kernel, this.bias) as tf.Tensor2D);
  }

  /**
   * A copy that makes only the outputs `keep`, in that order.
   *
   * @throws ShapeError when an index is out of range
   */
  select(keep: readonly number[]): Projection {
    checkKept(keep, this.bias.size, "Projection.select");
    const index = tf.tensor1d([...keep], "int32");
    const selected = new Projection(
      tf.gather<tf.Tensor2D>(this.kernel, index, 1),
      tf.gather<tf.Tensor1D>(this.bias, index),
      this.#name,
    );
    index.dispose();
    return selected;
  }

  /**
   * A copy that reads only the inputs `keep`, each scaled by its value: what is left of a head when its inputs were multiplied by
   * `values` and all but `keep` are 0.
   *
   * @param values - `[inputs]`
   * @throws ShapeError when an index is out of range
   */
  selectInputs(keep: readonly number[], values: Float32Array): Projection {
    checkKept(keep, this.kernel.shape[0], "Projection.selectInputs");
    const kernel = tf.tidy(() =>
      tf.mul(
        tf.gather(this.kernel, tf.tensor1d([...keep], "int32")),
        tf.tensor2d(
          keep.map((j) => values[j] ?? 0),
          [keep.length, 1],
        ),
      ),
    );
    return new Projection(kernel as tf.Tensor2D, tf.clone(this.bias), this.#name);
  }

  dispose(): void {
    this.kernel.dispose();
    this.bias.dispose();
  }
}
