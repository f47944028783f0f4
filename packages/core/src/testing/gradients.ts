import * as tf from "@tensorflow/tfjs-core";
import type { NamedVariable } from "../model/encoder.ts";
import { Random } from "../random.ts";
import { expectClose } from "./closeness.ts";

/** Options of {@link finiteDifferences}. */
export interface DifferenceOptions {
  /**
   * Half the distance between the two points of a central difference. Too small drowns in float32 rounding (error 1e-7 / epsilon),
   * too large misses curvature (error epsilon^2).
   * @defaultValue 1e-2
   */
  readonly epsilon?: number;
  /** Weight of each of the function's outputs in the sum that is differentiated. @defaultValue all 1 */
  readonly weights?: ArrayLike<number>;
}

/** Options of {@link checkGradient}. */
export interface GradientOptions {
  /** As in {@link DifferenceOptions}. @defaultValue 1e-2 */
  readonly epsilon?: number;
  /** Allowed difference, relative to the larger of 1 and the gradient. @defaultValue 1e-3 */
  readonly tolerance?: number;
  /** Seed of the outputs' weights. @defaultValue 0 */
  readonly seed?: number;
}

/** Options of {@link checkParameterGradients}. */
export interface ParameterGradientOptions extends GradientOptions {
  /** Numbers of each variable that are moved, drawn by the seed; all of a variable that has no more. @defaultValue 20 */
  readonly samples?: number;
}

/** A function under test; it must not dispose `x`, and must give the same result every time. */
export type TensorFunction = (x: tf.Tensor) => tf.Tensor;

/**
 * Gradient of `sum(weights * f(x))` with respect to `x` by central differences: two evaluations of `f` per number in `x`, summed in
 * Float64.
 *
 * @returns one number per number in `x`
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { finiteDifferences } from "@l0gm/core/testing";
 * await useBackend("cpu");
 * console.log((await finiteDifferences((x) => tf.square(x), tf.tensor1d([3])))[0]?.toFixed(2)); // about 6
 * ```
 */
export async function finiteDifferences(
  f: TensorFunction,
  x: tf.Tensor,
  { epsilon = 1e-2, weights }: DifferenceOptions = {},
): Promise<Float64Array> {
  const point = Float32Array.from(await x.data());
  const valueAt = async (index: number, coordinate: number): Promise<number> => {
    const moved = point.slice();
    moved[index] = coordinate;
    const y = tf.tidy(() => f(tf.tensor(moved, x.shape, "float32")));
    const outputs: ArrayLike<number> = await y.data();
    y.dispose();
    let sum = 0;
    for (let i = 0; i < outputs.length; i++) sum += (outputs[i] ?? 0) * (weights?.[i] ?? 1);
    return sum;
  };
  const gradient = new Float64Array(point.length);
  for (const [i, centre] of point.entries()) {
    // The distance that float32 really leaves between the two points, not the one that was asked for.
    const low = Math.fround(centre - epsilon);
    const high = Math.fround(centre + epsilon);
    gradient[i] = ((await valueAt(i, high)) - (await valueAt(i, low))) / (high - low);
  }
  return gradient;
}

/**
 * Checks the gradient that TensorFlow.js computes of `f` at `x` against finite differences. The function's outputs are summed with
 * fixed random weights, so a gradient that mixes up outputs is found as well.
 *
 * @param x - a point at which `f` is smooth within `epsilon`
 * @throws L0gmError naming the number in `x` whose gradient is furthest off
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { checkGradient } from "@l0gm/core/testing";
 * await useBackend("cpu");
 * await checkGradient((x) => tf.sigmoid(x), tf.tensor1d([-1, 0.5, 2]));
 * ```
 */
export async function checkGradient(
  f: TensorFunction,
  x: tf.Tensor,
  { epsilon = 1e-2, tolerance = 1e-3, seed = 0 }: GradientOptions = {},
): Promise<void> {
  const shape = tf.tidy(() => f(x).shape);
  const weights = Random.from(seed, "check-gradient").uniforms(tf.util.sizeFromShape(shape), 0.5, 1.5);
  const gradient = tf.tidy(() => tf.grad(f)(x, tf.tensor(weights, shape)));
  const actual = await gradient.data();
  gradient.dispose();
  const expected = await finiteDifferences(f, x, { epsilon, weights });
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  expectClose(actual, expected, { absolute: tolerance * scale }, "gradient");
}

/**
 * Checks the gradients that TensorFlow.js computes of a model for its variables against central differences, variable by variable. As in
 * {@link checkGradient}, the outputs are summed with fixed random weights.
 *
 * @param f - must give the same result every time, and must not dispose the variables
 * @throws L0gmError naming the variable and the number in it whose gradient is furthest off
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { checkParameterGradients } from "@l0gm/core/testing";
 * await useBackend("cpu");
 * const slope = tf.variable(tf.tensor1d([1, 2]));
 * await checkParameterGradients(() => tf.square(slope), [{ name: "slope", variable: slope }]);
 * ```
 */
export async function checkParameterGradients(
  f: () => tf.Tensor,
  parameters: readonly NamedVariable[],
  { epsilon = 1e-2, tolerance = 1e-3, seed = 0, samples = 20 }: ParameterGradientOptions = {},
): Promise<void> {
  const random = Random.from(seed, "check-gradient");
  const shape = tf.tidy(() => f().shape);
  const weights = tf.tensor(random.uniforms(tf.util.sizeFromShape(shape), 0.5, 1.5), shape);
  const variables = parameters.map(({ variable }) => variable);
  const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(f(), weights)) as tf.Scalar, variables);
  // In Float64: a float32 sum of many outputs would drown the differences.
  const total = async (): Promise<number> => {
    const products = tf.tidy(() => tf.mul(f(), weights));
    const outputs = await products.data<"float32">();
    products.dispose();
    return outputs.reduce((sum, output) => sum + output, 0);
  };
  try {
    for (const { name, variable } of parameters) {
      const gradient = (await grads[variable.name]?.data<"float32">()) ?? new Float32Array(variable.size);
      const point = Float32Array.from(await variable.data());
      const moved = random.permutation(point.length).subarray(0, samples);
      const at = async (index: number, coordinate: number): Promise<number> => {
        tf.tidy(() =>
          variable.assign(tf.tensor(Float32Array.from(point).fill(coordinate, index, index + 1), variable.shape)),
        );
        return await total();
      };
      const expected = new Float64Array(moved.length);
      for (const [i, index] of moved.entries()) {
        const centre = point[index] ?? 0;
        const [low, high] = [Math.fround(centre - epsilon), Math.fround(centre + epsilon)];
        expected[i] = ((await at(index, high)) - (await at(index, low))) / (high - low);
      }
      tf.tidy(() => variable.assign(tf.tensor(point, variable.shape)));
      const scale = expected.reduce((largest, each) => Math.max(largest, Math.abs(each)), 1);
      const actual = Array.from(moved, (index) => gradient[index] ?? 0);
      expectClose(actual, expected, { absolute: tolerance * scale }, `gradient of ${name} at [${moved}]`);
    }
  } finally {
    tf.dispose([weights, value, ...Object.values(grads)]);
  }
}
