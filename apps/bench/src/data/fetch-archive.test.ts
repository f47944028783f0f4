import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError } from "@l0gm/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchArchive, recordedChecksum } from "./fetch-archive.ts";

function numbers(...fields: readonly (readonly [size: 2 | 4, value: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([size, value]) => {
      const bytes = Buffer.alloc(size);
      bytes.writeUIntLE(value, 0, size);
      return bytes;
    }),
  );
}

/** An archive of stored files. */
function zipOf(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const sizes = [
      [4, 0],
      [4, content.length],
      [4, content.length],
      [2, name.length],
      [2, 0],
    ] as const;
    const kind = [
      [2, 20],
      [2, 0],
      [2, 0],
      [4, 0],
    ] as const;
    const local = Buffer.concat([numbers([4, 0x04034b50], ...kind, ...sizes), Buffer.from(name + content)]);
    const rest = numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, at]);
    central.push(numbers([4, 0x02014b50], [2, 20], ...kind, ...sizes), rest, Buffer.from(name));
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const count = locals.length;
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, directory.length], [4, at], [2, 0]);
  return Buffer.concat([...locals, directory, end]);
}

const EDGES = { "products/raw/edge.csv": "0,1\n", "products/raw/num-edge-list.csv": "1\n" };
const GOOD = zipOf({ "products/raw/num-node-list.csv": "2\n", ...EDGES });
const OTHER = zipOf({ "products/raw/num-node-list.csv": "2\n", ...EDGES, "products/more": "" });
const LARGER = zipOf({ "products/raw/num-node-list.csv": "3\n", ...EDGES });

const root = mkdtempSync(join(tmpdir(), "l0gm-archive-"));
let content = GOOD;
const server = createServer((_, response) =>
  response.writeHead(200, { "content-length": content.length }).end(content),
);
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true });
});

function fetchInto(folder: string): Promise<string> {
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/products.zip`;
  return fetchArchive({ name: "products.zip", address, proof: { nodes: 2, edges: 1 } }, join(root, folder));
}

test("the checksum of the first good download is recorded, and compared from then on", async () => {
  content = GOOD;
  const path = join(root, "a", "products.zip");
  const sha256 = await fetchInto("a");
  expect(readFileSync(path).equals(GOOD)).toBe(true);
  expect(readFileSync(`${path}.sha256`, "utf8")).toBe(`${sha256}  products.zip\n`);
  rmSync(path);
  expect(await fetchInto("a")).toBe(sha256);
  rmSync(path);
  content = OTHER;
  const another = fetchInto("a");
  await expect(another).rejects.toThrow(DataError);
  await expect(another).rejects.toThrow(`expected SHA-256 ${sha256}, as of the first download`);
  expect(existsSync(path)).toBe(false);
  expect(await recordedChecksum(path)).toBe(sha256);
});

test("an archive that states other counts, or is none, is refused and never recorded", async () => {
  for (const [bytes, message] of [
    [LARGER, "expected 2 nodes and 1 edges, received 3 and 1"],
    [Buffer.from("<html>not here</html>"), "expected a whole zip archive"],
  ] as const) {
    content = bytes;
    await expect(fetchInto("b")).rejects.toThrow(message);
    expect(existsSync(join(root, "b", "products.zip"))).toBe(false);
    expect(existsSync(join(root, "b", "products.zip.sha256"))).toBe(false);
  }
});
