import type { Estimate } from "./aggregate.ts";
import type { Measure } from "./measures.ts";

/** Shown where there is no number. */
export const MISSING = "–";

const MINUS = "−";

/** Fixed digits, thousands separated, a true minus sign; {@link MISSING} for what is absent or not finite. */
export function formatNumber(value: number | undefined, digits = 0): string {
  if (value === undefined || !Number.isFinite(value)) return MISSING;
  const text = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** As {@link formatNumber}, with a plus sign on what is above zero. */
export function formatSigned(value: number | undefined, digits: number): string {
  const text = formatNumber(value, digits);
  return value !== undefined && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** `85.21 ± 0.12`, or the mean alone where one seed gives no interval. */
export function formatEstimate(estimate: Estimate | undefined, measure: Measure): string {
  if (estimate === undefined) return MISSING;
  const mean = formatNumber(estimate.mean * measure.scale, measure.digits);
  if (estimate.interval === undefined) return mean;
  return `${mean} ± ${formatNumber(estimate.interval.halfWidth * measure.scale, measure.digits)}`;
}

/** `−0.05 [−0.21, +0.11]`, or the difference alone where one seed gives no interval. */
export function formatDifference(estimate: Estimate | undefined, measure: Measure): string {
  if (estimate === undefined) return MISSING;
  const signed = (value: number): string => formatSigned(value * measure.scale, measure.digits);
  const { mean, interval } = estimate;
  return interval === undefined
    ? signed(mean)
    : `${signed(mean)} [${signed(interval.lower)}, ${signed(interval.upper)}]`;
}

/** `[−0.41, +0.31]`; nothing where the difference was not bootstrapped over test rows. */
export function formatBootstrap(estimate: Estimate | undefined, measure: Measure): string {
  if (estimate?.bootstrap === undefined) return "";
  const { lower, upper } = estimate.bootstrap;
  return `[${formatSigned(lower * measure.scale, measure.digits)}, ${formatSigned(upper * measure.scale, measure.digits)}]`;
}

/** `1/8` where the fraction is one over a whole number, else up to three decimals. */
export function formatFraction(fraction: number): string {
  const inverse = 1 / fraction;
  if (fraction < 1 && Number.isFinite(inverse) && Math.abs(inverse - Math.round(inverse)) < 1e-9) {
    return `1/${Math.round(inverse)}`;
  }
  return String(Number(fraction.toFixed(3)));
}

/** Seconds as `12.3 s`, `4 min 5 s` or `2 h 3 min`. */
export function formatDuration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return MISSING;
  if (seconds < 60) return `${formatNumber(seconds, seconds < 10 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Bytes as `64 B`, `1.5 KiB` or `310 MiB`. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return MISSING;
  if (bytes < 1024) return `${formatNumber(bytes)} B`;
  if (bytes < 1024 ** 2) return `${formatNumber(bytes / 1024, 1)} KiB`;
  return `${formatNumber(bytes / 1024 ** 2)} MiB`;
}

/** `1 seed`, `5 seeds`. */
export function plural(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}
