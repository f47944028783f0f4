import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, FormatError } from "@l0gm/core";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { syntheticRuns } from "../report/synthetic-runs.ts";
import type { RunResult } from "../result.ts";
import { planRuns } from "../sweep/plan.ts";
import { isWrongInput, LockLost } from "./failure.ts";
import { type PlannedRun, planRun } from "./spec.ts";
import { failureFile, findResults, finishedRun, keepFailure, obtainRun, readResult, readResults } from "./store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "l0gm-test-"));
  return () => rmSync(folder, { recursive: true });
});

const [result, other] = syntheticRuns() as [RunResult, RunResult];

function write(name: string, document: unknown): string {
  const run = join(folder, name);
  mkdirSync(run, { recursive: true });
  const path = join(run, "result.json");
  writeFileSync(path, typeof document === "string" ? document : JSON.stringify(document));
  return path;
}

function plannedIn(name: string): PlannedRun {
  const spec = {
    benchmark: "adult",
    method: { kind: "dense" },
    seed: 0,
    split: "official",
    config: {} as never,
    source: {},
  } as const;
  return { ...planRun(spec, { name: "adult", checksum: "" }, "code", folder), folder: join(folder, name) };
}

describe("results", () => {
  test("are found at any depth, but not in unfinished runs", async () => {
    write("adult/a", result);
    write("adult/path/0.5", other);
    write("adult/b.partial", result);
    const found = await findResults(folder);
    expect(found.map((each) => each.folder).sort()).toEqual([join(folder, "adult/a"), join(folder, "adult/path/0.5")]);
    expect(await readResults(folder)).toHaveLength(2);
  });

  test("of one method, fraction and seed come in the order in which they were written", async () => {
    const epochs = (count: number): object => ({ ...result, config: { epochs: count } });
    for (const [name, time] of [
      ["z", 1000],
      ["a", 3000],
      ["m", 2000],
    ] as const) {
      utimesSync(write(name, epochs(time)), time, time);
    }
    expect((await readResults(folder)).map(({ config }) => config["epochs"])).toEqual([1000, 2000, 3000]);
  });

  test("that are cut off or not ours are refused by file and field", async () => {
    const cut = write("cut", JSON.stringify(result).slice(0, 100));
    await expect(readResult(cut)).rejects.toThrow(FormatError);
    await expect(readResult(cut)).rejects.toThrow(cut);
    await expect(readResult(cut)).rejects.toThrow("The command that made the run repeats it");
    const foreign = write("foreign", { ...result, seed: "one" });
    await expect(readResult(foreign)).rejects.toThrow(`${foreign}: seed`);
    await expect(readResults(join(folder, "nowhere"))).rejects.toThrow(DataError);
  });
});

describe("a run", () => {
  test("is finished when its folder has results that can be read", async () => {
    write("a", result);
    write("b", "{");
    mkdirSync(join(folder, "c"));
    expect(await finishedRun(plannedIn("a"))).toHaveLength(1);
    for (const name of ["b", "c", "nowhere"]) expect(await finishedRun(plannedIn(name)), name).toBeUndefined();
  });

  test("that failed leaves the reason in its unfinished folder", async () => {
    const run = plannedIn("a");
    await keepFailure(run, { message: "why" });
    expect(failureFile(run)).toBe(join(folder, "a.partial", "error.json"));
    expect(await finishedRun(run)).toBeUndefined();
  });

  test("whose lock is taken stops with an error that says so, and goes on when it is called again", async () => {
    vi.stubEnv("XDG_CACHE_HOME", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const file = join(folder, "pets.csv");
    const pets = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? `cats purr ${i},cat` : `dogs bark ${i},dog`));
    writeFileSync(file, `body,topic\n${pets.join("\n")}\n`);
    const encoder = { kind: "transformer", hidden: 8, vocabulary: { minimumCount: 1 } };
    const config = { data: { text: "body", label: "topic" }, width: 8, encoder, epochs: 3 };
    const request = { benchmark: "text", methods: [{ kind: "dense" }], seeds: [0], configName: "", source: { file } };
    const [run] = (await planRuns([{ ...request, config } as never], folder)) as [PlannedRun];
    const lock = `${run.folder}.lock`;
    let epochs = 0;
    const stopped = obtainRun(run, {
      onEpoch: () => {
        epochs++;
        if (epochs > 1) return;
        expect(existsSync(lock)).toBe(true);
        // As another process would leave it: with a time of its own. The next look at it comes after two seconds.
        utimesSync(lock, 1000, 1000);
        const end = performance.now() + 2500;
        while (performance.now() < end);
      },
    });
    const error = await stopped.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(LockLost);
    expect(String(error)).toContain(lock);
    expect(String(error)).toContain("Give the command again");
    expect(isWrongInput(error)).toBe(false);
    expect(await finishedRun(run)).toBeUndefined();
    // What is not this process's any more stays where it is; untouched for so long, it is taken over.
    expect(existsSync(lock)).toBe(true);
    expect(await obtainRun(run, { onEpoch: () => epochs++ })).toHaveLength(1);
    expect([existsSync(lock), existsSync(`${run.folder}.partial`)]).toEqual([false, false]);
    expect(epochs).toBeLessThanOrEqual(4);
  });
});
