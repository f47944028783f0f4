/**
 * Checks for tests of gates and encoders: gradients against finite differences, live tensors, closeness of numbers. They throw plain
 * errors, so they serve any test runner.
 *
 * @packageDocumentation
 */

export { expectClose, type Tolerance } from "./closeness.ts";
export {
  checkGradient,
  checkParameterGradients,
  type DifferenceOptions,
  finiteDifferences,
  type GradientOptions,
  type ParameterGradientOptions,
  type TensorFunction,
} from "./gradients.ts";
export { countTensors, expectNoLeak } from "./leaks.ts";
