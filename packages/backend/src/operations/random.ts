import { type GradConfig, mul, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { addressesOf, input, type Kernel, type KernelCall } from "../kernels/kernel.ts";
import { allocate, sizeOf } from "../kernels/memory.ts";
import { DROPOUT, RANDOM_NORMAL, RANDOM_UNIFORM } from "../kernels/tasks.ts";
import { bitsAt, isSeed, type StreamKeys, streamAt } from "../random-stream.ts";
import { canFuse, type FusedOperation, runFused } from "./fused.ts";

const UNIFORM = "L0gmRandomUniform";
const NORMAL = "L0gmRandomNormal";
/** The kernel of {@link dropout}. */
export const DROP = "L0gmDropout";

/** Groups of four elements that are worth a second thread. */
const SHARED_QUADS = 1024;

/**
 * Where random numbers come from: a seed (an integer from 0 to 2^53 - 1) and a path, for example `[7, "dropout", step]`. An address always
 * gives the same numbers, on every backend, thread count and machine; they are those of core's `Random.from(seed, ...path)`.
 */
export type RandomAddress = readonly [seed: number, ...path: (string | number)[]];

/** Consecutive numbers of a stream, from number `first` on: how a generator that counts, such as core's `Random`, hands them out. */
export interface StreamPlace extends StreamKeys {
  /** Below 2^32, as is the number of the last one that is drawn. */
  readonly first: number;
}

/** Where an operation finds its numbers: from the start of an address's stream, or from a place in one. */
export type RandomSource = RandomAddress | StreamPlace;

function isAddress(source: RandomSource): source is RandomAddress {
  return Array.isArray(source);
}

/** @param count - numbers that will be drawn */
function placeOf(where: string, source: RandomSource, count: number): StreamPlace {
  if (isAddress(source)) {
    const [seed, ...path] = source;
    if (!isSeed(seed)) {
      throw new BackendError({ where, expected: "a seed that is an integer from 0 to 2^53 - 1", received: seed });
    }
    return { ...streamAt(seed, path), first: 0 };
  }
  if (!(Number.isSafeInteger(source.first) && source.first >= 0 && source.first + count <= 2 ** 32)) {
    const expected = "numbers below 2^32 of a stream";
    throw new BackendError({ where, expected, received: `${count} from number ${source.first} on` });
  }
  return source;
}

/**
 * Uniform numbers in [low, high); `high` itself can occur through rounding to float32.
 *
 * @returns float32, the caller's
 * @throws BackendError when the seed is no integer from 0 to 2^53 - 1, or the stream's first 2^32 numbers do not suffice
 *
 * @example
 * ```ts
 * import { randomUniform } from "@l0gm/backend";
 *
 * const noise = randomUniform([128], [7, "gate", 12]); // the same 128 numbers in every process
 * ```
 */
export function randomUniform(shape: readonly number[], source: RandomSource, low = 0, high = 1): Tensor {
  const place = placeOf("randomUniform", source, sizeOf(shape));
  const scale = (high - low) / 2 ** 32;
  if (canFuse(UNIFORM)) return runFused(UNIFORM, {}, { shape: [...shape], ...place, start: low, scale });
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => low + bitsAt(place, place.first + i) * scale);
  return tensor(values, [...shape]);
}

/**
 * Normal numbers by Box and Muller's method.
 *
 * @returns float32, the caller's; backends may differ in the last bit
 * @throws BackendError when the seed is no integer from 0 to 2^53 - 1, or the stream's first 2^32 numbers do not suffice
 *
 * @example
 * ```ts
 * import { randomNormal } from "@l0gm/backend";
 *
 * const kernel = randomNormal([64, 32], [7, "initial", "kernel"], 0, 0.1);
 * ```
 */
export function randomNormal(shape: readonly number[], source: RandomSource, mean = 0, deviation = 1): Tensor {
  const place = placeOf("randomNormal", source, 2 * sizeOf(shape));
  if (canFuse(NORMAL)) return runFused(NORMAL, {}, { shape: [...shape], ...place, mean, deviation });
  const uniform = (i: number): number => bitsAt(place, place.first + i) / 2 ** 32;
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(2 * i)));
    return mean + deviation * radius * Math.cos(2 * Math.PI * uniform(2 * i + 1));
  });
  return tensor(values, [...shape]);
}

/**
 * Dropout (Srivastava et al., 2014): zeroes elements with probability `rate` and divides the others by `1 - rate`. The mask is made anew
 * for the gradient rather than kept.
 *
 * @param rate - from 0 up to, but not including, 1
 * @param source - one per layer and step, else the same elements drop every time; element i takes number i
 * @returns a tensor of x's shape, the caller's
 * @throws BackendError when rate or seed are out of range
 *
 * @example
 * ```ts
 * import { dropout } from "@l0gm/backend";
 * import { ones } from "@tensorflow/tfjs-core";
 *
 * const y = dropout(ones([4, 4]), 0.25, [7, "dropout", "layer1", 0]); // 0 or 1.333
 * ```
 */
export function dropout<T extends Tensor>(x: T, rate: number, source: RandomSource): T {
  const dropping = droppingOf("dropout", rate, source, x.size);
  if (canFuse(DROP, x)) return runFused(DROP, { x }, { ...dropping }) as T;
  const { first, threshold, scale } = dropping;
  const mask = Float32Array.from({ length: x.size }, (_, i) => (bitsAt(dropping, first + i) < threshold ? 0 : scale));
  return mul(x, tensor(mask, x.shape)) as T;
}

/** What a kernel needs to know of a dropout: element i is dropped where number `first + i` of the stream is below the threshold. */
interface Dropping extends StreamPlace {
  readonly threshold: number;
  /** Factor on the elements that stay. */
  readonly scale: number;
}

/**
 * Checks the settings of a dropout of `count` elements.
 *
 * @throws BackendError when rate or source are out of range
 */
export function droppingOf(where: string, rate: number, source: RandomSource, count: number): Dropping {
  if (!(rate >= 0 && rate < 1)) throw new BackendError({ where, expected: "a rate in [0, 1)", received: rate });
  return { ...placeOf(where, source, count), threshold: Math.ceil(rate * 2 ** 32), scale: 1 / (1 - rate) };
}

/** A dropout's settings among the attributes of a call, in the order in which the tasks take them. */
export function droppingArguments({ attrs }: KernelCall): number[] {
  return ["low", "high", "first", "threshold", "scale"].map((key) => Number(attrs[key] ?? 0));
}

function generator(name: string, task: number, perUnit: number, parameters: readonly [string, string]): Kernel {
  return {
    name,
    added: true,
    run(call) {
      const out = allocate(call.backend, call.attrs["shape"] as number[]);
      const length = sizeOf(out.shape);
      const values = ["low", "high", "first", ...parameters].map((key) => Number(call.attrs[key]));
      call.assembly.run(task, Math.ceil(length / perUnit), SHARED_QUADS, ...addressesOf(call, out), ...values, length);
      return out;
    },
  };
}

const drop: Kernel = {
  name: DROP,
  added: true,
  run(call) {
    const x = input(call, "x");
    const y = allocate(call.backend, x.shape);
    const length = sizeOf(x.shape);
    const values = [...addressesOf(call, x, y), ...droppingArguments(call), length];
    call.assembly.run(DROPOUT, Math.ceil(length / 4), SHARED_QUADS, ...values);
    return y;
  },
};

export const dropoutGradient: GradConfig = {
  kernelName: DROP,
  gradFunc: (dy, _, attrs) => ({ x: () => runFused(DROP, { x: dy as Tensor }, attrs) }),
};

export const randomOperation: FusedOperation = {
  kernels: [
    generator(UNIFORM, RANDOM_UNIFORM, 4, ["start", "scale"]),
    generator(NORMAL, RANDOM_NORMAL, 2, ["mean", "deviation"]),
    drop,
  ],
  gradient: dropoutGradient,
};
