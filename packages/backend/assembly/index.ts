/**
 * How kernels are called, and shared between threads.
 *
 * All instances (one a thread) live on one memory. JavaScript writes the arguments into the control block and calls `run`, which works
 * through the units [0, units) in chunks: every thread claims the next chunk until none is left. What a unit computes does not depend
 * on the chunk that it is in, so results are the same for any number of threads. A helper without work spins for a while, which lets
 * it answer the next call within a microsecond, then sleeps.
 */

import { adam } from "./adam";
import { attention, attentionGradient } from "./attention";
import { block, setBlock } from "./call";
import { csrProduct, csrTranspose } from "./csr";
import { gate, multiplyRows } from "./gate";
import { gather, segmentSum } from "./gather";
import { layerNorm, layerNormGradient } from "./layer-norm";
import { map, mapGradient } from "./map";
import { PRODUCT_SCRATCH, product } from "./product";
import { dropout, randomNormal, randomUniform } from "./random";
import { select } from "./select";
import { crossEntropy, crossEntropyGradient } from "./softmax";
import { columnSums, productSums, rowSums, spreadRows } from "./sums";
import {
  ADAM,
  ATTENTION,
  ATTENTION_GRADIENT,
  COLUMN_SUMS,
  CROSS_ENTROPY,
  CROSS_ENTROPY_GRADIENT,
  CSR_PRODUCT,
  CSR_TRANSPOSE,
  DROPOUT,
  GATE,
  GATHER,
  LAYER_NORM,
  LAYER_NORM_GRADIENT,
  MAP,
  MAP_GRADIENT,
  MULTIPLY_ROWS,
  PRODUCT,
  PRODUCT_SUMS,
  RANDOM_NORMAL,
  RANDOM_UNIFORM,
  ROW_SUMS,
  SEGMENT_SUM,
  SELECT,
  SPREAD_ROWS,
} from "../src/kernels/tasks";

// The words of the control block, which ends with the arguments (see call.ts).
const GENERATION: usize = 0; // counts the shared calls; helpers wait for it to change
const NEXT: usize = 4; // the first unit that nobody has claimed
const WORKING: usize = 8; // helpers that have not finished this call
const SLEEPING: usize = 12; // helpers that must be woken
const TASK: usize = 16;
const UNITS: usize = 20;
const CHUNK: usize = 24;
const STOP: usize = 28; // not 0: helpers return

/** Some 50 us: longer than the JavaScript between two kernels of a training step. */
const SPINS = 20_000;

let helpers = 0;

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
    case RANDOM_UNIFORM:
      return randomUniform(first, last);
    case RANDOM_NORMAL:
      return randomNormal(first, last);
    case DROPOUT:
      return dropout(first, last);
    default:
      unreachable();
  }
}

export function scratchBytes(): i32 {
  return PRODUCT_SCRATCH;
}

/**
 * @param control - the control block, the same for all threads and zero at first
 * @param scratch - `scratchBytes()` for this thread alone
 * @param thread - its number, 0 for the one that calls `run`
 */
export function configure(control: usize, scratch: usize, thread: i32): void {
  setBlock(control, scratch, thread);
}

/** The number of threads that are in `serve`. */
export function setHelpers(count: i32): void {
  helpers = count;
}

function claimChunks(task: i32, units: i32, chunk: i32): void {
  for (;;) {
    const first = atomic.add<i32>(block + NEXT, chunk);
    if (first >= units) return;
    execute(task, first, min(first + chunk, units));
  }
}

/** Runs a task over all its units, in chunks of a multiple of `grain`; up to `grain` units are not worth a second thread. */
export function run(task: i32, units: i32, grain: i32): void {
  if (helpers == 0 || units <= grain) return execute(task, 0, units);
  // Four chunks a thread even out threads of unequal speed.
  const wanted = (units + 4 * helpers + 3) / (4 * helpers + 4);
  const chunk = ((wanted + grain - 1) / grain) * grain;
  store<i32>(block, task, TASK);
  store<i32>(block, units, UNITS);
  store<i32>(block, chunk, CHUNK);
  atomic.store<i32>(block + NEXT, 0);
  atomic.store<i32>(block + WORKING, helpers);
  atomic.add<i32>(block + GENERATION, 1);
  if (atomic.load<i32>(block + SLEEPING) > 0) atomic.notify(block + GENERATION, helpers);
  claimChunks(task, units, chunk);
  for (let spins = 0; ; spins++) {
    const working = atomic.load<i32>(block + WORKING);
    if (working == 0) return;
    if (spins > SPINS) atomic.wait<i32>(block + WORKING, working, -1);
  }
}

/** A helper's whole life: takes part in every call until `stop`. */
export function serve(): void {
  // No call has been shared before all helpers were told of, so none is missed.
  let seen = 0;
  for (;;) {
    for (let spins = 0; atomic.load<i32>(block + GENERATION) == seen; spins++) {
      if (spins < SPINS) continue;
      atomic.add<i32>(block + SLEEPING, 1);
      atomic.wait<i32>(block + GENERATION, seen, -1);
      atomic.add<i32>(block + SLEEPING, -1);
    }
    seen = atomic.load<i32>(block + GENERATION);
    if (atomic.load<i32>(block + STOP) != 0) return;
    claimChunks(load<i32>(block, TASK), load<i32>(block, UNITS), load<i32>(block, CHUNK));
    if (atomic.add<i32>(block + WORKING, -1) == 1) atomic.notify(block + WORKING, 1);
  }
}

/** Ends the helpers. */
export function stop(): void {
  atomic.store<i32>(block + STOP, 1);
  atomic.add<i32>(block + GENERATION, 1);
  atomic.notify(block + GENERATION, helpers);
  helpers = 0;
}
