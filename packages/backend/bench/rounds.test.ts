import { expect, test } from "vitest";
import type { z } from "zod";
import { PeerFailure } from "./peer.ts";
import type { Request, Workload } from "./protocol.ts";
import { type Measurable, measureInRounds, orders, plan, takesPart } from "./rounds.ts";

const MLP: Workload = { model: "mlp" };
const OPTIONS = { rounds: 4, seconds: 0.1, seed: 3 };

/** Answers from a script, and writes down what it was asked. */
class Scripted implements Measurable {
  readonly #name: string;
  readonly #log: string[];
  readonly #answers: Partial<Record<Request["command"], object | (() => object)>>;

  constructor(name: string, log: string[], answers: Partial<Record<Request["command"], object | (() => object)>> = {}) {
    this.#name = name;
    this.#log = log;
    this.#answers = {
      prepare: { checks: [1, 0.5], ms: 10 },
      measure: { times: [10] },
      release: { released: true },
      ...answers,
    };
  }

  async ask<T>(request: Request, answer: z.ZodType<T>): Promise<T> {
    this.#log.push(`${this.#name} ${request.command}`);
    const value = this.#answers[request.command];
    return answer.parse(typeof value === "function" ? value() : value);
  }
}

function failing(message: string): () => never {
  return () => {
    throw new PeerFailure(message);
  };
}

test("orders are permutations, repeat with the seed, and give each place to each implementation", () => {
  const names = ["a", "b", "c"];
  const many = orders(names, 300, 1);
  expect(orders(names, 300, 1)).toEqual(many);
  expect(orders(names, 300, 2)).not.toEqual(many);
  for (const order of many) expect(order.toSorted()).toEqual(names);
  for (const place of [0, 1, 2]) {
    for (const name of names) {
      const times = many.filter((order) => order[place] === name).length;
      expect(times).toBeGreaterThan(70);
      expect(times).toBeLessThan(130);
    }
  }
});

test("long steps sit rounds out, short ones are repeated to fill the time", () => {
  expect([0, 1, 2, 3].map((round) => takesPart(1900, round))).toEqual([true, true, true, true]);
  expect([0, 1, 2, 3].map((round) => takesPart(4200, round))).toEqual([true, false, false, true]);
  expect(plan(10, 0.3)).toMatchObject({ repetitions: 30, untimed: 2 });
  expect(plan(5000, 0.3)).toMatchObject({ repetitions: 1, untimed: 0 });
});

test("everyone prepares, then takes a turn in every round, and lets go", async () => {
  const log: string[] = [];
  const peers = new Map([...["a", "b"]].map((name) => [name, new Scripted(name, log)]));
  const { times, checks, failures, refused } = await measureInRounds(peers, MLP, OPTIONS);
  expect(log.slice(0, 2)).toEqual(["a prepare", "b prepare"]);
  for (let round = 0; round < OPTIONS.rounds; round++) {
    expect(log.slice(2 + 2 * round, 4 + 2 * round).toSorted()).toEqual(["a measure", "b measure"]);
  }
  expect(log.slice(-2)).toEqual(["a release", "b release"]);
  expect(times.get("a")).toEqual([[10], [10], [10], [10]]);
  expect([...checks.keys()]).toEqual(["a", "b"]);
  expect(failures.size).toBe(0);
  expect(refused).toBeUndefined();
});

test("where results differ nothing is measured", async () => {
  const log: string[] = [];
  const peers = new Map([
    ["a", new Scripted("a", log)],
    ["b", new Scripted("b", log, { prepare: { checks: [1.001, 0.5], ms: 10 } })],
  ]);
  const { refused, times } = await measureInRounds(peers, MLP, OPTIONS);
  expect(refused).toMatch(/the first value differs.*a 1, b 1\.001/);
  expect(times.size).toBe(0);
  expect(log.filter((line) => line.endsWith("measure"))).toEqual([]);
  expect(log.slice(-2)).toEqual(["a release", "b release"]);
});

test("one that fails says why and leaves the others alone; its substitute steps in", async () => {
  const log: string[] = [];
  const peers = new Map([
    ["stock", new Scripted("stock", log, { prepare: failing("no kernel") })],
    ["filled", new Scripted("filled", log)],
    ["ours", new Scripted("ours", log)],
    ["spare", new Scripted("spare", log)],
    ["breaks", new Scripted("breaks", log, { measure: failing("its process ended") })],
  ]);
  const substitutes = new Map([
    ["filled", "stock"],
    ["spare", "ours"],
  ]);
  const { times, failures } = await measureInRounds(peers, MLP, { ...OPTIONS, substitutes });
  expect([...times.keys()]).toEqual(["filled", "ours"]);
  expect(Object.fromEntries(failures)).toEqual({ stock: "no kernel", breaks: "its process ended" });
  expect(log.filter((line) => line.startsWith("spare"))).toEqual([]);
});

test("an error that is no peer's is not swallowed", async () => {
  const broken: Measurable = { ask: () => Promise.reject(new TypeError("a bug of ours")) };
  await expect(measureInRounds(new Map([["a", broken]]), MLP, OPTIONS)).rejects.toThrow("a bug of ours");
});
