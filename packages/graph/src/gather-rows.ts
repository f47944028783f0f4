/** Rows as wide as this are copied as a whole: a view of the row costs more than a few numbers, less than many. */
const WIDE = 16;

/**
 * Row-major `[nodes, width]`: the rows of some nodes of a table. Runs in sampling threads, too, so that nothing of core may be imported.
 *
 * @param rows - where they go, of that length; a new array unless it is given
 */
export function gatherRows(
  table: Float32Array,
  width: number,
  nodes: Int32Array,
  rows: Float32Array = new Float32Array(nodes.length * width),
): Float32Array {
  for (let i = 0; i < nodes.length; i++) {
    const from = (nodes[i] as number) * width;
    const to = i * width;
    if (width >= WIDE) rows.set(table.subarray(from, from + width), to);
    else for (let j = 0; j < width; j++) rows[to + j] = table[from + j] as number;
  }
  return rows;
}
