/** Whether implementations compute the same thing, without which their times say nothing. */

/** For each number of `checks`: the loss at the same parameters, and the one after an update by gradients that were rounded differently. */
const TOLERANCES = [1e-4, 1e-3];

const LABELS = ["the first value", "the value after a step"];

/**
 * Says how the numbers of implementations that have to agree differ.
 *
 * @returns undefined when they agree
 */
export function disagreement(checks: ReadonlyMap<string, readonly number[]>): string | undefined {
  const all = [...checks];
  const lengths = new Set(all.map(([, values]) => values.length));
  if (lengths.size > 1) return `some give ${[...lengths].join(", others ")} numbers`;
  const [count = 0] = lengths;
  for (let i = 0; i < count; i++) {
    const values = all.map(([, each]) => each[i] ?? Number.NaN);
    const tolerance = TOLERANCES[i] ?? 0;
    // Written so that NaN disagrees.
    if (!(Math.max(...values) - Math.min(...values) <= tolerance)) {
      const shown = all.map(([name], k) => `${name} ${values[k]}`).join(", ");
      return `${LABELS[i] ?? "a value"} differs by more than ${tolerance}: ${shown}`;
    }
  }
  return undefined;
}
