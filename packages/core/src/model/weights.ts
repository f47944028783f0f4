import * as tf from "@tensorflow/tfjs-core";
import { FormatError } from "../errors.ts";
import type { NamedVariable } from "./encoder.ts";
import type { GatedClassifier } from "./gated-classifier.ts";

/** A model's numbers in host memory, by name: all parameters and buffers, and `gate/log_alpha` and `gate/fixed` where there is a gate. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** A copy of all weights. */
export async function readWeights<Batch>(model: GatedClassifier<Batch>): Promise<Weights> {
  return readVariables(model.variables);
}

/** Copies of the variables' values, by name. */
export async function readVariables(variables: readonly NamedVariable[]): Promise<Weights> {
  const values = await Promise.all(variables.map(({ variable }) => variable.data<"float32">()));
  // data() may hand out the backend's own array, which later steps overwrite.
  return new Map(variables.map(({ name }, i) => [name, Float32Array.from(values[i] ?? [])]));
}

/**
 * Sets all weights, for example to a protocol's of a `FitResult`.
 *
 * @throws FormatError when a name is missing or unknown, or a length differs
 */
export function assignWeights<Batch>(model: GatedClassifier<Batch>, weights: Weights): void {
  assignVariables(model.variables, weights);
}

/**
 * Sets the variables to the values of the same names.
 *
 * @throws FormatError when a name is missing or unknown, or a length differs
 */
export function assignVariables(variables: readonly NamedVariable[], values: Weights): void {
  const where = "weights";
  const known = new Set(variables.map(({ name }) => name));
  const unknown = [...values.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new FormatError({ where, expected: "weights of this model only", received: `"${unknown}"` });
  }
  for (const { name, variable } of variables) {
    const value = values.get(name);
    if (value?.length !== variable.size) {
      throw new FormatError({
        where,
        expected: `"${name}" with ${variable.size} numbers`,
        received: value === undefined ? "no such name" : `${value.length} numbers`,
      });
    }
    const tensor = tf.tensor(value.slice(), variable.shape);
    variable.assign(tensor);
    tensor.dispose();
  }
}
