/**
 * Random numbers that depend on nothing but their address: (seed, stream, step, index) always gives the same number, on every
 * machine and in every process. A resumed run therefore needs no generator state, only the step it stopped at.
 */

import { ConfigError } from "./errors.ts";

/** The purposes that draw random numbers. Each has a stream of its own, so that changing one leaves the others as they were. */
export type StreamName = "split" | "initial" | "shuffle" | "gate" | "dropout";

/** One seed per purpose, as recorded with every run. */
export type Seeds = Readonly<Record<StreamName, number>>;

const STREAMS: readonly StreamName[] = ["split", "initial", "shuffle", "gate", "dropout"];

/** A bijective mix of 32 bits with low bias (three rounds of xor-shift and multiply). */
function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 17), 0xed5ad4bb);
  h = Math.imul(h ^ (h >>> 11), 0xac4c1b51);
  h = Math.imul(h ^ (h >>> 15), 0x31848bab);
  return h ^ (h >>> 14);
}

function mixText(text: string, seed: number): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) h = mix(h ^ Math.imul(text.charCodeAt(i) + 1, 0x9e3779b9));
  return h;
}

/** A counter-based generator: the i-th number is a hash of its key and i. */
export class Random {
  readonly #low: number;
  readonly #high: number;
  #counter = 0;

  private constructor(low: number, high: number) {
    this.#low = low;
    this.#high = high;
  }

  /**
   * @param seed - an integer from 0 to 2^53 - 1
   * @throws ConfigError when `seed` is not such an integer
   */
  static from(seed: number, ...path: readonly (string | number)[]): Random {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ConfigError({
        where: "Random.from",
        expected: "a seed that is an integer from 0 to 2^53 - 1",
        received: seed,
      });
    }
    let low = mix(seed ^ 0x5bd1e995);
    let high = mix(Math.floor(seed / 2 ** 32) ^ low ^ 0x27d4eb2f);
    for (const part of path) {
      // Ended, so that ("a", "b") is another address than ("ab").
      const text = `${typeof part === "number" ? "#" : ""}${part}\0`;
      low = mixText(text, low);
      high = mixText(text, high ^ 0x165667b1);
    }
    return new Random(low, high);
  }

  /** The next 32 random bits as an unsigned integer. */
  nextUint32(): number {
    const i = this.#counter++;
    return mix(mix(i ^ this.#low) ^ Math.imul(Math.floor(i / 2 ** 32), 0x9e3779b9) ^ this.#high) >>> 0;
  }

  /** Uniform in [0, 1) with 32 bits. */
  next(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /**
   * A uniform integer in [0, bound), without bias.
   *
   * @param bound - an integer from 1 to 2^32
   * @throws ConfigError when `bound` is not such an integer
   */
  integer(bound: number): number {
    if (!(Number.isInteger(bound) && bound >= 1 && bound <= 2 ** 32)) {
      throw new ConfigError({
        where: "Random.integer",
        expected: "a bound that is an integer from 1 to 2^32",
        received: bound,
      });
    }
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const value = this.nextUint32();
      if (value < limit) return value % bound;
    }
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** Uniform numbers in [low, high) as float32; `high` itself can occur through rounding to float32. */
  uniforms(length: number, low = 0, high = 1): Float32Array {
    const out = new Float32Array(length);
    const scale = (high - low) / 2 ** 32;
    for (let i = 0; i < length; i++) out[i] = low + this.nextUint32() * scale;
    return out;
  }

  normals(length: number, mean = 0, standardDeviation = 1): Float32Array {
    return Float32Array.from({ length }, () => mean + standardDeviation * this.normal());
  }

  /** Shuffles in place (Fisher and Yates) and returns the same array. */
  shuffle<T extends Int32Array | Uint32Array | unknown[]>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const item = items[i];
      items[i] = items[j];
      items[j] = item;
    }
    return items;
  }

  /** The integers 0 to length - 1 in random order. */
  permutation(length: number): Int32Array {
    return this.shuffle(Int32Array.from({ length }, (_, i) => i));
  }
}

/**
 * Derives one seed a purpose from a single run seed; any of them can be fixed instead, for example the split while the
 * rest varies.
 *
 * @example
 * ```ts
 * const seeds = seedsFrom(7, { split: 0 });
 * Random.from(seeds.gate, "gate", 12).uniforms(128); // the gate noise of step 12
 * ```
 */
export function seedsFrom(seed: number, fixed: Partial<Seeds> = {}): Seeds {
  const derive = (name: StreamName): number => fixed[name] ?? Random.from(seed, name).nextUint32();
  return Object.fromEntries(STREAMS.map((name) => [name, derive(name)])) as Record<StreamName, number>;
}
