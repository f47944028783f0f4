import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FormatError } from "@l0gm/core";
import { describe, expect, test } from "vitest";
import { loadNpz, readNpy } from "./npz.ts";

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

test("a file that is not there is refused", async () => {
  await expect(loadNpz("nowhere.npz")).rejects.toThrow("nowhere.npz: expected a folder or a zip archive");
});
