/**
 * Times and memory of making, writing and loading the simulated graph:
 * `npx tsx --conditions=@l0gm/source packages/graph/bench/load.ts SCALE [FOLDER]`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadOgb, simulateProducts, writeOgb } from "../src/index.ts";

const scale = Number(process.argv[2] ?? "0.015625");
const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), "l0gm-load-"));

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  const wall = ((performance.now() - start) / 1000).toFixed(1);
  const peak = (process.resourceUsage().maxRSS / 2 ** 20).toFixed(2);
  process.stdout.write(
    `${name}: ${wall} s, ${((user + system) / 1e6).toFixed(1)} s of processor, peak ${peak} GiB so far\n`,
  );
  return result;
}

async function makeAndWrite(): Promise<void> {
  const { name, graph, split } = await timed("make", () => simulateProducts({ scale }));
  process.stdout.write(`${name}: ${graph.csr.rows} nodes, ${graph.csr.entries / 2} edges\n`);
  await timed("write csv.gz", () => writeOgb(folder, graph, split, "sales_ranking"));
}

try {
  await makeAndWrite();
  const cacheDir = join(folder, "cache");
  for (const name of ["load csv.gz and write the cache", "load the cache"]) {
    await timed(name, async () => (await loadOgb(folder, { cacheDir })).warnings.length);
  }
} finally {
  rmSync(folder, { recursive: true });
}
