import { ConfigError } from "./errors.ts";
import { Random } from "./random.ts";

/**
 * Cuts rows into parts with equal shares of every class. What rounding leaves over goes to the first part, so that a class of few rows is
 * at least there. Which rows of a class go where depends on the seed and on that class alone.
 *
 * @param labels - class of each row
 * @param shares - of every part but the first, which has the rest
 * @returns the rows of each part, ascending; the first part, then one for each of `shares`
 * @throws ConfigError when a share is not above 0, or they leave nothing for the first part
 *
 * @example
 * ```ts
 * const labels = Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1, 0, 1);
 * const [train, validation, test] = stratifiedSplit(labels, [0.2, 0.2], 7);
 * console.log(train?.length, validation?.length, test?.length); // 6 2 2
 * ```
 */
export function stratifiedSplit(labels: Int32Array, shares: readonly number[], seed: number): Int32Array[] {
  if (!shares.every((share) => share > 0) || !(shares.reduce((sum, share) => sum + share, 0) < 1)) {
    const expected = "shares above 0 and together below 1";
    throw new ConfigError({ where: "stratifiedSplit", expected, received: shares.join(" and ") });
  }
  const members = new Map<number, number[]>();
  labels.forEach((label, row) => {
    const rows = members.get(label);
    if (rows === undefined) members.set(label, [row]);
    else rows.push(row);
  });
  const parts = new Uint8Array(labels.length);
  for (const [label, rows] of members) {
    Random.from(seed, "split", label).shuffle(rows);
    let start = 0;
    shares.forEach((share, part) => {
      const end = start + Math.min(Math.round(share * rows.length), rows.length - 1 - start);
      for (; start < end; start++) parts[rows[start] as number] = part + 1;
    });
  }
  const all = Int32Array.from(labels.keys());
  return [0, ...shares].map((_, part) => all.filter((row) => parts[row] === part));
}
