import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DataError, FormatError } from "@l0gm/core";
import { afterAll, describe, expect, test } from "vitest";
import { zip } from "../test/zip.ts";
import { loadNpz, readNpy } from "./npz.ts";

const root = mkdtempSync(join(tmpdir(), "l0gm-npz-"));
afterAll(() => rmSync(root, { recursive: true }));

function npy(header: string, data: Uint8Array): Uint8Array {
  const text = Buffer.from(`${header}\n`);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([Buffer.from([0x93]), Buffer.from("NUMPY"), Buffer.from([1, 0]), length, text, data]);
}

describe("readNpy", () => {
  test("reads integers of 64 bits", () => {
    const data = new Uint8Array(new BigInt64Array([1n, -2n, 2n ** 40n]).buffer);
    const { shape, values } = readNpy(npy("{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", data), "x.npy");
    expect([shape, [...Array.from(values)]]).toEqual([[3], [1, -2, 2 ** 40]]);
  });

  test.each([
    ["an object", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", new Uint8Array(8))],
    ["columns first", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", new Uint8Array(4))],
    ["cut off", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", new Uint8Array(7))],
    ["of another kind", new Uint8Array(40)],
  ])("refuses what is %s", (_, bytes) => {
    expect(() => readNpy(bytes, "x.npy")).toThrow(FormatError);
    expect(() => readNpy(bytes, "x.npy")).toThrow("x.npy: expected");
  });
});

const FILE = fileURLToPath(
  new URL("../../../../shared/data/amazon_computers/amazon_electronics_computers.npz", import.meta.url),
);

test.skipIf(!existsSync(FILE))("Amazon Computers has the published counts", async () => {
  const { graph, warnings } = await loadNpz(FILE);
  expect([graph.csr.rows, graph.csr.entries, graph.columns, graph.classes.length]).toEqual([13_752, 491_722, 767, 10]);
  const counts = graph.classes.map((_, label) => graph.labels.filter((other) => other === label).length);
  expect(counts).toEqual([436, 2142, 1414, 542, 5158, 308, 487, 818, 2156, 291]);
  expect(new Set(graph.features)).toEqual(new Set([0, 1]));
  expect(warnings).toEqual([]);
});

/** Two nodes with an edge, three features each. */
const ARRAYS = {
  adj_data: [1],
  adj_indices: [1],
  adj_indptr: [0, 1, 1],
  adj_shape: [2, 2],
  attr_data: [2, 0.5],
  attr_indices: [0, 2],
  attr_indptr: [0, 1, 2],
  attr_shape: [2, 3],
  labels: [1, 0],
};

function npzOf(changes: Partial<Record<keyof typeof ARRAYS, readonly number[]>>): string {
  const entries = Object.entries({ ...ARRAYS, ...changes }).map(([name, values]) => {
    const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${values.length},), }`;
    return [`${name}.npy`, npy(header, new Uint8Array(Float64Array.from(values).buffer))] as const;
  });
  const path = join(root, "graph.npz");
  writeFileSync(path, zip(entries));
  return path;
}

test("loads edges in both directions, and features at their places", async () => {
  const { graph } = await loadNpz(npzOf({}));
  expect([...graph.csr.neighbors]).toEqual([1, 0]);
  expect([...graph.features]).toEqual([2, 0, 0, 0, 0, 0.5]);
  expect([...graph.labels]).toEqual([1, 0]);
  const { warnings } = await loadNpz(npzOf({ adj_data: [], adj_indices: [], adj_indptr: [0, 0, 0] }));
  expect(warnings[0]).toContain("the graph has no edges");
});

test.each([
  ["a node out of range", { adj_indices: [2] }, /adj_indices\.npy, entry 0: expected an index from 0 to 1, received 2/],
  ["an index between two", { attr_indices: [0, 0.5] }, /attr_indices\.npy, entry 1: .*received 0\.5/],
  ["offsets that fall", { attr_indptr: [0, 3, 2] }, /attr_indptr\.npy, entry 2: expected integers that never fall/],
  ["an array cut short", { adj_data: [] }, /adj: expected 2 rows.* 1 indices and 0 values/],
  ["features that are not finite", { attr_data: [1, Number.NaN] }, /attr_data\.npy, entry 1: .*received NaN/],
  ["a label that is none", { labels: [1, Number.NaN] }, /labels\.npy, entry 1: expected an integer/],
  [
    "labels with a gap",
    { labels: [0, 2] },
    /labels\.npy: expected every label from 0 to 2, received no node with label 1/,
  ],
  ["too few labels", { labels: [0] }, /2 rows of features, 1 labels/],
] as const)("refuses %s", async (_, changes, message) => {
  const path = npzOf(changes);
  await expect(loadNpz(path)).rejects.toThrow(DataError);
  await expect(loadNpz(path)).rejects.toThrow(message);
});

test("a file that is not there is refused", async () => {
  await expect(loadNpz("nowhere.npz")).rejects.toThrow("nowhere.npz: expected a folder or a zip archive");
});
