/** Indices that put `values` in ascending order; equal values keep the order of their indices. */
export function ascendingOrder(values: Float64Array): Uint32Array {
  const order = new Uint32Array(values.length).map((_, i) => i);
  return order.sort((i, j) => (values[i] as number) - (values[j] as number));
}

/** Calls `visit(from, to)` for every run of equal values, ascending: the indices `order[from]` to `order[to - 1]`. */
export function forEachTie(values: Float64Array, order: Uint32Array, visit: (from: number, to: number) => void): void {
  for (let from = 0; from < order.length; ) {
    const value = values[order[from] as number];
    let to = from + 1;
    while (to < order.length && values[order[to] as number] === value) to++;
    visit(from, to);
    from = to;
  }
}
