/**
 * Random numbers that depend on nothing but their address: (seed, stream, step, index) always gives the same number, on every
 * machine and in every process. A resumed run therefore needs no generator state, only the step it stopped at.
 */

import { bitsAt, isSeed, keysOfBlock, type StreamKeys, type StreamPlace, streamAt } from "@l0gm/backend";
import { ConfigError } from "./errors.ts";

/** The purposes that draw random numbers. Each has a stream of its own, so that changing one leaves the others as they were. */
export type StreamName = "split" | "initial" | "shuffle" | "gate" | "dropout";

/** One seed per purpose, as recorded with every run. */
export type Seeds = Readonly<Record<StreamName, number>>;

const STREAMS: readonly StreamName[] = ["split", "initial", "shuffle", "gate", "dropout"];

/** A counter-based generator: the i-th number is a hash of its key and i. */
export class Random {
  readonly #keys: StreamKeys;
  #counter = 0;
  /** Which 2^32 numbers of the stream the counter is in, and their keys. */
  #block = 0;
  #blockKeys: StreamKeys;

  private constructor(keys: StreamKeys) {
    this.#keys = keys;
    this.#blockKeys = keys;
  }

  /**
   * @param seed - an integer from 0 to 2^53 - 1
   * @throws ConfigError when `seed` is not such an integer
   */
  static from(seed: number, ...path: readonly (string | number)[]): Random {
    if (!isSeed(seed)) {
      throw new ConfigError({
        where: "Random.from",
        expected: "a seed that is an integer from 0 to 2^53 - 1",
        received: seed,
      });
    }
    return new Random(streamAt(seed, path));
  }

  /** The next 32 random bits as an unsigned integer. */
  nextUint32(): number {
    if (this.#counter === 2 ** 32) this.#turn();
    return bitsAt(this.#blockKeys, this.#counter++);
  }

  /**
   * Sets the next `count` numbers aside for an operation that draws them where its tensors are, such as `dropout`; they count as drawn.
   *
   * @example
   * ```ts
   * await useBackend("cpu");
   * const noise = randomUniform([128], Random.from(7, "gate", 12).take(128)); // as uniforms(128) would give them
   * ```
   */
  take(count: number): StreamPlace {
    // Where the 2^32 numbers do not suffice the next ones do: they are not worth a case of their own in every kernel.
    if (this.#counter + count > 2 ** 32) this.#turn();
    const first = this.#counter;
    this.#counter += count;
    return { ...this.#blockKeys, first };
  }

  /** Goes to the stream's next 2^32 numbers. */
  #turn(): void {
    this.#block++;
    this.#counter = 0;
    this.#blockKeys = keysOfBlock(this.#keys, this.#block);
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
