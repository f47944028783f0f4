import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { syntheticRuns } from "../src/report/synthetic-runs.ts";
import { l0gm, start, temporaryFolder, writeInto } from "./command-line.ts";

test("report renders a folder of runs anew and fills the README's table and picture", async () => {
  const folder = temporaryFolder();
  const readme = writeInto(folder, "README.md", "# A\n<!-- results:start -->\n<!-- results:end -->\n");
  const runs = join(folder, "runs");
  for (const [i, result] of syntheticRuns().entries()) {
    mkdirSync(join(runs, String(i)), { recursive: true });
    writeInto(join(runs, String(i)), "result.json", result);
  }
  const { code, stdout, stderr } = await l0gm("report", runs, "--readme", readme, "--json");
  expect(code, stderr).toBe(0);
  const document = JSON.parse(stdout);
  expect(document.report).toBe(join(runs, "report.html"));
  expect(document.benchmarks[0].frontier[0]).toMatchObject({ method: "dense" });
  expect(readFileSync(readme, "utf8")).toMatch(/\| dense \|/);
  for (const file of ["runs/report.html", "runs/frontier.svg", "runs/summary.json", "docs/frontier.svg"]) {
    expect(existsSync(join(folder, file)), file).toBe(true);
  }
});

test("doctor --json is one document with backends and data", async () => {
  const { code, stdout } = await l0gm("doctor", "--json");
  expect(code).toBe(0);
  const { active, data } = JSON.parse(stdout);
  expect(active).toBeTypeOf("object");
  for (const name of ["adult", "cora"]) expect(data).toContainEqual({ name, folder: expect.any(String) });
});

test("schema prints JSON schemas", async () => {
  const { code, stdout } = await l0gm("schema", "config", "tabular");
  expect(code).toBe(0);
  const schema = JSON.parse(stdout);
  expect(schema).toMatchObject({
    additionalProperties: false,
    properties: { gate: {}, data: { properties: { label: {} } } },
  });
  expect(schema).not.toHaveProperty("required");
});

test("data verify sees other bytes, list says where sets are looked for, fetch that a set is there", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "adult"));
  for (const name of ["adult.data", "adult.test"]) writeInto(join(folder, "adult"), name, "39, State-gov\n");
  const other = await start(["data", "verify", "adult"], { L0GM_DATA_DIR: folder }).ended;
  expect(other.code).toBe(2);
  expect(other.stdout).toMatch(/adult\.data: 14 bytes.*WRONG, expected 3974305 bytes/);
  const [list, fetch] = await Promise.all([l0gm("data", "list", "--data-dir", folder), l0gm("data", "fetch", "adult")]);
  expect(list).toMatchObject({ code: 0, stderr: "" });
  expect(list.stdout).toMatch(`in ${join(folder, "adult")}`);
  expect(list.stdout).toMatch("CC BY 4.0");
  expect(fetch).toMatchObject({ code: 0 });
  expect(fetch.stdout).toMatch("is there already");
});
