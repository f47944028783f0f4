/**
 * What a kernel sees of its call: its arguments and its thread's scratch memory.
 *
 * The arguments stand in the control block as float64, which holds every address and every float32 exactly; JavaScript writes them
 * with one typed array. The block's other words belong to `index.ts`.
 */

const ARGUMENTS: usize = 64;

export let block: usize = 0;
let table: usize = 0;
let scratch: usize = 0;
let thread = 0;

export function setBlock(control: usize, constants: usize, own: usize, index: i32): void {
  block = control;
  table = constants;
  scratch = own;
  thread = index;
}

/** Where the constants of constants.ts lie. Loops keep it in a variable. */
// @ts-ignore: decorator
@inline
export function constants(): usize {
  return table;
}

/** The number of this thread: 0 is JavaScript's own. */
// @ts-ignore: decorator
@inline
export function threadIndex(): i32 {
  return thread;
}

/** Memory of `SCRATCH` bytes that no other thread touches. */
// @ts-ignore: decorator
@inline
export function scratchMemory(): usize {
  return scratch;
}

// @ts-ignore: decorator
@inline
export function argument<T>(k: i32): T {
  return <T>load<f64>(block + (<usize>k << 3), ARGUMENTS);
}
