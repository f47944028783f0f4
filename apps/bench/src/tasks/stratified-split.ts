import { Random } from "@l0gm/core";

/**
 * Cuts rows into parts with equal shares of every class, each part in the order of the rows. What rounding leaves over goes to the
 * first part, so that a class of few rows is at least there.
 *
 * @param codes - class of each row
 * @param shares - of every part but the first
 */
export function stratifiedSplit(codes: Int32Array, shares: readonly number[], seed: number): Int32Array[] {
  const members = new Map<number, number[]>();
  codes.forEach((code, row) => {
    const rows = members.get(code);
    if (rows === undefined) members.set(code, [row]);
    else rows.push(row);
  });
  const parts: number[][] = [[], ...shares.map(() => [])];
  for (const code of [...members.keys()].sort((a, b) => a - b)) {
    const rows = Random.from(seed, "split", code).shuffle(members.get(code) ?? []);
    let start = 0;
    shares.forEach((share, part) => {
      const count = Math.min(Math.round(share * rows.length), Math.max(0, rows.length - start - 1));
      parts[part + 1]?.push(...rows.slice(start, start + count));
      start += count;
    });
    parts[0]?.push(...rows.slice(start));
  }
  return parts.map((rows) => Int32Array.from(rows).sort());
}
