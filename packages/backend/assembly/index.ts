/**
 * How kernels are called, and shared between threads.
 *
 * All instances (one a thread) live on one memory. JavaScript writes the arguments into the control block and calls `run`, which works
 * through the units [0, units) in chunks: every thread claims the next chunk until none is left. What a unit computes does not depend
 * on the chunk that it is in, so results are the same for any number of threads. A helper without work spins for a while, which lets
 * it answer the next call within a microsecond, then sleeps.
 */

import { argument, block, setBlock } from "./call";
import { columnSums, rowSums } from "./sums";
import { map } from "./map";
import { gather, segmentSum } from "./gather";
import { select } from "./select";
import { product, PRODUCT_SCRATCH } from "./product";
import { COLUMN_SUMS, GATHER, MAP, PRODUCT, ROW_SUMS, SEGMENT_SUM, SELECT } from "../src/kernels/tasks";

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
    case COLUMN_SUMS:
      return columnSums(first, last);
    case ROW_SUMS:
      return rowSums(first, last);
    case GATHER:
      return gather(first, last);
    case SEGMENT_SUM:
      return segmentSum(first, last);
    case SELECT:
      return select(first, last);
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
 */
export function configure(control: usize, scratch: usize): void {
  setBlock(control, scratch);
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
