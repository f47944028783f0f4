import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { bitsOf, everyOperation } from "../../test/every-operation.ts";
import type { Assignment, Operations, Training } from "../../test/program.ts";
import { useBackend } from "../select.ts";
import { defaultThreads } from "./helper-threads.ts";

const PROGRAM = join(import.meta.dirname, "../../test/program.ts");
const FLAGS = ["--conditions=@l0gm/source", "--import", "tsx"];

/** In a worker, the flag for TypeScript is not heeded. */
const LOADER = `import("tsx/esm/api").then(({ register }) => (register(), import(${JSON.stringify(PROGRAM)})));`;

/** The last line of a process of its own, which has to end by itself. */
async function inProcess<T>(assignment: Assignment): Promise<T> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [...FLAGS, PROGRAM, JSON.stringify(assignment)], { timeout: 50_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as T;
}

/** The message of a worker, which has to end by itself, too. */
function inWorker(workerData: Assignment): Promise<Operations> {
  const worker = new Worker(LOADER, { eval: true, workerData, execArgv: FLAGS, stdout: true, stderr: true });
  return new Promise((resolve, reject) => {
    let told: Operations | undefined;
    worker.on("message", (message: Operations) => {
      told = message;
    });
    worker.on("error", reject);
    worker.on("exit", (code) => (told === undefined ? reject(new Error(`ended with ${code}`)) : resolve(told)));
  });
}

/** The system's threads of this process, where it shows them. */
const TASKS = "/proc/self/task";
const shown = existsSync(TASKS);
const why = shown ? "" : ` (skipped: no ${TASKS})`;

describe("programs", () => {
  it.skipIf(!shown)(`in workers side by side get the same bits, and leave no thread${why}`, async () => {
    await useBackend("wasm", { threads: 1 });
    const bits = await bitsOf(await everyOperation());
    const threads = (): number => readdirSync(TASKS).length;
    const before = threads();
    const results = await Promise.all([inWorker({ threads: 2 }), inWorker({ threads: 3 })]);
    expect(results.map((result) => result.threads)).toEqual([2, 3]);
    for (const result of results) expect(result.bits).toEqual(bits);
    await expect.poll(threads, { timeout: 10_000 }).toBeLessThanOrEqual(before);
  });

  it("in processes side by side get the same bits, and end", async () => {
    const results = await Promise.all(
      [{ threads: 2 }, { threads: 3 }, {}].map((asked) => inProcess<Operations>(asked)),
    );
    expect(results.map(({ threads }) => threads)).toEqual([2, 3, defaultThreads()]);
    expect(results[1]?.bits).toEqual(results[0]?.bits);
    expect(results[2]?.bits).toEqual(results[0]?.bits);
  });

  it("keep tensors, tfjs's bytes and the process's memory flat over 4,000 training steps on two threads", async () => {
    const { threads, rounds } = await inProcess<Training>({ threads: 2, steps: 500 });
    expect(threads).toBe(2);
    for (const { resident: _, ...counted } of rounds) {
      const { resident: __, ...first } = rounds[0] as (typeof rounds)[number];
      expect(counted).toEqual(first);
    }
    // The engine's own memory goes up and down by some 20 MiB: its lowest mark in each half says whether it grows.
    const [early, late] = [rounds.slice(0, 4), rounds.slice(4)].map((half) =>
      Math.min(...half.map(({ resident }) => resident)),
    ) as [number, number];
    // 2,000 steps lie between: a leak of 4 kB a step would show.
    expect(late - early).toBeLessThan(8 * 2 ** 20);
  });
});
