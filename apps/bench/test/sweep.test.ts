import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readResults } from "../src/run/store.ts";
import { l0gm, SMALL, start, tableText, temporaryFolder, writeInto } from "./command-line.ts";
import { numbers } from "./killed-run.ts";

function sweepOf(folder: string, epochs: number, ...options: readonly string[]): (out: string) => string[] {
  const data = writeInto(folder, "table.csv", tableText(200));
  const config = writeInto(folder, "config.json", { ...SMALL, epochs, path: { epochs } });
  const grid = ["--methods", "dense,l0gm-path", "--targets", "1,0.25", "--seeds", "1", ...options];
  return (out) => ["sweep", "tabular", "--data", data, "--label", "class", "--config", config, "--out", out, ...grid];
}

/** Lines of the logs of unfinished runs. */
function progress(out: string): number[] {
  const folder = join(out, "tabular");
  const logs = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, "log.jsonl")) : [];
  return logs.filter((log) => existsSync(log)).map((log) => readFileSync(log, "utf8").split("\n").length - 1);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

describe("l0gm sweep", () => {
  test("killed in the middle, the next call resumes and ends with the numbers of an uninterrupted sweep", {
    timeout: 180_000,
  }, async () => {
    const folder = temporaryFolder();
    const epochs = 40;
    const sweep = sweepOf(folder, epochs, "--workers", "2", "--json");
    const [whole, cut] = [join(folder, "whole"), join(folder, "cut")];

    const child = start(sweep(cut));
    await expect
      .poll(() => Math.min(...progress(cut), progress(cut).length < 2 ? 0 : epochs), { timeout: 40_000, interval: 20 })
      .toBeGreaterThan(2);
    const workers = childrenOf(child.process.pid ?? 0);
    child.process.kill("SIGKILL");
    await child.ended;
    expect(workers.length).toBeGreaterThan(0);
    await expect.poll(() => workers.filter(alive), { timeout: 10_000 }).toEqual([]);
    const trained = progress(cut);
    expect(Math.min(...trained)).toBeLessThan(epochs);

    const resumed = await l0gm(...sweep(cut));
    expect(resumed.code, resumed.stderr).toBe(0);
    const uninterrupted = await l0gm(...sweep(whole));
    expect(uninterrupted.code, uninterrupted.stderr).toBe(0);
    expect((await readResults(cut)).map(numbers)).toEqual((await readResults(whole)).map(numbers));
    // An epoch whose checkpoint was lost is trained again; all others only once.
    for (const lines of progress(cut)) expect(lines).toBeLessThanOrEqual(epochs + 1);
    expect(readdirSync(join(cut, "tabular")).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  test("two sweeps in one folder share the work instead of undoing it", { timeout: 120_000 }, async () => {
    const folder = temporaryFolder();
    const sweep = sweepOf(folder, 12, "--workers", "2");
    const [shared, alone] = [join(folder, "shared"), join(folder, "alone")];
    const both = await Promise.all([l0gm(...sweep(shared)), l0gm(...sweep(shared))]);
    for (const { code, stderr } of both) expect(code, stderr).toBe(0);
    expect((await l0gm(...sweep(alone))).code).toBe(0);
    expect((await readResults(shared)).map(numbers)).toEqual((await readResults(alone)).map(numbers));
    const runs = join(shared, "tabular");
    for (const run of readdirSync(runs)) expect(readdirSync(join(runs, run)), run).toContain("preprocessor.json");
  });

  test("a run that fails is kept as failed, the rest go on, and the exit code is 1", { timeout: 120_000 }, async () => {
    const folder = temporaryFolder();
    const sweep = sweepOf(folder, 4, "--workers", "1");
    const out = join(folder, "runs");
    const first = await l0gm(...sweep(out), "--json");
    expect(first.code, first.stderr).toBe(0);
    const document = JSON.parse(first.stdout);
    expect(document).toMatchObject({
      benchmarks: [{ benchmark: "tabular" }],
      failed: [],
      report: join(out, "report.html"),
    });
    expect(document.runs).toHaveLength(3);
    for (const file of ["report.html", "frontier.svg", "summary.json"]) expect(existsSync(join(out, file))).toBe(true);

    const [dense = ""] = document.runs.filter((name: string) => name.includes("dense"));
    const partial = `${dense}.partial`;
    rmSync(dense, { recursive: true });
    mkdirSync(partial);
    writeFileSync(join(partial, "checkpoint.safetensors"), "not a checkpoint");
    const second = await l0gm(...sweep(out));
    expect(second.code, second.stderr).toBe(1);
    expect(second.stderr).toMatch("1 of 2 runs failed");
    expect(second.stderr).toMatch(join(partial, "error.json"));
    expect(JSON.parse(readFileSync(join(partial, "error.json"), "utf8")).message).toMatch(`remove ${partial}`);
    expect(second.stdout).toMatch("l0gm");
    expect(second.stdout).toMatch("Report: file://");
  });

  test("interrupted, it ends with 130 and says how to go on", async () => {
    const folder = temporaryFolder();
    const sweep = sweepOf(folder, 2000, "--workers", "1", "--json");
    const out = join(folder, "runs");
    const child = start(sweep(out));
    await expect.poll(() => Math.max(0, ...progress(out)), { timeout: 40_000 }).toBeGreaterThan(1);
    const workers = childrenOf(child.process.pid ?? 0);
    child.process.kill("SIGINT");
    const ended = await child.ended;
    expect(ended).toMatchObject({ code: 130, stdout: "" });
    expect(ended.stderr).toMatch(`l0gm sweep tabular --data`);
    expect(workers.filter(alive)).toEqual([]);
  });
});
