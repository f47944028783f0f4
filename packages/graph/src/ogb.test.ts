import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { ConfigError, DataError } from "@l0gm/core";
import { afterAll, describe, expect, test } from "vitest";
import { zip } from "../test/zip.ts";
import { loadOgb, readOgbSplits, simulationOf } from "./ogb.ts";
import { simulateProducts } from "./simulate-products.ts";
import { writeOgb } from "./write-ogb.ts";

const root = mkdtempSync(join(tmpdir(), "l0gm-graph-"));
afterAll(() => rmSync(root, { recursive: true }));

const FILES: Readonly<Record<string, string>> = {
  "raw/num-node-list.csv": "5\n",
  "raw/num-edge-list.csv": "4\n",
  "raw/edge.csv": "0,1\n1,2\n2,3\n0,3\n",
  "raw/node-feat.csv": "0.5,1\n-1,2e-1\n0,0\n3,4\n5,6\n",
  "raw/node-label.csv": "0\n1\n0\n1\n2\n",
  "mapping/labelidx2productcategory.csv": 'label idx,product category\n0,"Patio, Lawn"\n1,\n2,Books\n3,None\n',
  "split/ranking/train.csv": "2\n0\n",
  "split/ranking/valid.csv": "1\n",
  "split/ranking/test.csv": "3\n4\n",
};

let folders = 0;

/** A folder of the files, with some changed, or left out when they are undefined. */
function folderOf(changes: Readonly<Record<string, string | Uint8Array | undefined>> = {}, gzip = true): string {
  const folder = join(root, `graph-${folders++}`);
  for (const [name, content] of Object.entries({ ...FILES, ...changes })) {
    if (content === undefined) continue;
    const path = join(folder, gzip ? `${name}.gz` : name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, gzip && typeof content === "string" ? gzipSync(content) : content);
  }
  return folder;
}

/** An archive of the stored files. */
function zipOf(folder: string, inside: string, zip64 = false): string {
  const entries = Object.keys(FILES).map(
    (file) => [`${inside}${file}.gz`, readFileSync(join(folder, `${file}.gz`))] as const,
  );
  const path = `${folder}-${zip64}.zip`;
  writeFileSync(path, zip(entries, zip64));
  return path;
}

describe("loadOgb", () => {
  test("reads a folder, compressed or not, and adds the reverse edges", async () => {
    for (const gzip of [true, false]) {
      const { graph, split, splitName, warnings, cached, checksum } = await loadOgb(folderOf({}, gzip));
      expect([...graph.csr.offsets]).toEqual([0, 2, 4, 6, 8, 8]);
      expect([...graph.csr.neighbors]).toEqual([1, 3, 0, 2, 1, 3, 0, 2]);
      expect(graph.columns).toBe(2);
      expect([...graph.features]).toEqual([0.5, 1, -1, Math.fround(0.2), 0, 0, 3, 4, 5, 6]);
      expect([...graph.labels]).toEqual([0, 1, 0, 1, 2]);
      expect(graph.classes).toEqual(["Patio, Lawn", "", "Books", "None"]);
      expect([...split.train, ...split.validation, ...split.test]).toEqual([0, 2, 1, 3, 4]);
      expect(splitName).toBe("ranking");
      expect(warnings).toEqual(["classes without a node that trains: 1, 2, 3"]);
      expect(cached).toBe(false);
      expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test("reads the archive, in a folder of its own or not, with sizes of 64 bits as well", async () => {
    const folder = folderOf();
    const expected = await loadOgb(folder);
    for (const [inside, large] of [
      ["products/", false],
      ["", true],
    ] as const) {
      const found = await loadOgb(zipOf(folder, inside, large));
      expect(found.graph).toEqual(expected.graph);
      expect(found.split).toEqual(expected.split);
    }
  });

  test("refuses an archive that was cut off", async () => {
    const path = zipOf(folderOf(), "products/");
    truncateSync(path, 700);
    await expect(loadOgb(path)).rejects.toThrow(DataError);
    await expect(loadOgb(path)).rejects.toThrow("expected a whole zip archive");
  });

  test("cuts a stratified split where there is none, and takes the labels as names where there are no names", async () => {
    const without = Object.fromEntries(
      Object.keys(FILES)
        .filter((name) => !name.startsWith("raw"))
        .map((name) => [name, undefined]),
    );
    const { split, splitName, graph } = await loadOgb(folderOf(without), {
      shares: { validation: 0.3, test: 0.3, seed: 4 },
    });
    expect(splitName).toBe("stratified, seed 4");
    expect([...split.train, ...split.validation, ...split.test].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(graph.classes).toEqual(["0", "1", "2"]);
  });

  test("asks which of several splits is meant", async () => {
    const folder = folderOf({
      "split/other/train.csv": "4\n",
      "split/other/valid.csv": "1\n",
      "split/other/test.csv": "3\n",
    });
    await expect(loadOgb(folder)).rejects.toThrow(ConfigError);
    await expect(loadOgb(folder)).rejects.toThrow("one of other, ranking");
    await expect(loadOgb(folder, { split: "third" })).rejects.toThrow("received third");
    expect([...(await loadOgb(folder, { split: "other" })).split.train]).toEqual([4]);
  });

  test("sees no split in a hidden file", async () => {
    const folder = folderOf();
    writeFileSync(join(folder, "split", ".DS_Store"), "");
    expect((await loadOgb(folder)).splitName).toBe("ranking");
    expect(await readOgbSplits(folder)).toEqual(["ranking"]);
  });

  test("allows a graph without edges, with a warning", async () => {
    const { graph, warnings } = await loadOgb(folderOf({ "raw/edge.csv": "", "raw/num-edge-list.csv": "0\n" }));
    expect(graph.csr.entries).toBe(0);
    expect(warnings[0]).toMatch(/edge\.csv\.gz: the graph has no edges/);
  });

  test.each([
    [
      "node ids out of range",
      { "raw/edge.csv": "0,1\n1,2\n2,5\n0,3\n" },
      /edge\.csv\.gz, line 3, column 2: .*node ids that are integers from 0 to 4, received 5/,
    ],
    [
      "ragged features",
      { "raw/node-feat.csv": "0,1\n2,3\n4\n5,6\n7,8\n" },
      /node-feat\.csv\.gz, line 3: expected 2 features, received 1/,
    ],
    [
      "a count of nodes that disagrees",
      { "raw/num-node-list.csv": "6\n" },
      /node-label\.csv\.gz, line 6: expected 6 lines, as .*num-node-list\.csv\.gz states/,
    ],
    [
      "a count of nodes that no memory holds",
      { "raw/num-node-list.csv": "2147483647\n" },
      /node-label\.csv\.gz.*num-node-list\.csv\.gz states/,
    ],
    [
      "a count of edges that no memory holds",
      { "raw/num-edge-list.csv": "2147483647\n" },
      /edge\.csv\.gz.*num-edge-list\.csv\.gz states/,
    ],
    ["features that are missing", { "raw/node-feat.csv": "0,1\n" }, /node-feat\.csv\.gz, line 2: expected 5 lines/],
    [
      "a count of edges that is too small",
      { "raw/num-edge-list.csv": "3\n" },
      /edge\.csv\.gz, line 4: expected 3 lines, as .*num-edge-list\.csv\.gz states, received more/,
    ],
    ["several counts", { "raw/num-node-list.csv": "5\n5\n" }, /num-node-list\.csv\.gz, line 2: expected 1 lines/],
    ["no node", { "raw/num-node-list.csv": "0\n" }, /num-node-list\.csv\.gz: expected at least one node/],
    [
      "NaN features",
      { "raw/node-feat.csv": "0,1\n2,nan\n4,4\n5,6\n7,8\n" },
      /node-feat\.csv\.gz, line 2, column 2: .*finite numbers, received nan/,
    ],
    [
      "infinite features",
      { "raw/node-feat.csv": "0,1\n2,1\n4,4\n5,-Infinity\n7,8\n" },
      /line 4, column 2: .*received -Infinity/,
    ],
    [
      "splits that overlap",
      { "split/ranking/test.csv": "3\n0\n" },
      /test\.csv\.gz, line 2: .*received node 0, which is in .*train\.csv\.gz/,
    ],
    [
      "splits that repeat",
      { "split/ranking/test.csv": "3\n4\n3\n" },
      /test\.csv\.gz, line 3: .*received node 3, which is in .*test\.csv\.gz/,
    ],
    [
      "splits out of range",
      { "split/ranking/valid.csv": "5\n" },
      /valid\.csv\.gz, line 1, column 1: .*from 0 to 4, received 5/,
    ],
    ["an empty split", { "split/ranking/valid.csv": "" }, /valid\.csv\.gz: expected at least one node/],
    [
      "an edge file cut off in a gzip member",
      { "raw/edge.csv": gzipSync(FILES["raw/edge.csv"] ?? "").subarray(0, 25) },
      /edge\.csv\.gz: expected a whole gzip file, received unexpected end of file/,
    ],
    [
      "an edge file of other bytes",
      { "raw/edge.csv": new TextEncoder().encode("0,1\n") },
      /edge\.csv\.gz: expected a whole gzip file/,
    ],
    ["missing labels", { "raw/node-label.csv": "0\n1\n0\n1\n" }, /node-label\.csv\.gz, line 5: expected 5 lines/],
    [
      "an empty label",
      { "raw/node-label.csv": "0\n1\n\n1\n2\n" },
      /node-label\.csv\.gz, line 3: expected labels, received an empty line/,
    ],
    [
      "labels that are no integers",
      { "raw/node-label.csv": "0\n1\nx\n1\n2\n" },
      /node-label\.csv\.gz, line 3, column 1/,
    ],
    [
      "labels without a name",
      { "raw/node-label.csv": "0\n1\n4\n1\n2\n" },
      /node-label\.csv\.gz, line 3: expected labels from 0 to 3, as .* received 4/,
    ],
    [
      "labels with a gap",
      { "raw/node-label.csv": "0\n1\n3\n1\n0\n", "mapping/labelidx2productcategory.csv": undefined },
      /node-label\.csv\.gz: expected every label from 0 to 3, received no node with label 2/,
    ],
    [
      "names with a gap",
      { "mapping/labelidx2productcategory.csv": "label idx,product category\n0,a\n2,b\n" },
      /labelidx2productcategory\.csv\.gz, line 3: expected the class 1, received 2/,
    ],
    [
      "a file that is not there",
      { "raw/node-feat.csv": undefined },
      /expected raw\/node-feat\.csv\.gz or raw\/node-feat\.csv, received neither/,
    ],
  ])("refuses %s", async (_, changes, message) => {
    const folder = folderOf(changes);
    await expect(loadOgb(folder)).rejects.toThrow(DataError);
    await expect(loadOgb(folder)).rejects.toThrow(message);
  });

  test("refuses a path with nothing there", async () => {
    await expect(loadOgb(join(root, "nowhere"))).rejects.toThrow(
      "expected a folder or a zip archive, received nothing there",
    );
  });
});

describe("the cache", () => {
  test("gives the same graph again, in shared memory if asked to", async () => {
    const folder = folderOf();
    const cacheDir = join(root, "cache");
    const first = await loadOgb(folder, { cacheDir });
    const second = await loadOgb(folder, { cacheDir, shared: true });
    expect([first.cached, second.cached]).toEqual([false, true]);
    expect([...second.graph.csr.neighbors]).toEqual([...first.graph.csr.neighbors]);
    expect([...second.graph.features]).toEqual([...first.graph.features]);
    expect(second.graph.classes).toEqual(first.graph.classes);
    expect(second.checksum).toBe(first.checksum);
    for (const { buffer } of [
      second.graph.features,
      second.graph.labels,
      second.graph.csr.offsets,
      second.graph.csr.neighbors,
    ]) {
      expect(buffer).toBeInstanceOf(SharedArrayBuffer);
    }
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  test("does not serve changed data", async () => {
    const folder = folderOf();
    const cacheDir = join(root, "cache-changed");
    await loadOgb(folder, { cacheDir });
    writeFileSync(join(folder, "raw/node-label.csv.gz"), gzipSync("0\n1\n0\n1\n1\n"));
    const { cached, graph } = await loadOgb(folder, { cacheDir });
    expect(cached).toBe(false);
    expect(graph.labels[4]).toBe(1);
  });

  test.each([
    ["cut off", (path: string) => truncateSync(path, 8)],
    ["longer", (path: string) => appendFileSync(path, "x")],
    ["changed", (path: string) => writeFileSync(path, readFileSync(path).fill(7, 3, 4))],
    ["removed", (path: string) => rmSync(path)],
    ["left without its manifest", (path: string) => rmSync(join(dirname(path), "manifest.json"))],
  ])("that was %s is made anew, visibly", async (name, damage) => {
    const folder = folderOf();
    const cacheDir = join(root, `cache-${name}`);
    const expected = await loadOgb(folder, { cacheDir });
    damage(join(cacheDir, readdirSync(cacheDir)[0] ?? "", "features.bin"));
    const again = await loadOgb(folder, { cacheDir });
    expect(again.cached).toBe(false);
    expect(again.warnings[0]).toMatch(/The cache was damaged and is made anew: .*(features\.bin|manifest\.json)/);
    expect(again.graph).toEqual(expected.graph);
    const third = await loadOgb(folder, { cacheDir });
    expect(third.cached).toBe(true);
    expect(third.warnings).toEqual(expected.warnings);
  });
});

describe("writeOgb", () => {
  test("writes what loadOgb reads", async () => {
    const { graph, split } = await loadOgb(folderOf({ "raw/edge.csv": "0,1\n1,2\n3,2\n4,4\n" }));
    const folder = join(root, "written");
    await writeOgb(folder, graph, split, "ranking");
    const again = await loadOgb(folder);
    expect(again.graph).toEqual(graph);
    expect(again.split).toEqual(split);
    expect(gunzipSync(readFileSync(join(folder, "raw/edge.csv.gz"))).toString()).toBe("0,1\n1,2\n2,3\n4,4\n");
    expect(gunzipSync(readFileSync(join(folder, "raw/node-feat.csv.gz"))).toString()).toMatch(
      /^0\.500000,1\.000000\n-1\.000000,0\.200000\n/,
    );
    expect(await simulationOf(folder)).toBeUndefined();
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1e10])("refuses a feature of %d", async (value) => {
    const { graph, split } = await loadOgb(folderOf());
    const features = graph.features.with(3, value);
    await expect(writeOgb(join(root, "refused"), { ...graph, features }, split, "any")).rejects.toThrow(
      /finite features below 9e9/,
    );
  });

  test("marks a simulated graph for good, until a real one takes its place", async () => {
    const { name, graph, split } = await simulateProducts({ scale: 1 / 4096 });
    const folder = join(root, "simulated");
    const cacheDir = join(root, "cache-simulated");
    await writeOgb(folder, graph, split, "sales_ranking");
    expect(name).toMatch(/^simulated ogbn-products, scale 0\.000244/);
    expect(await simulationOf(folder)).toBe(name);
    for (const cached of [false, true]) {
      const loaded = await loadOgb(folder, { cacheDir });
      expect(loaded).toMatchObject({ cached, graph: { simulated: name } });
      expect(loaded.warnings).toContain(`The graph is not a real one: ${name}`);
      expect(loaded.split).toEqual(split);
    }
    const real = await loadOgb(folderOf());
    await writeOgb(folder, real.graph, real.split, "sales_ranking");
    expect(await simulationOf(folder)).toBeUndefined();
    expect((await loadOgb(folder, { cacheDir })).graph).not.toHaveProperty("simulated");
  });
});

const AMAZON = fileURLToPath(new URL("../../../../shared/data/amazon_computers", import.meta.url));

test.skipIf(!existsSync(AMAZON))("Amazon Computers has the published counts", async () => {
  const { graph, split } = await loadOgb(AMAZON, { split: "random_8_2_90" });
  expect([graph.csr.rows, graph.csr.entries, graph.columns, graph.classes.length]).toEqual([13_752, 491_722, 100, 10]);
  expect([split.train.length, split.validation.length, split.test.length]).toEqual([1099, 275, 12_378]);
});
