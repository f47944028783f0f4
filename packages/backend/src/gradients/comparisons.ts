import { Equal, type GradConfig, Greater, Less, LessEqual, NotEqual, zeros } from "@tensorflow/tfjs-core";
import { nth } from "../operations/fused.ts";

/** A gradient of zero: the result is the same around almost every argument. tfjs has it for `GreaterEqual` alone. */
function constant(kernelName: string): GradConfig {
  return {
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (_, saved) => ({ a: () => zeros(nth(saved, 0).shape), b: () => zeros(nth(saved, 1).shape) }),
  };
}

/**
 * So that a model may choose by a comparison: `tf.where(tf.greater(x, 0), x, 0)`. Logic has no gradient still, as one of tfjs's own tests
 * demands: multiply by conditions that are cast to float32 instead.
 */
export const comparisonGradients: readonly GradConfig[] = [Equal, NotEqual, Greater, Less, LessEqual].map(constant);
