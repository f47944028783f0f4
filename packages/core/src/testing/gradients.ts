import * as tf from "@tensorflow/tfjs-core";
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
