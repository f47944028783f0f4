import { ConfigError, Random } from "@l0gm/core";
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
 * Cuts nodes into parts with the same share of every class. What rounding leaves over trains, so that a class of few nodes is at least
 * there.
 *
 * @throws ConfigError when the shares are not positive or leave nothing for training
 */
export function stratifiedSplit(labels: Int32Array, shares: SplitShares = {}): NodeSplit {
  const { validation = 0.2, test = 0.2, seed = 0 } = shares;
  if (!(validation > 0 && test > 0 && validation + test < 1)) {
    const received = `${validation} and ${test}`;
    throw new ConfigError({ where: "stratifiedSplit", expected: "shares above 0 and together below 1", received });
  }
  const members: number[][] = [];
  labels.forEach((label, node) => {
    const nodes = members[label];
    if (nodes === undefined) members[label] = [node];
    else nodes.push(node);
  });
  const parts = new Uint8Array(labels.length);
  members.forEach((nodes, label) => {
    const mixed = Random.from(seed, "split", label).shuffle(Int32Array.from(nodes));
    const forTest = Math.min(Math.round(test * mixed.length), mixed.length - 1);
    const forValidation = Math.min(Math.round(validation * mixed.length), mixed.length - 1 - forTest);
    mixed.subarray(0, forTest).forEach((node) => {
      parts[node] = 2;
    });
    mixed.subarray(forTest, forTest + forValidation).forEach((node) => {
      parts[node] = 1;
    });
  });
  const nodesOf = (part: number): Int32Array => {
    let count = 0;
    for (const other of parts) if (other === part) count++;
    const nodes = new Int32Array(count);
    let at = 0;
    for (let node = 0; node < parts.length; node++) if (parts[node] === part) nodes[at++] = node;
    return nodes;
  };
  return { train: nodesOf(0), validation: nodesOf(1), test: nodesOf(2) };
}
