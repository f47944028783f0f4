import { stratifiedSplit } from "@l0gm/core";
import type { NodeSplit } from "./graph.ts";

/** Shares of the nodes that select and test; the others train. */
export interface SplitShares {
  /** @defaultValue 0.2 */
  readonly validation?: number;
  /** @defaultValue 0.2 */
  readonly test?: number;
  /** @defaultValue 0 */
  readonly seed?: number;
}

/**
 * Cuts nodes into parts with the same share of every class.
 *
 * @param labels - class of each node
 * @throws ConfigError when the shares are not positive or leave nothing for training
 *
 * @example
 * ```ts
 * const { train, test } = splitNodes(Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1, 0, 1), { test: 0.4, seed: 7 });
 * console.log(train.length, test.length); // 4 4
 * ```
 */
export function splitNodes(labels: Int32Array, shares: SplitShares = {}): NodeSplit {
  const { validation = 0.2, test = 0.2, seed = 0 } = shares;
  const [train, tested, selected] = stratifiedSplit(labels, [test, validation], seed) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  return { train, validation: selected, test: tested };
}
