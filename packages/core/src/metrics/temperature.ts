import { ConfigError } from "../errors.ts";
import { argmax, checkPredictions, type Predictions } from "./predictions.ts";

/** The temperatures between which {@link fitTemperature} searches. */
export const TEMPERATURE_LIMITS: { readonly lowest: 0.01; readonly highest: 100 } = { lowest: 0.01, highest: 100 };

/** First and second derivative of the mean NLL by the inverse temperature: E[z] - z_label and Var[z], averaged over rows. */
function derivatives(p: Predictions, inverse: number): { first: number; second: number } {
  const { logits, labels, classes } = p;
  let first = 0;
  let second = 0;
  for (let row = 0; row < labels.length; row++) {
    const start = row * classes;
    const highest = logits[start + argmax(logits, start, classes)] as number;
    let sum = 0;
    let mean = 0;
    let square = 0;
    for (let i = start; i < start + classes; i++) {
      const z = (logits[i] as number) - highest;
      const weight = Math.exp(z * inverse);
      sum += weight;
      mean += weight * z;
      square += weight * z * z;
    }
    mean /= sum;
    first += mean - ((logits[start + (labels[row] as number)] as number) - highest);
    second += square / sum - mean * mean;
  }
  return { first: first / labels.length, second: second / labels.length };
}

/**
 * The temperature T that minimises the NLL of softmax(logits / T) on these rows (Guo et al. 2017). Fit it on validation rows
 * only.
 *
 * The NLL is convex in 1 / T; its minimum is found by Newton's method within a bracket, to ten digits. Where no minimum lies
 * between the limits the nearer limit is the answer: 0.01 when every label has the largest logit (any lower T would be better
 * still), 100 when the logits say less than nothing of the labels. Logits without any spread give 1.
 *
 * @returns a number in [0.01, 100]
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * const logits = Float64Array.of(0, 4, 0, 4, 0, 4, 0, 4);
 * fitTemperature({ logits, labels: Int32Array.of(1, 1, 1, 0), classes: 2 }); // 3.64: 4 / ln 3
 * ```
 */
export function fitTemperature(p: Predictions): number {
  checkPredictions(p, "fitTemperature");
  const { logits, classes } = p;
  if (logits.every((logit, i) => logit === logits[i - (i % classes)])) return 1;
  let lower = 1 / TEMPERATURE_LIMITS.highest;
  let upper = 1 / TEMPERATURE_LIMITS.lowest;
  let inverse = 1;
  let { first, second } = derivatives(p, inverse);
  if (derivatives(p, upper).first <= 0) return TEMPERATURE_LIMITS.lowest;
  if (derivatives(p, lower).first >= 0) return TEMPERATURE_LIMITS.highest;
  for (let previous = Number.POSITIVE_INFINITY; ; { first, second } = derivatives(p, inverse)) {
    // Far from the minimum both derivatives can underflow: then the bracket alone says when to stop.
    const newton = inverse - first / second;
    if (first === 0 || upper - lower <= 1e-10 * upper) return 1 / inverse;
    if (Math.abs(newton - inverse) <= 1e-10 * inverse) return 1 / newton;
    if (first < 0) lower = inverse;
    else upper = inverse;
    // A step that leaves the bracket, or that followed one which did not halve the slope, gives way to bisection on a log scale.
    const trusted = newton > lower && newton < upper && Math.abs(first) < previous / 2;
    previous = Math.abs(first);
    inverse = trusted ? newton : Math.sqrt(lower * upper);
  }
}

/**
 * Predictions with every logit divided by the temperature. Predicted classes stay as they were.
 *
 * @throws ConfigError when the temperature is not a positive number
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * const validation = { logits: Float64Array.of(0, 4, 0, 4, 0, 4), labels: Int32Array.of(1, 1, 0), classes: 2 };
 * const test = { logits: Float64Array.of(3, 0), labels: Int32Array.of(0), classes: 2 };
 * const calibrated = applyTemperature(test, fitTemperature(validation));
 * ```
 */
export function applyTemperature(p: Predictions, temperature: number): Predictions {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new ConfigError({ where: "applyTemperature", expected: "a positive temperature", received: temperature });
  }
  checkPredictions(p, "applyTemperature");
  return { ...p, logits: Float64Array.from(p.logits).map((logit) => logit / temperature) };
}
