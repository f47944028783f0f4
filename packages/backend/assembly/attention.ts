/**
 * Scaled dot-product attention (Vaswani et al., 2017) of all heads: P = softmax(Q K' / sqrt(width of a head)) over the keys that the mask
 * leaves, O = P V. Heads lie side by side in the rows of Q, K, V and O and are read in place, by strides, so nothing is transposed. Unit:
 * one head of one row of the batch, whose scores stay in the cache between the two products and the softmax.
 */

import { argument, threadIndex } from "./call";
import { multiply } from "./product";
import { drop } from "./random";
import { exponentials, largest, scaleRow, softmaxGradient } from "./softmax";
import { at, rowAt } from "./vector";

/** Where a mask (one float a key) is 0, the score becomes -infinity, so that the key's probability is exactly 0. */
function maskScores(scores: usize, mask: usize, keys: i32): void {
  for (let j = 0; j < keys; j++) if (load<f32>(at(mask, j)) == 0) store<f32>(at(scores, j), -Infinity);
}

/**
 * y = x, both [queries, keys], with dropout: number i of P takes number i of the stream. The arguments from `from` on say which: keys (low,
 * high), number of the first, threshold, scale; see `drop`.
 */
function dropProbabilities(x: usize, y: usize, size: i32, unit: i32, from: i32): void {
  const place = argument<u32>(from + 2) + <u32>unit * <u32>size;
  drop(x, y, size, argument<i32>(from), argument<i32>(from + 1), place, argument<u32>(from + 3), argument<f32>(from + 4));
}

/**
 * Task ATTENTION. Arguments: q, k, v, o, p (addresses), mask (address or 0), queries, keys, heads, width of a head, temporary (address of
 * room for queries * keys floats a thread, or 0 for no dropout of P), and what `dropProbabilities` takes.
 * q, o [batch, queries, heads * width], k, v [batch, keys, heads * width], p [batch * heads, queries, keys], mask [batch, keys].
 * A row of the batch without a key gives zeros.
 */
export function attention(first: i32, last: i32): void {
  const mask = argument<usize>(5);
  const queries = argument<i32>(6);
  const keys = argument<i32>(7);
  const heads = argument<i32>(8);
  const width = argument<i32>(9);
  const temporary = argument<usize>(10);
  const all = heads * width;
  const scale: f32 = 1 / sqrt<f32>(<f32>width);
  for (let unit = first; unit < last; unit++) {
    const row = unit / heads;
    const start = (unit % heads) * width;
    const q = at(rowAt(argument<usize>(0), row * queries, all), start);
    const k = at(rowAt(argument<usize>(1), row * keys, all), start);
    const v = at(rowAt(argument<usize>(2), row * keys, all), start);
    const o = at(rowAt(argument<usize>(3), row * queries, all), start);
    const p = rowAt(argument<usize>(4), unit * queries, keys);
    multiply(q, all, 1, k, 1, all, p, keys, queries, keys, width, 0, false, 0);
    for (let i = 0; i < queries; i++) {
      const scores = rowAt(p, i, keys);
      if (mask != 0) maskScores(scores, rowAt(mask, row, keys), keys);
      const top = largest(scores, keys);
      if (top == -Infinity) {
        memory.fill(scores, 0, <usize>keys << 2);
      } else {
        scaleRow(scores, keys, 1 / exponentials(scores, scores, keys, scale, top));
      }
    }
    let mixed = p;
    if (temporary != 0) {
      mixed = rowAt(temporary, threadIndex() * queries, keys);
      dropProbabilities(p, mixed, queries * keys, unit, 11);
    }
    multiply(mixed, keys, 1, v, all, 1, o, all, queries, width, keys, 0, false, 0);
  }
}

/**
 * Task ATTENTION_GRADIENT. Arguments: q, k, v, p, dy, dq, dk, dv, temporary (addresses; the last with room for queries * keys floats a
 * thread), queries, keys, heads, width of a head, whether P has dropout (0 or 1), and what `dropProbabilities` takes.
 */
export function attentionGradient(first: i32, last: i32): void {
  const queries = argument<i32>(9);
  const keys = argument<i32>(10);
  const heads = argument<i32>(11);
  const width = argument<i32>(12);
  const drops = argument<i32>(13) != 0;
  const all = heads * width;
  const scale: f32 = 1 / sqrt<f32>(<f32>width);
  const t = rowAt(argument<usize>(8), threadIndex() * queries, keys);
  for (let unit = first; unit < last; unit++) {
    const row = unit / heads;
    const start = (unit % heads) * width;
    const atQueries = ((<usize>(row * queries) * <usize>all + <usize>start) << 2);
    const atKeys = ((<usize>(row * keys) * <usize>all + <usize>start) << 2);
    const q = argument<usize>(0) + atQueries;
    const k = argument<usize>(1) + atKeys;
    const v = argument<usize>(2) + atKeys;
    const p = rowAt(argument<usize>(3), unit * queries, keys);
    const dy = argument<usize>(4) + atQueries;
    if (drops) dropProbabilities(p, t, queries * keys, unit, 14);
    multiply(drops ? t : p, 1, keys, dy, all, 1, argument<usize>(7) + atKeys, all, keys, width, queries, 0, false, 0);
    multiply(dy, all, 1, v, 1, all, t, keys, queries, keys, width, 0, false, 0);
    if (drops) dropProbabilities(t, t, queries * keys, unit, 14);
    for (let i = 0; i < queries; i++) {
      const d = rowAt(t, i, keys);
      softmaxGradient(rowAt(p, i, keys), d, d, keys, scale);
    }
    multiply(t, keys, 1, k, all, 1, argument<usize>(5) + atQueries, all, queries, width, keys, 0, false, 0);
    multiply(t, 1, keys, q, all, 1, argument<usize>(6) + atKeys, all, keys, width, queries, 0, false, 0);
  }
}
