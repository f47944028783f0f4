import { Csr, TRUSTED } from "./csr.ts";

type Numbers = Int32Array | Float32Array;

/** What was copied once is not copied again, as long as the original lives. */
const copies = new WeakMap<Numbers, Numbers>();

/** The same numbers in memory that threads share: the array itself if it is in such memory, else a copy. */
export function shared<T extends Numbers>(array: T): T {
  if (isShared(array)) return array;
  let copy = copies.get(array) as T | undefined;
  if (copy === undefined) {
    copy = zeros(array, array.length);
    copy.set(array);
    copies.set(array, copy);
  }
  return copy;
}

/** A graph whose arrays threads share: the graph itself if they do. */
export function sharedCsr(csr: Csr): Csr {
  const { rows, columns, offsets, neighbors, weights } = csr;
  if ([offsets, neighbors, ...(weights === undefined ? [] : [weights])].every(isShared)) return csr;
  const own = { rows, columns, offsets: shared(offsets), neighbors: shared(neighbors) };
  return new Csr(weights === undefined ? own : { ...own, weights: shared(weights) }, TRUSTED);
}

/** An array of the kind of `like`, in shared memory. */
function zeros<T extends Numbers>(like: T, length: number): T {
  const buffer = new SharedArrayBuffer(length * like.BYTES_PER_ELEMENT);
  return (like instanceof Float32Array ? new Float32Array(buffer) : new Int32Array(buffer)) as T;
}

/** Zeros in shared memory where `array` is, so that what is made of a shared graph need not be copied. */
export function zerosLike<T extends Numbers>(array: T, length: number): T {
  if (isShared(array)) return zeros(array, length);
  return (array instanceof Float32Array ? new Float32Array(length) : new Int32Array(length)) as T;
}

/** A page without isolation has no SharedArrayBuffer. */
function isShared(array: Numbers): boolean {
  return typeof SharedArrayBuffer === "function" && array.buffer instanceof SharedArrayBuffer;
}
