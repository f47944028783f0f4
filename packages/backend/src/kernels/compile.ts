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
  setHelpers(count: number, sleeps: boolean): void;
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

/** The trial's product: more than one block along k; rows and columns for several tiles, and for tiles that are cut off. */
const TRIAL = { rows: 99, inner: 264, columns: 72 } as const;

/**
 * Tries a product. Its numbers are small integers, so that every sum is exact, and has to be right. And tiles of 256 bits take
 * a third of the time of the dot products of narrow.ts (2.4 to 3.7 times as fast), tiles that V8 has left at 128 bits the same (0.6 to 1.2).
 */
function isWide(module: Module, shared: boolean): boolean {
  const { rows, inner, columns } = TRIAL;
  const memory = new webAssembly.Memory({ initial: 32, maximum: 65536, shared });
  const kernels = instantiate(module, memory);
  const [b, c, end] = [rows * inner, (rows + columns) * inner, (rows + columns) * inner + rows * columns];
  const control = 4 * (end + (end & 1));
  kernels.configure(control, control + CONTROL_BYTES, 0);
  const values = new Float32Array(memory.buffer);
  for (let i = 0; i < c; i++) values[i] = (Math.imul(i, 0x9e3779b1) >>> 28) - 8;
  const args = new Float64Array(memory.buffer, control + ARGUMENTS_AT, 32);
  const multiply = (rows: number, columns: number): void => {
    args.set([0, 4 * b, 4 * c, 0, rows, columns, inner, inner, 1, columns, 1, 0, 0, 0, ROWS, 0, 0, 0]);
    kernels.run(PRODUCT, rows, rows);
  };
  const timePerElement = (rows: number, columns: number): number => {
    const start = performance.now();
    multiply(rows, columns);
    return (performance.now() - start) / (rows * columns);
  };
  let [narrow, wide] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < 20; i++) {
    narrow = Math.min(narrow, timePerElement(96, 4));
    wide = Math.min(wide, timePerElement(96, 64));
  }
  multiply(rows, columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += (values[i * inner + k] ?? 0) * (values[b + k * columns + j] ?? 0);
      if (values[c + i * columns + j] !== sum) return false;
    }
  }
  return narrow > 1.7 * wide;
}
