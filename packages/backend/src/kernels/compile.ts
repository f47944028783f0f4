/** Chooses among the compiled kernels the fastest that this engine runs, and compiles it. */

import { FUSED, PLAIN, WIDE } from "./binaries.ts";
import { withMemory } from "./memory-section.ts";
import { PRODUCT, ROWS } from "./tasks.ts";
import { type Memory, type Module, webAssembly } from "./web-assembly.ts";

/** What the compiled module exports: see assembly/index.ts. */
export interface AssemblyExports {
  run(task: number, units: number, grain: number): void;
  scratchBytes(): number;
  configure(control: number, scratch: number, thread: number): void;
  setHelpers(count: number): void;
  serve(): void;
  stop(): void;
}

/** Bytes of the control block that come before its arguments. */
export const ARGUMENTS_AT = 64;
/** Bytes of the control block, which holds up to 32 arguments. */
export const CONTROL_BYTES: number = ARGUMENTS_AT + 32 * 8;

/** Which instructions compiled kernels may use. */
export interface Instructions {
  /** Multiply and add in one instruction (relaxed SIMD). */
  readonly fma: boolean;
  /** Vectors of 256 bits where the engine can be made to use them; only with `fma`. Results are the same bits. */
  readonly wide: boolean;
}

/** A compiled module and what it really uses. */
export interface CompiledKernels extends Instructions {
  readonly module: Module;
}

export function instantiate(module: Module, memory: Memory): AssemblyExports {
  return new webAssembly.Instance(module, { env: { memory } }).exports as AssemblyExports;
}

function decode(base64: string, shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = withMemory(
    Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
    shared,
  );
  if (bytes === undefined) throw new TypeError("the kernels have no memory section: build them again");
  return bytes;
}

/**
 * Compiles the kernels for a memory that is shared or not. What the engine does not have is left out: look at the result.
 */
export function compileKernels({ fma, wide }: Instructions, shared: boolean): CompiledKernels {
  if (fma) {
    const fused = decode(FUSED, shared);
    // Node 20 has relaxed SIMD behind a flag.
    if (!webAssembly.validate(fused)) setFlags("--experimental-wasm-relaxed-simd");
    if (webAssembly.validate(fused)) {
      const widened = wide ? compileWide(shared) : undefined;
      if (widened !== undefined) return { module: widened, fma, wide };
      return { module: new webAssembly.Module(fused), fma, wide: false };
    }
  }
  return { module: new webAssembly.Module(decode(PLAIN, shared)), fma: false, wide: false };
}

function setFlags(...flags: readonly string[]): void {
  const v8 = globalThis.process?.getBuiltinModule?.("node:v8");
  for (const flag of flags) v8?.setFlagsFromString(flag);
}

/** The V8 of Node 24, 25 and 26, where the flags below were tried. The pass is experimental, so other ones are not. */
const TRIED_V8 = ["13.6.", "14.1.", "14.6."];

/** Whether V8 may be told to join vectors: WebAssembly itself has none of 256 bits. */
function canWiden(): boolean {
  const { process } = globalThis;
  return process?.arch === "x64" && TRIED_V8.some((version) => process.versions?.v8?.startsWith(version));
}

/** Whole and at once with the optimizing compiler, which then must not ask for what the other one has seen. */
const EAGERLY = ["liftoff", "wasm-lazy-compilation", "wasm-inlining"];

/**
 * The kernels with vectors of 256 bits. V8 has the optimization behind a flag; it is on only while this module is compiled, all
 * of it at once, so that nothing else in the process is compiled with it.
 *
 * @returns nothing where the machine or the engine does not do it, or does it wrongly: then the code would be slow, or worse
 */
function compileWide(shared: boolean): Module | undefined {
  if (!canWiden()) return undefined;
  setFlags("--experimental-wasm-revectorize", ...EAGERLY.map((flag) => `--no-${flag}`));
  let module: Module;
  try {
    module = new webAssembly.Module(decode(WIDE, shared));
  } finally {
    setFlags("--no-experimental-wasm-revectorize", ...EAGERLY.map((flag) => `--${flag}`));
  }
  return isWide(module, shared) ? module : undefined;
}

// The trial's product: tiles and their edges in both directions, more than one block along k.
const [HEIGHT, INNER, WIDTH] = [46, 300, 56];
const NARROW_WIDTH = 4;
const BYTES = 4;

/**
 * Tries a product. Its numbers are small integers, so that every sum is exact, and has to be right. And tiles of 256 bits do four
 * times as many operations in a second as the dot products of narrow.ts, tiles that V8 has left at 128 bits not as many.
 */
function isWide(module: Module, shared: boolean): boolean {
  const memory = new webAssembly.Memory({ initial: 32, maximum: 65536, shared });
  const kernels = instantiate(module, memory);
  const [a, b, c, control] = [0, HEIGHT * INNER, (HEIGHT + WIDTH) * INNER, (HEIGHT + WIDTH) * INNER + HEIGHT * WIDTH];
  const scratch = control * BYTES + CONTROL_BYTES;
  kernels.configure(control * BYTES, scratch + (-scratch & 15), 0);
  const values = new Float32Array(memory.buffer);
  for (let i = 0; i < c; i++) values[i] = (Math.imul(i, 0x9e3779b1) >>> 28) - 8;
  const args = new Float64Array(memory.buffer, control * BYTES + ARGUMENTS_AT, 32);
  const multiply = (width: number): void => {
    args.set([a, b, c, 0].map((word) => word * BYTES));
    args.set([HEIGHT, width, INNER, INNER, 1, width, 1, 0, 0, 0, ROWS, 0], 4);
    kernels.run(PRODUCT, HEIGHT, HEIGHT);
  };
  const operationsPerTime = (width: number): number => {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 8; i++) {
      const start = performance.now();
      multiply(width);
      best = Math.min(best, performance.now() - start);
    }
    return width / best;
  };
  const narrow = operationsPerTime(NARROW_WIDTH);
  const wide = operationsPerTime(WIDTH);
  for (let i = 0; i < HEIGHT; i++) {
    for (let j = 0; j < WIDTH; j++) {
      let sum = 0;
      for (let k = 0; k < INNER; k++) sum += (values[i * INNER + k] ?? 0) * (values[b + k * WIDTH + j] ?? 0);
      if (values[c + i * WIDTH + j] !== sum) return false;
    }
  }
  return wide > 2 * narrow;
}
