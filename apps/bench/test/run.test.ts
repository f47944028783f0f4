import { readdirSync, readFileSync, rmSync } from "node:fs";
import { extname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resultSchema } from "../src/result.ts";
import { type Ended, l0gm, SMALL, type Started, start, tableText, temporaryFolder, writeInto } from "./command-line.ts";

/** Options of a run on a small table in a folder of its own. */
function smallRun(folder: string): string[] {
  const data = writeInto(folder, "table.csv", tableText(200));
  const config = writeInto(folder, "config.json", SMALL);
  return ["run", "tabular", "--data", data, "--label", "class", "--config", config, "--out", join(folder, "runs")];
}

function runFolders(folder: string): string[] {
  const runs = join(folder, "runs", "tabular");
  return readdirSync(runs).flatMap((name) => (name.endsWith(".lock") ? [] : [join(runs, name)]));
}

describe("l0gm run tabular --target", () => {
  test("prints one document, keeps everything in one folder, and is not repeated", async () => {
    const folder = temporaryFolder();
    const args = [...smallRun(folder), "--target", "1/4", "--seed", "3", "--json"];
    const first = await l0gm(...args);
    expect(first.code, first.stderr).toBe(0);
    const result = resultSchema.parse(JSON.parse(first.stdout));
    expect(result).toMatchObject({
      benchmark: "tabular",
      method: "l0gm",
      seed: 3,
      split: "stratified",
      dimensions: 8,
      active: { requested: 0.25, realised: 0.25, count: 2 },
      data: { name: "table.csv" },
    });
    expect(result.gates.filter((value) => value > 0)).toHaveLength(2);
    expect(result.trace).toHaveLength(SMALL.epochs);
    expect(result.warnings.filter((warning) => warning.includes("compacted"))).toEqual([]);
    expect(result.metrics).toEqual(result.protocols.bestValidation);
    expect(result.metrics.test.rows).toBe(40);
    expect(result.cost.embeddingBytes).toEqual({ dense: 32, compacted: 8 });
    expect(result.cost.parameters.compacted).toBeLessThan(result.cost.parameters.dense);
    expect(JSON.stringify(result.config)).not.toContain(folder);

    const [run, ...others] = runFolders(folder);
    expect(others).toEqual([]);
    expect(readdirSync(run ?? "").sort()).toEqual([
      "config.json",
      "log.jsonl",
      "model",
      "predictions.safetensors",
      "preprocessor.json",
      "result.json",
    ]);
    expect(JSON.parse(readFileSync(join(run ?? "", "result.json"), "utf8"))).toEqual(JSON.parse(first.stdout));

    const second = await l0gm(...args);
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toMatch("done before");
  });
});

describe("l0gm run tabular --path", () => {
  const folder = temporaryFolder(afterAll);
  let ended: Ended;
  beforeAll(async () => {
    ended = await l0gm(...smallRun(folder), "--path", "--json");
  });

  test("prints a document a fraction, every fraction realised exactly", () => {
    expect(ended.code, ended.stderr).toBe(0);
    const results = resultSchema.array().parse(JSON.parse(ended.stdout));
    expect(results.map(({ active }) => [active.requested, active.realised])).toEqual([
      [1, 1],
      [0.5, 0.5],
      [0.25, 0.25],
    ]);
    const [, half = [], quarter = []] = results.map(({ gates }) => gates.flatMap((value, j) => (value > 0 ? [j] : [])));
    expect(half).toEqual(expect.arrayContaining(quarter));
    expect(results.flatMap(({ trace }) => trace.map(({ epoch }) => epoch))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("predict applies one fraction to new rows, with calibrated probabilities", async () => {
    const [run = ""] = runFolders(folder);
    const newRows = writeInto(folder, "new.csv", "hours,town,age\n40,Lyon,70\n?,Graz,20\n31.5,Paris,45\n");
    const whole = await l0gm("predict", run, "--data", newRows);
    expect(whole).toMatchObject({ code: 2, stdout: "" });
    expect(whole.stderr).toMatch("3 runs");

    const { code, stdout, stderr } = await l0gm("predict", join(run, "0.5"), "--data", newRows);
    expect(code, stderr).toBe(0);
    const [header, ...rows] = stdout.trimEnd().split("\n");
    expect(header).toBe("prediction,P(no),P(yes)");
    expect(rows).toHaveLength(3);
    for (const row of rows) {
      const [prediction, no = 0, yes = 0] = row.split(",").map((text, i) => (i === 0 ? text : Number(text)));
      expect(Number(no) + Number(yes)).toBeCloseTo(1, 5);
      expect(prediction).toBe(Number(yes) > Number(no) ? "yes" : "no");
    }
  });
});

describe("l0gm run tabular --lambda", () => {
  test("records the penalty's weight", async () => {
    const folder = temporaryFolder();
    const { code, stdout, stderr } = await l0gm(...smallRun(folder), "--lambda", "0.01", "--json");
    expect(code, stderr).toBe(0);
    expect(resultSchema.parse(JSON.parse(stdout))).toMatchObject({ method: "l0gm-penalty", lambda: 0.01 });
  });
});

/** Starts a dense run of many epochs and waits until it trains. */
async function startTraining(folder: string, args = [...smallRun(folder), "--dense", "--json"]): Promise<Started> {
  writeInto(folder, "config.json", { ...SMALL, epochs: 400 });
  const child = start(args);
  const log = async (): Promise<number> => {
    const [run = ""] = await Promise.resolve(runFolders(folder)).catch(() => []);
    return readFileSync(join(run, "log.jsonl"), "utf8").split("\n").length;
  };
  await expect.poll(() => log().catch(() => 0), { timeout: 30_000 }).toBeGreaterThan(3);
  return child;
}

describe("an interrupted run", () => {
  test("ends with 130 and says how to go on", async () => {
    const folder = temporaryFolder();
    const child = await startTraining(folder);
    child.process.kill("SIGINT");
    const interrupted = await child.ended;
    expect(interrupted).toMatchObject({ code: 130, stdout: "" });
    expect(interrupted.stderr).toMatch(`l0gm run tabular --data`);
    expect(interrupted.stderr).toMatch(join(folder, "config.json"));
    expect(runFolders(folder).every((name) => name.endsWith(".partial"))).toBe(true);
  });
});

test.each(["run", "sweep"])(
  "%s: a run whose lock is taken ends, says so, and leaves its folder to the other",
  async (command) => {
    const folder = temporaryFolder();
    const [, ...options] = smallRun(folder);
    const dense = command === "run" ? ["--dense"] : ["--methods", "dense", "--seeds", "1"];
    const child = await startTraining(folder, [command, ...options, ...dense, "--json"]);
    const runs = join(folder, "runs", "tabular");
    const [lock = ""] = readdirSync(runs).filter((name) => name.endsWith(".lock"));
    rmSync(join(runs, lock), { recursive: true });
    const ended = await child.ended;
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stderr).toMatch(/\.lock: expected this process's lock/);
    expect(ended.stderr).toMatch(/goes on from the last checkpoint/);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(runFolders(folder).map((name) => [extname(name), readdirSync(name).includes("error.json")])).toEqual([
      [".partial", false],
    ]);
  },
);
