import { ConfigError } from "../errors.ts";

/** @throws ConfigError unless `value` is an integer of at least `least` */
export function checkInteger(where: string, name: string, value: unknown, least = 1): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw new ConfigError({ where, expected: `${name} to be an integer of at least ${least}`, received: value });
}

/** @throws ConfigError unless `value` is at least 0 and below 1 */
export function checkRate(where: string, name: string, value: unknown): void {
  if (typeof value === "number" && value >= 0 && value < 1) return;
  throw new ConfigError({ where, expected: `${name} to be at least 0 and below 1`, received: value });
}
