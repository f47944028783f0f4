import type { NodeGraph } from "@l0gm/graph";

/** Share of a node's distribution that comes from its neighbours in each round. */
const SPREAD = 0.9;
const ROUNDS = 50;

/** Of a class, so that logarithms stay finite where no label arrives. */
const LEAST = 1e-4;

/**
 * Label propagation (Zhu and Ghahramani 2002, with the normalisation of Zhou et al. 2004): training nodes start with their label, and each
 * round mixes every node's distribution with its neighbours'. Nothing is learned and no feature is read.
 *
 * @param train - ids of the nodes whose labels may be seen
 * @returns logits `[nodes, classes]`, the logarithms of the distributions; the training nodes' class shares where no label arrives
 */
export function propagateLabels({ csr, labels, classes }: NodeGraph, train: Int32Array): Float32Array {
  const { rows, offsets, neighbors } = csr;
  const width = classes.length;
  const start = new Float32Array(rows * width);
  const shares = new Float64Array(width);
  for (const node of train) {
    const label = labels[node] as number;
    start[node * width + label] = 1;
    shares[label] = (shares[label] as number) + 1 / train.length;
  }
  const roots = Float64Array.from(csr.degrees(), (degree) => (degree === 0 ? 0 : 1 / Math.sqrt(degree)));
  let from = start.slice();
  let to = new Float32Array(from.length);
  const sums = new Float64Array(width);
  for (let round = 0; round < ROUNDS; round++) {
    for (let node = 0; node < rows; node++) {
      sums.fill(0);
      const end = offsets[node + 1] as number;
      for (let e = offsets[node] as number; e < end; e++) {
        const other = neighbors[e] as number;
        const weight = roots[other] as number;
        for (let k = 0; k < width; k++) sums[k] = (sums[k] as number) + weight * (from[other * width + k] as number);
      }
      const own = SPREAD * (roots[node] as number);
      for (let k = 0; k < width; k++) {
        const at = node * width + k;
        to[at] = own * (sums[k] as number) + (1 - SPREAD) * (start[at] as number);
      }
    }
    [from, to] = [to, from];
  }
  const logits = new Float32Array(from.length);
  for (let node = 0; node < rows; node++) {
    const distribution = from.subarray(node * width, (node + 1) * width);
    const total = distribution.reduce((sum, value) => sum + value, 0);
    for (let k = 0; k < width; k++) {
      const share = total > 0 ? (distribution[k] as number) / total : (shares[k] as number);
      logits[node * width + k] = Math.log(Math.max(share, LEAST));
    }
  }
  return logits;
}

/** Multiply-accumulates a node, over all rounds. */
export function propagationMacs({ csr, classes }: NodeGraph): number {
  return Math.round((ROUNDS * csr.entries * classes.length) / csr.rows);
}
