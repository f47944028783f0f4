import { ConfigError } from "../errors.ts";
import { checkPredictions, type Predictions, topLabels } from "./predictions.ts";

/** Options of {@link smoothCalibrationError}. */
export interface SmoothCalibrationOptions {
  /** Standard deviation of the kernel, in units of confidence, from 0.001 to 1. Chosen from the data by default. */
  readonly bandwidth?: number;
}

const NARROWEST = 0.001;
/** Intervals of the grid on [0, 1]: two to the narrowest bandwidth. */
const CELLS = 2048;

/**
 * Residuals (confidence minus outcome, over the number of rows) on the nodes of the grid, each shared between its two neighbours so
 * that its mean position stays.
 */
function residualsOnGrid(confidence: Float64Array, correct: Uint8Array): Float64Array {
  const grid = new Float64Array(CELLS + 1);
  const rows = confidence.length;
  for (let row = 0; row < rows; row++) {
    const value = confidence[row] as number;
    const residual = (value - (correct[row] as number)) / rows;
    const left = Math.min(CELLS - 1, Math.floor(value * CELLS));
    const share = value * CELLS - left;
    grid[left] = (grid[left] as number) + (1 - share) * residual;
    grid[left + 1] = (grid[left + 1] as number) + share * residual;
  }
  return grid;
}

/**
 * The integral over [0, 1] of |residuals smoothed with a Gaussian that is reflected at 0 and 1|, as a function of its bandwidth.
 * That kernel is the heat kernel of an insulated rod: it multiplies the k-th cosine mode by exp(-(k pi bandwidth)^2 / 2), so
 * a bandwidth costs no more than the few modes it lets through.
 */
function smoothedError(grid: Float64Array): (bandwidth: number) => number {
  const period = 2 * CELLS;
  const cosine = Float64Array.from({ length: period }, (_, i) => Math.cos((i * Math.PI) / CELLS));
  const modes: number[] = [];
  const mode = (k: number): number => {
    let sum = 0;
    // The phase is k * node modulo the period; a subtraction is several times faster than a remainder.
    for (let node = 0, phase = 0; node <= CELLS; node++) {
      sum += (grid[node] as number) * (cosine[phase] as number);
      phase += k;
      if (phase >= period) phase -= period;
    }
    return k === 0 ? sum : 2 * sum;
  };
  return (bandwidth) => {
    const smoothed = new Float64Array(CELLS + 1);
    for (let k = 0; ; k++) {
      const damping = Math.exp(-((k * Math.PI * bandwidth) ** 2) / 2);
      if (damping < 1e-9) break;
      modes[k] ??= mode(k);
      const amplitude = (modes[k] as number) * damping;
      for (let node = 0, phase = 0; node <= CELLS; node++) {
        smoothed[node] = (smoothed[node] as number) + amplitude * (cosine[phase] as number);
        phase += k;
        if (phase >= period) phase -= period;
      }
    }
    const sum = smoothed.reduce((total, value) => total + Math.abs(value), 0);
    // Trapezoid rule: the two ends count half.
    return (sum - (Math.abs(smoothed[0] as number) + Math.abs(smoothed[CELLS] as number)) / 2) / CELLS;
  };
}

/**
 * Smooth calibration error of the predicted class (Błasiok and Nakkiran 2023): the gap between confidence and accuracy,
 * smoothed with a reflected Gaussian kernel instead of bins, so that it is continuous in the predictions. By default the
 * bandwidth is the one at which the error equals the bandwidth, or 0.001 where the error is below that.
 *
 * Computed on a grid of 2048 intervals, so the time hardly depends on the number of rows. It agrees with the authors' package `relplot`
 * except where many confidences are within 0.001 of 1: there that package gives the rows half their weight, this function does not.
 *
 * @returns a number in [0, 1], 0 for perfect agreement
 * @throws ConfigError when the bandwidth is outside [0.001, 1]
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * const p = { logits: Float64Array.of(0, 2, 0, 2, 0, 2), labels: Int32Array.of(1, 1, 0), classes: 2 };
 * smoothCalibrationError(p); // 0.214
 * ```
 */
export function smoothCalibrationError(p: Predictions, options: SmoothCalibrationOptions = {}): number {
  const where = "smoothCalibrationError";
  const { bandwidth } = options;
  if (bandwidth !== undefined && !(bandwidth >= NARROWEST && bandwidth <= 1)) {
    throw new ConfigError({ where, expected: `a bandwidth from ${NARROWEST} to 1`, received: bandwidth });
  }
  checkPredictions(p, where);
  const { confidence, correct } = topLabels(p);
  const residuals = residualsOnGrid(confidence, correct);
  const error = smoothedError(residuals);
  if (bandwidth !== undefined) return error(bandwidth);
  // Smoothing only lowers the error, so no bandwidth gives more than the sum of the residuals' sizes. And the error falls as the
  // bandwidth grows: the bandwidth that equals its error lies between any bandwidth and the error at it.
  let narrow = NARROWEST;
  let wide = Math.max(
    NARROWEST,
    residuals.reduce((sum, residual) => sum + Math.abs(residual), 0),
  );
  let trial = Math.sqrt(narrow * wide);
  let at = error(trial);
  let slope = 0;
  for (;;) {
    [narrow, wide] = at > trial ? [trial, Math.min(wide, at)] : [Math.max(narrow, at), trial];
    if (wide - narrow <= 1e-6) break;
    // The secant's crossing, kept inside the bracket: a handful of steps where halving takes fifteen.
    const margin = 0.01 * (wide - narrow);
    const next = Math.min(wide - margin, Math.max(narrow + margin, trial + (at - trial) / (1 - slope)));
    const nextAt = error(next);
    slope = Math.min(0, (nextAt - at) / (next - trial));
    trial = next;
    at = nextAt;
  }
  return error(wide);
}
