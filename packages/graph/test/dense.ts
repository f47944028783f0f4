import type { CsrArrays } from "../src/csr.ts";

/** Graphs as dense matrices of numbers, from the definitions: what layers over sparse rows are compared with. */

/** The weights themselves. */
export function dense({ rows, columns, offsets, neighbors, weights }: CsrArrays): number[][] {
  return Array.from({ length: rows }, (_, i) => {
    const row = new Array<number>(columns).fill(0);
    for (let e = offsets[i] ?? 0; e < (offsets[i + 1] ?? 0); e++) {
      const column = neighbors[e] ?? 0;
      row[column] = (row[column] ?? 0) + (weights?.[e] ?? 1);
    }
    return row;
  });
}

/** Every row over its sum. */
export function meanMatrix(graph: CsrArrays): number[][] {
  return dense(graph).map((row) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((value) => (sum === 0 ? 0 : value / sum));
  });
}

/** D^-1/2 (A + I) D^-1/2, with the sums of columns for those who send. */
export function gcnMatrix(graph: CsrArrays): number[][] {
  const a = dense(graph);
  const rows = a.map((row) => 1 + row.reduce((x, y) => x + y, 0));
  const columns = Array.from({ length: graph.columns }, (_, j) => 1 + a.reduce((sum, row) => sum + (row[j] ?? 0), 0));
  return a.map((row, i) =>
    row.map((value, j) => (value + (i === j ? 1 : 0)) / Math.sqrt((rows[i] ?? 0) * (columns[j] ?? 0))),
  );
}

/** A matrix times a row-major one of `width` columns. */
export function multiply(a: readonly (readonly number[])[], x: ArrayLike<number>, width: number): number[] {
  return a.flatMap((row) =>
    Array.from({ length: width }, (_, j) => row.reduce((sum, value, k) => sum + value * (x[k * width + j] ?? 0), 0)),
  );
}
