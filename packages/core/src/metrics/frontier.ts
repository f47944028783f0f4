import { DataError } from "../errors.ts";

/** A trade-off between something paid and something gained. */
export interface TradeOff {
  /** Lower is better, for example the active fraction. */
  readonly cost: number;
  /** Higher is better, for example accuracy. */
  readonly value: number;
}

/** How to read a {@link TradeOff} from points of another shape. Negate what runs the other way. */
export interface TradeOffAxes<Point> {
  readonly cost: (point: Point) => number;
  readonly value: (point: Point) => number;
}

interface Placed<Point> extends TradeOff {
  readonly point: Point;
}

const OWN_AXES: TradeOffAxes<TradeOff> = { cost: (point) => point.cost, value: (point) => point.value };

function place<Point>(points: readonly Point[], axes: TradeOffAxes<Point>, where: string): Placed<Point>[] {
  return points.map((point, index) => {
    const cost = axes.cost(point);
    const value = axes.value(point);
    if (!Number.isFinite(cost) || !Number.isFinite(value)) {
      throw new DataError({
        where,
        expected: "a finite cost and value for every point",
        received: `cost ${cost} and value ${value} at index ${index}`,
        hint: "pass { cost, value } as axes when the points have other properties",
      });
    }
    return { point, cost, value };
  });
}

/** Cheapest first; of equal cost the most valuable first; then as given. */
function undominated<Point>(placed: readonly Placed<Point>[]): Placed<Point>[] {
  let best = Number.NEGATIVE_INFINITY;
  return placed
    .toSorted((a, b) => a.cost - b.cost || b.value - a.value)
    .filter(({ value }) => {
      if (value <= best) return false;
      best = value;
      return true;
    });
}

/**
 * The points that no other point beats: none costs as little or less and is worth as much or more. Of identical points the
 * first stays.
 *
 * @returns the points themselves, by rising cost and so by rising value
 * @throws DataError when a cost or value is not finite
 *
 * @example
 * ```ts
 * const runs = [{ fraction: 1, accuracy: 0.85 }, { fraction: 0.125, accuracy: 0.851 }, { fraction: 0.25, accuracy: 0.849 }];
 * paretoFrontier(runs, { cost: (run) => run.fraction, value: (run) => run.accuracy }); // the second alone
 * ```
 */
export function paretoFrontier<Point extends TradeOff>(points: readonly Point[]): Point[];
export function paretoFrontier<Point>(points: readonly Point[], axes: TradeOffAxes<Point>): Point[];
export function paretoFrontier(points: readonly TradeOff[], axes: TradeOffAxes<TradeOff> = OWN_AXES): TradeOff[] {
  return undominated(place(points, axes, "paretoFrontier")).map(({ point }) => point);
}

/**
 * Area between a reference and the frontier of the points: of all (cost, value) no better than some point and no worse than
 * the reference (Zitzler and Thiele 1998). Exact. Points that are no better than the reference on both axes add nothing.
 *
 * @param reference - the worst trade-off that counts, for example the active fraction 1 and the accuracy of guessing. Compare
 * hypervolumes only under one reference
 * @returns the area in units of cost times value, 0 without points
 * @throws DataError when a cost or value, of a point or of the reference, is not finite
 *
 * @example
 * ```ts
 * hypervolume([{ cost: 0.5, value: 0.9 }, { cost: 0.25, value: 0.8 }], { cost: 1, value: 0.5 }); // 0.275
 * ```
 */
export function hypervolume(points: readonly TradeOff[], reference: TradeOff): number;
export function hypervolume<Point>(points: readonly Point[], reference: TradeOff, axes: TradeOffAxes<Point>): number;
export function hypervolume(
  points: readonly TradeOff[],
  reference: TradeOff,
  axes: TradeOffAxes<TradeOff> = OWN_AXES,
): number {
  place([reference], OWN_AXES, "hypervolume");
  const better = place(points, axes, "hypervolume").filter(
    ({ cost, value }) => cost < reference.cost && value > reference.value,
  );
  const frontier = undominated(better);
  return frontier.reduce((area, { cost, value }, i) => {
    const until = frontier[i + 1]?.cost ?? reference.cost;
    return area + (until - cost) * (value - reference.value);
  }, 0);
}
