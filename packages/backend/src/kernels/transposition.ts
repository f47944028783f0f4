import type { TensorInfo } from "@tensorflow/tfjs-core";
import { allocate, type WasmBackend, wordOffset } from "./memory.ts";

/** 16 words are one cache line, so a tile of 16 x 16 reads and writes whole lines. */
const TILE = 16;

function transposeWords(heap: Int32Array, from: number, to: number, rows: number, columns: number): void {
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(top + TILE, rows);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(left + TILE, columns);
      for (let j = left; j < right; j++) {
        const target = to + j * rows;
        let source = from + top * columns + j;
        for (let i = top; i < bottom; i++, source += columns) heap[target + i] = heap[source] as number;
      }
    }
  }
}

/**
 * Transposes the last two axes of `count` matrices that lie one after the other.
 *
 * @param x - `[count * rows * columns]` words
 * @returns `[count, columns, rows]`, the caller's
 */
export function transposeMatrices(
  backend: WasmBackend,
  x: TensorInfo,
  count: number,
  rows: number,
  columns: number,
): TensorInfo {
  const out = allocate(backend, [count, columns, rows], x.dtype);
  const from = wordOffset(backend, x);
  const to = wordOffset(backend, out);
  const size = rows * columns;
  // Words rather than floats: a copy through a float may change the bits of a NaN.
  const heap = backend.wasm.HEAP32;
  for (let i = 0; i < count; i++) transposeWords(heap, from + i * size, to + i * size, rows, columns);
  return out;
}
