import { L0gmError, ShapeError } from "../errors.ts";

/** How far apart numbers may be: `|actual - expected| <= absolute + relative * |expected|`. */
export interface Tolerance {
  /** @defaultValue 1e-6 */
  readonly absolute?: number;
  /** @defaultValue 0 */
  readonly relative?: number;
}

/**
 * Checks that two sequences of numbers agree. NaN agrees with nothing.
 *
 * @param where - named in the error
 * @throws ShapeError when the lengths differ
 * @throws L0gmError when numbers differ by more than the tolerance, naming the one that is furthest off
 *
 * @example
 * ```ts
 * import { expectClose } from "@l0gm/core/testing";
 * expectClose([0.1 + 0.2, 1], [0.3, 1], { absolute: 1e-12 });
 * ```
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 1e-6, relative = 0 }: Tolerance = {},
  where = "expectClose",
): void {
  if (actual.length !== expected.length) {
    throw new ShapeError({ where, expected: `${expected.length} numbers`, received: actual.length });
  }
  let wrong = 0;
  let furthest = { index: -1, excess: 0 };
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] ?? Number.NaN;
    const e = expected[i] ?? Number.NaN;
    const excess = Math.abs(a - e) - absolute - relative * Math.abs(e);
    // Two equal infinities have a NaN difference; a comparison with NaN is false.
    if (a === e || excess <= 0) continue;
    wrong++;
    if (furthest.index < 0 || !(excess <= furthest.excess)) furthest = { index: i, excess };
  }
  if (wrong === 0) return;
  throw new L0gmError({
    where: `${where}[${furthest.index}]`,
    expected: `${expected[furthest.index]} ± ${absolute + relative * Math.abs(expected[furthest.index] ?? 0)}`,
    received: actual[furthest.index],
    hint: `${wrong} of ${expected.length} numbers are off`,
  });
}
