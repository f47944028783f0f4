import { probabilities } from "@l0gm/core";
import { Csr, type NodeGraph } from "@l0gm/graph";
import { expect, test } from "vitest";
import { propagateLabels, propagationMacs } from "./label-propagation.ts";

function graph(edges: readonly (readonly [number, number])[], labels: readonly number[], classes = 2): NodeGraph {
  const [from, to] = [edges.map(([a]) => a), edges.map(([, b]) => b)];
  const csr = Csr.fromEdges(from, to, { nodes: labels.length, undirected: true });
  const names = Array.from({ length: classes }, (_, k) => String(k));
  return {
    csr,
    features: new Float32Array(labels.length),
    columns: 1,
    labels: Int32Array.from(labels),
    classes: names,
  };
}

function distributions(of: NodeGraph, train: readonly number[]): number[][] {
  const logits = propagateLabels(of, Int32Array.from(train));
  const flat = probabilities({ logits, labels: of.labels, classes: of.classes.length });
  return Array.from(of.labels, (_, i) => [...flat.subarray(i * of.classes.length, (i + 1) * of.classes.length)]);
}

test("agrees with rounds of dense matrices", () => {
  const edges = [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
    [4, 0],
    [1, 3],
  ] as const;
  const made = graph(edges, [0, 1, 2, 0, 1], 3);
  const degree = [2, 3, 2, 3, 2];
  const start = [
    [1, 0, 0],
    [0, 0, 0],
    [0, 0, 1],
    [0, 0, 0],
    [0, 0, 0],
  ];
  let f = start;
  for (let round = 0; round < 50; round++) {
    const before = f;
    f = start.map((own, i) =>
      own.map((y, k) => {
        let sum = 0;
        for (const [a, b] of edges) {
          const other = a === i ? b : b === i ? a : undefined;
          if (other !== undefined)
            sum += (before[other]?.[k] ?? 0) / Math.sqrt((degree[i] ?? 0) * (degree[other] ?? 0));
        }
        return 0.9 * sum + 0.1 * y;
      }),
    );
  }
  distributions(made, [0, 2]).forEach((row, i) => {
    const total = (f[i] ?? []).reduce((sum, x) => sum + x, 0);
    // A class that nothing says is floored, so that logarithms are finite.
    row.forEach((p, k) => {
      expect(p).toBeCloseTo((f[i]?.[k] ?? 0) / total, 3);
    });
  });
});

test("labels of other nodes than the training nodes are never read", () => {
  const edges = [
    [0, 1],
    [1, 2],
    [2, 3],
  ] as const;
  expect(distributions(graph(edges, [0, 1, 0, 1]), [0, 3])).toEqual(distributions(graph(edges, [0, 0, 1, 1]), [0, 3]));
});

test("a node that no label reaches has the class shares of the training nodes", () => {
  const rows = distributions(
    graph(
      [
        [0, 1],
        [2, 3],
      ],
      [0, 0, 1, 1, 0],
    ),
    [0, 1, 2, 3],
  );
  expect(rows[4]?.[0]).toBeCloseTo(0.5, 6);
  const skewed = distributions(
    graph(
      [
        [0, 1],
        [2, 3],
      ],
      [0, 0, 0, 1, 0],
    ),
    [0, 1, 2, 3],
  );
  expect(skewed[4]?.[0]).toBeCloseTo(0.75, 6);
});

test("counts 50 rounds over the entries, a node", () => {
  expect(
    propagationMacs(
      graph(
        [
          [0, 1],
          [1, 2],
        ],
        [0, 1, 0],
      ),
    ),
  ).toBe(Math.round((50 * 4 * 2) / 3));
});
