import { Random } from "@l0gm/core";
import { Csr } from "../src/index.ts";

/**
 * An undirected graph whose ends fall on nodes as the square of a uniform number: degrees have the tail of a power law with exponent 3, and
 * the largest is some sqrt(nodes) / 2 times the mean. Which nodes are large has nothing to do with their ids.
 */
export function heavyTailedGraph(nodes: number, meanDegree: number, seed: number): Csr {
  const edges = Math.round((nodes * meanDegree) / 2);
  const ids = Random.from(seed, "ids").permutation(nodes);
  const ends = (name: string): Int32Array => {
    const random = Random.from(seed, name);
    const out = new Int32Array(edges);
    for (let i = 0; i < edges; i++) out[i] = ids[Math.floor(nodes * random.next() ** 2)] ?? 0;
    return out;
  };
  return Csr.fromEdges(ends("sources"), ends("targets"), { nodes, undirected: true });
}
