import {
  All,
  Any,
  Equal,
  type GradConfig,
  Greater,
  Less,
  LessEqual,
  LogicalAnd,
  LogicalNot,
  LogicalOr,
  LogicalXor,
  NotEqual,
  zeros,
} from "@tensorflow/tfjs-core";
import { nth } from "../operations/fused.ts";

/** A gradient of zero: the result is the same around almost every argument. tfjs has it for `GreaterEqual` alone. */
function constant(kernelName: string, inputs: readonly string[]): GradConfig {
  return {
    kernelName,
    inputsToSave: [...inputs],
    gradFunc: (_, saved) => Object.fromEntries(inputs.map((input, i) => [input, () => zeros(nth(saved, i).shape)])),
  };
}

const OF_TWO = [Equal, NotEqual, Greater, Less, LessEqual, LogicalAnd, LogicalOr, LogicalXor];
const OF_ONE = [LogicalNot, All, Any];

/** So that a model may choose by a comparison: `tf.where(tf.greater(x, 0), x, 0)`. */
export const comparisonGradients: readonly GradConfig[] = [
  ...OF_TWO.map((name) => constant(name, ["a", "b"])),
  ...OF_ONE.map((name) => constant(name, ["x"])),
];
