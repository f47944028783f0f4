import { execFileSync } from "node:child_process";
import { DataError } from "@l0gm/core";
import { describe, expect, test } from "vitest";
import { answersOfCrew } from "./crew.ts";
import type { Job, Task } from "./job.ts";

/** A ring: every node receives from the one before it. */
function ring(nodes: number): Task {
  const offsets = Int32Array.from({ length: nodes + 1 }, (_, i) => i);
  const neighbors = Int32Array.from({ length: nodes }, (_, i) => (i + nodes - 1) % nodes);
  return { graph: { rows: nodes, columns: nodes, offsets, neighbors }, fanOut: [1] };
}

function* jobs(count: number, begun: number[] = []): Generator<Job, void, undefined> {
  for (let i = 0; i < count; i++) {
    begun.push(i);
    yield { seeds: Int32Array.of(i), keys: [{ low: 1, high: i }] };
  }
}

/** No such graph can be made: the block of node 2 has a negative length. */
function broken(): Task {
  const { graph } = ring(5);
  return { graph: { ...graph, offsets: Int32Array.of(0, 1, 2, -9, 4, 5) }, fanOut: [3] };
}

/** Threads of this process, where Linux tells. */
function threads(): number {
  return Number(
    /Threads:\s+(\d+)/.exec(execFileSync("cat", [`/proc/${process.pid}/status`], { encoding: "utf8" }))?.[1],
  );
}

async function settled(count: number): Promise<void> {
  for (let i = 0; i < 100 && threads() > count; i++) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("answersOfCrew", () => {
  test("begins no more jobs than are allowed ahead", async () => {
    const begun: number[] = [];
    const answers = answersOfCrew(ring(50), jobs(20, begun), { workers: 2, prefetch: 3 });
    for (let taken = 1; taken <= 10; taken++) {
      const { value } = await answers.next();
      expect([...(value?.nodes ?? [])]).toEqual([taken - 1, (taken + 48) % 50]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(begun.length).toBe(taken + 3);
    }
    await answers.return();
  });

  test("an error in a thread reaches whoever waits for its answer, with what caused it", async () => {
    const answers = answersOfCrew(broken(), jobs(5), {
      workers: 1,
      prefetch: 2,
    });
    expect((await answers.next()).value?.nodes.length).toBe(2);
    await answers.next();
    const failure: unknown = await answers.next().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DataError);
    expect(String(failure)).toMatch(/a sampling thread.*RangeError/s);
    expect((failure as DataError).cause).toBeInstanceOf(RangeError);
    expect(await answers.next()).toEqual({ done: true, value: undefined });
  });
});

test("a process ends while an iteration lies unfinished", () => {
  const script = `
    import { Csr, NeighborSampler } from "@l0gm/graph";
    const ring = Csr.fromEdges([0, 1, 2], [1, 2, 0], { nodes: 3 });
    const batches = new NeighborSampler(ring, { fanOut: [1], seed: 1, workers: 2 }).batches([[0], [1], [2], [0], [1]]);
    const { value } = await batches.next();
    console.log(value.nodes.join());
  `;
  const args = ["--conditions=@l0gm/source", "--import", "tsx", "--input-type=module", "--eval", script];
  expect(execFileSync(process.execPath, args, { encoding: "utf8", timeout: 30_000 })).toContain("0,2\n");
});

describe.runIf(process.platform === "linux")("threads are gone", () => {
  const options = { workers: 2, prefetch: 3 };

  test.each([
    [
      "all answers are taken",
      async () => {
        for await (const _ of answersOfCrew(ring(9), jobs(5), options));
      },
    ],
    [
      "the loop is left",
      async () => {
        for await (const _ of answersOfCrew(ring(9), jobs(5), options)) break;
      },
    ],
    [
      "the loop throws",
      async () => {
        const pass = async (): Promise<void> => {
          for await (const _ of answersOfCrew(ring(9), jobs(5), options)) throw new Error("mine");
        };
        await expect(pass()).rejects.toThrow("mine");
      },
    ],
    [
      "a thread fails",
      async () => {
        const pass = async (): Promise<void> => {
          for await (const _ of answersOfCrew(broken(), jobs(5), options));
        };
        await expect(pass()).rejects.toThrow(DataError);
      },
    ],
  ] as const)("when %s", async (_, pass) => {
    // The first pass starts threads of the process that stay.
    await pass();
    const before = threads();
    for (let i = 0; i < 5; i++) await pass();
    await settled(before);
    expect(threads()).toBeLessThanOrEqual(before);
  });
});
