import { randomUniform, useBackend } from "@l0gm/backend";
import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import { ConfigError } from "./errors.ts";
import { Random, seedsFrom } from "./random.ts";

/** Pearson's statistic against equal expected counts, in standard deviations from its mean. */
function chiSquareDeviation(counts: ArrayLike<number>): number {
  const cells = Array.from(counts);
  const expected = cells.reduce((sum, n) => sum + n, 0) / cells.length;
  const statistic = cells.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  const freedom = cells.length - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

function histogram(bins: number, draws: number, draw: () => number): Int32Array {
  const counts = new Int32Array(bins);
  for (let i = 0; i < draws; i++) {
    const bin = Math.floor(draw());
    const count = counts[bin];
    if (count === undefined) throw new Error(`${bin} is none of ${bins} bins`);
    counts[bin] = count + 1;
  }
  return counts;
}

describe("reproducibility", () => {
  test("the first numbers are pinned: a change would silently change every run", () => {
    const random = Random.from(7, "gate", 12);
    expect([random.nextUint32(), random.nextUint32(), random.nextUint32()]).toEqual([
      2675654404, 1713509770, 1942406046,
    ]);
    expect(Random.from(2 ** 53 - 1).nextUint32()).toBe(1481331582);
  });

  test("the same address gives the same numbers, another address others", () => {
    const first = (...address: Parameters<typeof Random.from>): string =>
      Array.from({ length: 4 }, random(...address)).join();
    const random = (...address: Parameters<typeof Random.from>): (() => number) => {
      const stream = Random.from(...address);
      return () => stream.nextUint32();
    };
    expect(first(1, "gate", 2)).toBe(first(1, "gate", 2));
    const others: Parameters<typeof Random.from>[] = [
      [1],
      [2],
      [1 + 2 ** 32],
      [1, "gate"],
      [1, "gate", 2],
      [1, "gate", 3],
      [1, "gate2"],
      [1, "ga", "te", 2],
      [1, "", "gate", 2],
      [1, 2, "gate"],
      [1, 12],
      [1, 1, 2],
    ];
    expect(new Set(others.map((address) => first(...address))).size).toBe(others.length);
  });

  test("a derived seed depends on the run's seed and its purpose alone, unless it is fixed", () => {
    const seeds = seedsFrom(3);
    expect(new Set(Object.values(seeds)).size).toBe(5);
    expect(seedsFrom(3, { split: 0 })).toEqual({ ...seeds, split: 0 });
    expect(seedsFrom(4).gate).not.toBe(seeds.gate);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])("%d is no seed", (seed) => {
    expect(() => Random.from(seed)).toThrow(ConfigError);
  });
});

describe("numbers that are set aside", () => {
  test("count as drawn, and are those that would have come", async () => {
    await useBackend(inject("backend"));
    const [random, other] = [Random.from(7, "dropout", 2), Random.from(7, "dropout", 2)];
    expect(random.uniforms(3)).toEqual(other.uniforms(3));
    const noise = randomUniform([5], random.take(5), -1, 2);
    expect(await noise.data()).toEqual(other.uniforms(5, -1, 2));
    noise.dispose();
    expect(random.nextUint32()).toBe(other.nextUint32());
  });

  test("lie among 2^32 numbers that a kernel can count", () => {
    const random = Random.from(1);
    const { low, high } = random.take(2 ** 32 - 4);
    expect(random.take(4)).toEqual({ low, high, first: 2 ** 32 - 4 });
    const next = random.take(4);
    expect(next).toMatchObject({ low, first: 0 });
    expect(next.high).not.toBe(high);
  });
});

describe("distribution", () => {
  // A statistic more than 5 standard deviations out would be a defect, not bad luck; the seeds are fixed anyway.
  test("bits are uniform in every byte, and so are pairs of successive numbers", () => {
    for (const shift of [0, 8, 16, 24]) {
      const random = Random.from(1, "bytes", shift);
      const counts = histogram(256, 100_000, () => (random.nextUint32() >>> shift) & 0xff);
      expect(Math.abs(chiSquareDeviation(counts)), `byte at bit ${shift}`).toBeLessThan(5);
    }
    const random = Random.from(2);
    const pairs = histogram(1024, 100_000, () => Math.floor(random.next() * 32) * 32 + random.next() * 32);
    expect(Math.abs(chiSquareDeviation(pairs))).toBeLessThan(5);
  });

  test("the first numbers of neighbouring streams and seeds are uniform and unrelated", () => {
    let step = 0;
    const steps = histogram(256, 50_000, () => Random.from(3, "gate", step++).next() * 256);
    expect(Math.abs(chiSquareDeviation(steps))).toBeLessThan(5);
    let seed = 0;
    const seeds = histogram(256, 50_000, () => Random.from(seed++).next() * 256);
    expect(Math.abs(chiSquareDeviation(seeds))).toBeLessThan(5);
    const a = Random.from(0, "gate").uniforms(50_000, -0.5, 0.5);
    const b = Random.from(0, "dropout").uniforms(50_000, -0.5, 0.5);
    const correlation = a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0) / (50_000 / 12);
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(50_000));
  });

  test.each([1, 2, 3, 10, 100])("integers below %d are uniform", (bound) => {
    const random = Random.from(5, bound);
    const counts = histogram(bound, 50_000, () => random.integer(bound));
    expect(counts.every((count) => count > 0)).toBe(true);
    if (bound > 1) expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(5);
  });

  test("integers stay below bounds that divide 2^32 badly", () => {
    const random = Random.from(6);
    const bound = 3 * 2 ** 30;
    const thirds = histogram(3, 30_000, () => random.integer(bound) / 2 ** 30);
    expect(Math.abs(chiSquareDeviation(thirds))).toBeLessThan(5);
    expect(random.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  test.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])("%d is no bound of integers", (bound) => {
    expect(() => Random.from(0).integer(bound)).toThrow(ConfigError);
  });

  test("normals have the moments of the normal distribution", () => {
    const n = 100_000;
    const z = Random.from(8)
      .normals(n, 3, 2)
      .map((x) => (x - 3) / 2);
    const moment = (k: number): number => z.reduce((sum, x) => sum + x ** k, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
    expect(z.every(Number.isFinite)).toBe(true);
  });

  test("uniforms stay within their ends", () => {
    const u = Random.from(9).uniforms(100_000, 1e-6, 1 - 1e-6);
    expect(Math.min(...u.subarray(0, 50_000))).toBeGreaterThanOrEqual(Math.fround(1e-6));
    expect(u.every((x) => x > 0 && x < 1)).toBe(true);
  });
});

describe("shuffling", () => {
  test("keeps every item, in place", () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.integer()), (seed, items) => {
        const copy = [...items];
        expect(Random.from(seed).shuffle(copy)).toBe(copy);
        expect(copy.sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
      }),
    );
  });

  test("makes every order of four equally likely", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = Random.from(11, i).permutation(4).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(Math.abs(chiSquareDeviation([...counts.values()]))).toBeLessThan(5);
  });

  test("a permutation holds 0 to length - 1 once each", () => {
    expect([...Random.from(1).permutation(1000)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    );
    expect(Random.from(1).permutation(0)).toEqual(new Int32Array());
  });
});
