/**
 * How kernels are called, and shared between threads.
 *
 * All instances (one a thread) live on one memory. JavaScript writes the arguments into the control block and calls `run`, which works
 * through the units [0, units) in chunks: every thread claims the next chunk until none is left. What a unit computes does not depend
 * on the chunk that it is in, so results are the same for any number of threads. A helper without work spins for a while, which lets
 * it answer the next call within a microsecond, then sleeps. `run` waits for the units, not for the helpers: one that the system
 * does not let run, or that wakes late, costs nothing.
 *
 * A browser's main thread must not sleep, and its engine traps on `atomic.wait` there. It spins instead, which is never longer than the
 * last chunk of another thread.
 */

import { adam } from "./adam";
import { attention, attentionGradient } from "./attention";
import { block, setBlock } from "./call";
import { CONSTANT_BYTES, writeConstants } from "./constants";
import { csrDots, csrProduct, csrSoftmax, csrSoftmaxGradient, csrTranspose } from "./csr";
import { gate, multiplyRows } from "./gate";
import { gather, segmentSum } from "./gather";
import { layerNorm, layerNormGradient } from "./layer-norm";
import { map, mapGradient } from "./map";
import { piecewise, piecewiseGradient } from "./piecewise";
import { PRODUCT_SCRATCH, product } from "./product";
import { dropout, randomNormal, randomUniform } from "./random";
import { select } from "./select";
import { crossEntropy, crossEntropyGradient } from "./softmax";
import { columnSums, productSums, rowSums, spreadRows, squares } from "./sums";
import {
  ADAM,
  ATTENTION,
  ATTENTION_GRADIENT,
  COLUMN_SUMS,
  CROSS_ENTROPY,
  CROSS_ENTROPY_GRADIENT,
  CSR_DOTS,
  CSR_PRODUCT,
  CSR_SOFTMAX,
  CSR_SOFTMAX_GRADIENT,
  CSR_TRANSPOSE,
  DROPOUT,
  GATE,
  GATHER,
  LAYER_NORM,
  LAYER_NORM_GRADIENT,
  MAP,
  MAP_GRADIENT,
  MULTIPLY_ROWS,
  PIECEWISE,
  PIECEWISE_GRADIENT,
  PRODUCT,
  PRODUCT_SUMS,
  RANDOM_NORMAL,
  RANDOM_UNIFORM,
  ROW_SUMS,
  SEGMENT_SUM,
  SELECT,
  SPREAD_ROWS,
  SQUARES,
} from "../src/kernels/tasks";

// The words of the control block, which ends with the arguments (see call.ts).

/**
 * Two words in one: the number of the call, and below it the first unit that nobody has claimed. A helper that read the words below in
 * an earlier call can not claim a unit of a later one, because the whole has changed.
 */
const CLAIM: usize = 0;
const DONE: usize = 8; // units that are finished
const SLEEPING: usize = 12; // helpers that must be woken
const TASK: usize = 16;
const UNITS: usize = 20;
const CHUNK: usize = 24;
const STOP: usize = 28; // not 0: helpers return

/** More units than any call has: none can be claimed. */
const CLOSED: i64 = 0x7fffffff;
const CALL: i64 = 1 << 32;

/** Some 50 us: longer than the JavaScript between two kernels of a training step. */
const SPINS = 20_000;

let helpers = 0;
let maySleep = false;

function execute(task: i32, first: i32, last: i32): void {
  switch (task) {
    case PRODUCT:
      return product(first, last);
    case MAP:
      return map(first, last);
    case MAP_GRADIENT:
      return mapGradient(first, last);
    case COLUMN_SUMS:
      return columnSums(first, last);
    case ROW_SUMS:
      return rowSums(first, last);
    case SPREAD_ROWS:
      return spreadRows(first, last);
    case GATHER:
      return gather(first, last);
    case SEGMENT_SUM:
      return segmentSum(first, last);
    case SELECT:
      return select(first, last);
    case LAYER_NORM:
      return layerNorm(first, last);
    case LAYER_NORM_GRADIENT:
      return layerNormGradient(first, last);
    case ATTENTION:
      return attention(first, last);
    case ATTENTION_GRADIENT:
      return attentionGradient(first, last);
    case CROSS_ENTROPY:
      return crossEntropy(first, last);
    case CROSS_ENTROPY_GRADIENT:
      return crossEntropyGradient(first, last);
    case GATE:
      return gate(first, last);
    case MULTIPLY_ROWS:
      return multiplyRows(first, last);
    case PRODUCT_SUMS:
      return productSums(first, last);
    case ADAM:
      return adam(first, last);
    case CSR_PRODUCT:
      return csrProduct(first, last);
    case CSR_TRANSPOSE:
      return csrTranspose(first, last);
    case CSR_DOTS:
      return csrDots(first, last);
    case CSR_SOFTMAX:
      return csrSoftmax(first, last);
    case CSR_SOFTMAX_GRADIENT:
      return csrSoftmaxGradient(first, last);
    case RANDOM_UNIFORM:
      return randomUniform(first, last);
    case RANDOM_NORMAL:
      return randomNormal(first, last);
    case DROPOUT:
      return dropout(first, last);
    case SQUARES:
      return squares(first, last);
    case PIECEWISE:
      return piecewise(first, last);
    case PIECEWISE_GRADIENT:
      return piecewiseGradient(first, last);
    default:
      unreachable();
  }
}

export function scratchBytes(): i32 {
  return CONSTANT_BYTES + PRODUCT_SCRATCH;
}

/**
 * @param control - the control block, the same for all threads and zero at first
 * @param scratch - `scratchBytes()` for this thread alone
 * @param thread - its number, 0 for the one that calls `run`
 */
export function configure(control: usize, scratch: usize, thread: i32): void {
  writeConstants(scratch);
  setBlock(control, scratch, scratch + CONSTANT_BYTES, thread);
}

/**
 * @param count - the number of threads that are in `serve`
 * @param sleeps - whether this thread may sleep until they are done
 */
export function setHelpers(count: i32, sleeps: bool): void {
  helpers = count;
  maySleep = sleeps;
}

/** Claims and runs one chunk. Returns false when there was none, `claim` being what the control block held. */
function runChunk(claim: i64): bool {
  const task = atomic.load<i32>(block + TASK);
  const units = atomic.load<i32>(block + UNITS);
  const chunk = atomic.load<i32>(block + CHUNK);
  const first = <i32>(claim & CLOSED);
  if (first >= units) return false;
  const last = min(first + chunk, units);
  // Another thread was faster: nothing is lost, the caller looks again.
  if (atomic.cmpxchg<i64>(block + CLAIM, claim, claim + <i64>(last - first)) != claim) return true;
  execute(task, first, last);
  const size = last - first;
  if (atomic.add<i32>(block + DONE, size) + size == units) atomic.notify(block + DONE, 1);
  return true;
}

/** Runs a task over all its units, in chunks of a multiple of `grain`; up to `grain` units are not worth a second thread. */
export function run(task: i32, units: i32, grain: i32): void {
  if (helpers == 0 || units <= grain) return execute(task, 0, units);
  // Four chunks a thread even out threads of unequal speed.
  const wanted = (units + 4 * helpers + 3) / (4 * helpers + 4);
  const chunk = ((wanted + grain - 1) / grain) * grain;
  const call = (atomic.load<i64>(block + CLAIM) & ~CLOSED) + CALL;
  // Closed while its words change, so that no helper takes half of the old call and half of the new one.
  atomic.store<i64>(block + CLAIM, call | CLOSED);
  atomic.store<i32>(block + TASK, task);
  atomic.store<i32>(block + UNITS, units);
  atomic.store<i32>(block + CHUNK, chunk);
  atomic.store<i32>(block + DONE, 0);
  atomic.store<i64>(block + CLAIM, call);
  if (atomic.load<i32>(block + SLEEPING) > 0) atomic.notify(block + CLAIM, helpers);
  while (runChunk(atomic.load<i64>(block + CLAIM))) {}
  for (let spins = 0; ; spins++) {
    const done = atomic.load<i32>(block + DONE);
    if (done == units) return;
    if (maySleep && spins > SPINS) atomic.wait<i32>(block + DONE, done, -1);
  }
}

/** A helper's whole life: takes part in every call until `stop`. */
export function serve(): void {
  let spins = 0;
  while (atomic.load<i32>(block + STOP) == 0) {
    const claim = atomic.load<i64>(block + CLAIM);
    if (runChunk(claim)) {
      spins = 0;
    } else if (++spins > SPINS) {
      atomic.add<i32>(block + SLEEPING, 1);
      atomic.wait<i64>(block + CLAIM, claim, -1);
      atomic.add<i32>(block + SLEEPING, -1);
      spins = 0;
    }
  }
}

/** Ends the helpers. */
export function stop(): void {
  atomic.store<i32>(block + STOP, 1);
  atomic.store<i64>(block + CLAIM, ((atomic.load<i64>(block + CLAIM) & ~CLOSED) + CALL) | CLOSED);
  if (helpers > 0) atomic.notify(block + CLAIM, helpers);
  helpers = 0;
}
