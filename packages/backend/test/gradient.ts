import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { type Arguments, asArguments } from "./against-cpu.ts";

/**
 * Compares the gradient of a scalar with central differences at a fixed point.
 *
 * @param shapes - of the arguments
 */
export function expectGradient(shapes: readonly number[][], f: (xs: Arguments) => tf.Tensor): void {
  const step = 2 ** -6;
  const points = shapes.map((shape, k) =>
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(1 + 7 * i + 3 * k)),
  );
  const tensors = (): tf.Tensor[] => shapes.map((shape, k) => tf.tensor(points[k] ?? [], shape, "float32"));
  const value = (): number => tf.tidy(() => f(asArguments(tensors())).dataSync()[0] ?? Number.NaN);
  const gradients = tf.tidy(() => {
    return tf
      .grads((...args: tf.Tensor[]) => f(asArguments(args)))(tensors())
      .map((g) => Array.from(g.dataSync()));
  });
  points.forEach((point, k) => {
    for (let i = 0; i < point.length; i++) {
      const original = point[i] ?? 0;
      point[i] = original + step;
      const above = value();
      point[i] = original - step;
      const below = value();
      point[i] = original;
      const slope = (above - below) / (2 * step);
      expect(Math.abs((gradients[k]?.[i] ?? Number.NaN) - slope)).toBeLessThan(2e-2 * (1 + Math.abs(slope)));
    }
  });
}
