import { ConfigError, Random } from "@l0gm/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edgeWeight, graphs } from "../../test/graphs.ts";
import { Csr } from "../csr.ts";
import { sharedCsr } from "../shared-arrays.ts";
import { dropEdges } from "./drop-edges.ts";

const rates = fc.double({ min: 0, max: 0.99, noNaN: true });

function edges(csr: Csr): Set<string> {
  const all = new Set<string>();
  for (let row = 0; row < csr.rows; row++) for (const column of csr.neighborsOf(row)) all.add(`${row} ${column}`);
  return all;
}

describe("dropEdges", () => {
  test("leaves some of the edges, with their weights, and both directions of each", () => {
    fc.assert(
      fc.property(graphs, rates, fc.nat(), (csr, rate, seed) => {
        const left = dropEdges(csr, rate, Random.from(seed, "drop-edge"));
        new Csr({ ...left });
        const [all, some] = [edges(csr), edges(left)];
        for (const edge of some) {
          expect(all).toContain(edge);
          const [row = 0, column = 0] = edge.split(" ").map(Number);
          const reverse = `${column} ${row}`;
          expect(some.has(reverse)).toBe(all.has(reverse));
        }
        for (let row = 0; row < left.rows && left.weights !== undefined; row++) {
          const weights = left.weights.subarray(left.offsets[row], left.offsets[row + 1]);
          expect([...weights]).toEqual(
            Array.from(left.neighborsOf(row), (column) => edgeWeight(csr.rows, row, column)),
          );
        }
      }),
    );
  });

  // 2000 nodes in a ring where each has the 10 before and after it.
  const nodes = 2000;
  const sources = Array.from({ length: 10 * nodes }, (_, i) => i % nodes);
  const targets = sources.map((source, i) => (source + 1 + Math.floor(i / nodes)) % nodes);
  const ring = Csr.fromEdges(sources, targets, { nodes, undirected: true });

  test.each([0.1, 0.5, 0.9])("drops a share of %d, of every node", (rate) => {
    const left = dropEdges(ring, rate, Random.from(3, "drop-edge", 1));
    const pairs = 20_000;
    const deviation = Math.sqrt(pairs * rate * (1 - rate));
    expect(Math.abs(left.entries / 2 - pairs * (1 - rate))).toBeLessThan(4 * deviation);
    // Degrees vary as those of independent edges do.
    const variance = left.degrees().reduce((sum, degree) => sum + (degree - 20 * (1 - rate)) ** 2, 0) / nodes;
    expect(variance / (20 * rate * (1 - rate))).toBeGreaterThan(0.85);
    expect(variance / (20 * rate * (1 - rate))).toBeLessThan(1.15);
  });

  test("drops others in another epoch, and the same in the same", () => {
    const epoch = (number: number): Set<string> => edges(dropEdges(ring, 0.5, Random.from(3, "drop-edge", number)));
    const [first, again, second] = [epoch(1), epoch(1), epoch(2)];
    expect(again).toEqual(first);
    const both = [...first].filter((edge) => second.has(edge)).length;
    expect(both / first.size).toBeGreaterThan(0.47);
    expect(both / first.size).toBeLessThan(0.53);
  });

  test("of a directed graph takes every direction by itself", () => {
    const left = edges(dropEdges(ring, 0.5, Random.from(3, "drop-edge"), { undirected: false }));
    const both = [...left].filter((edge) => left.has(edge.split(" ").reverse().join(" "))).length;
    expect(both / left.size).toBeGreaterThan(0.47);
    expect(both / left.size).toBeLessThan(0.53);
  });

  test("makes of shared arrays shared arrays, and changes nothing at a rate of 0", () => {
    const left = dropEdges(sharedCsr(ring), 0.5, Random.from(3, "drop-edge"));
    expect(left.neighbors.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(sharedCsr(left)).toBe(left);
    expect(edges(left)).toEqual(edges(dropEdges(ring, 0.5, Random.from(3, "drop-edge"))));
    expect(dropEdges(ring, 0, Random.from(3))).toBe(ring);
  });

  test.each([-0.1, 1, Number.NaN])("refuses a rate of %d", (rate) => {
    expect(() => dropEdges(ring, rate, Random.from(0))).toThrow(ConfigError);
  });

  test("refuses edges without a reverse unless it is told that they have none", () => {
    const csr = new Csr({ rows: 1, columns: 2, offsets: Int32Array.of(0, 2), neighbors: Int32Array.of(0, 1) });
    expect(() => dropEdges(csr, 0.5, Random.from(0))).toThrow(/Set undirected to false/);
    expect(dropEdges(csr, 0.5, Random.from(0), { undirected: false }).columns).toBe(2);
  });
});
