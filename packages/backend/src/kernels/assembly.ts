/** Our compiled kernels, instantiated on the memory of tfjs's WebAssembly backend, so that tensors need not be copied. */

import {
  ARGUMENTS_AT,
  type AssemblyExports,
  CONTROL_BYTES,
  compileKernels,
  type Instructions,
  instantiate,
} from "./compile.ts";
import { defaultThreads, type Helpers, maySleep, startHelpers } from "./helper-threads.ts";
import { refuseMissingMemory, type WasmBackend } from "./memory.ts";
import type { Memory, Module } from "./web-assembly.ts";

/** Settings of the kernels; one that is left out stays as it is. */
export interface AssemblyOptions {
  /** Threads that share the work, this one included. At first {@link defaultThreads}. */
  readonly threads?: number | undefined;
  /** Multiply and add in one instruction where the engine can. At first true. */
  readonly fma?: boolean | undefined;
  /** With `fma`, vectors of 256 bits where the engine can. At first true. */
  readonly wide?: boolean | undefined;
}

/** The kernels on one backend's memory. */
export class Assembly {
  /** What was asked for, which the engine may not have. */
  readonly asked: Instructions;
  readonly fma: boolean;
  readonly wide: boolean;
  readonly #backend: WasmBackend;
  readonly #memory: Memory;
  readonly #module: Module;
  readonly #exports: AssemblyExports;
  readonly #control: number;
  readonly #allocations: number[] = [];
  #helpers: Helpers | undefined;
  #whyFewer: string | undefined;
  #arguments: Float64Array;

  constructor(backend: WasmBackend, asked: Instructions) {
    this.#backend = backend;
    this.#memory = backend.wasm.asm.memory;
    this.asked = asked;
    const { module, fma, wide } = compileKernels(asked, this.sharesMemory);
    this.fma = fma;
    this.wide = wide;
    this.#module = module;
    this.#exports = instantiate(module, this.#memory);
    this.#control = this.#reserve(CONTROL_BYTES);
    new Uint8Array(this.#memory.buffer).fill(0, this.#control, this.#control + CONTROL_BYTES);
    this.#exports.configure(this.#control, this.#reserve(this.#exports.scratchBytes()), 0);
    this.#arguments = this.#viewArguments();
  }

  /** Threads that share the work, this one included. */
  get threads(): number {
    return 1 + (this.#helpers?.count ?? 0);
  }

  /** Why threads that were asked for did not start. */
  get whyFewer(): string | undefined {
    return this.#whyFewer;
  }

  get sharesMemory(): boolean {
    return typeof SharedArrayBuffer === "function" && this.#memory.buffer instanceof SharedArrayBuffer;
  }

  /**
   * Runs a task of tasks.ts over `units` units, shared between threads in chunks of a multiple of `grain`.
   *
   * @param values - what the task takes; see its source in assembly/
   */
  run(task: number, units: number, grain: number, ...values: readonly number[]): void {
    // A memory that is not shared detaches its views when it grows.
    if (this.#arguments.length === 0) this.#arguments = this.#viewArguments();
    const target = this.#arguments;
    for (let i = 0; i < values.length; i++) target[i] = values[i] as number;
    // Grains come from divisions by sizes that may be 0.
    this.#exports.run(task, units, grain > 1 ? Math.min(Math.ceil(grain), 2 ** 30) : 1);
  }

  /** Starts threads, so that there are `threads` in all; the memory has to be shared. */
  async start(threads: number): Promise<void> {
    const count = threads - 1;
    if (count < 1 || this.#helpers !== undefined || !this.sharesMemory) return;
    const scratch = Array.from({ length: count }, () => this.#reserve(this.#exports.scratchBytes()));
    try {
      this.#helpers = await startHelpers(this.#module, this.#memory, this.#control, scratch);
    } catch (error) {
      // One thread does the same work.
      this.#whyFewer = `they did not start (${error instanceof Error ? error.message : String(error)})`;
      return;
    }
    this.#exports.setHelpers(count, maySleep());
  }

  /** Ends the threads and frees what the kernels hold. The backend may be gone already, and its memory with it. */
  async dispose(): Promise<void> {
    this.#exports.stop();
    await this.#helpers?.end();
    this.#helpers = undefined;
    for (const address of this.#allocations) this.#backend.wasm?._free(address);
    this.#allocations.length = 0;
  }

  #reserve(bytes: number): number {
    const address = this.#backend.wasm._malloc(bytes) >>> 0;
    this.#allocations.push(address);
    return address;
  }

  #viewArguments(): Float64Array {
    return new Float64Array(this.#memory.buffer, this.#control + ARGUMENTS_AT, (CONTROL_BYTES - ARGUMENTS_AT) / 8);
  }
}

const assemblies = new WeakMap<WasmBackend, Assembly>();

function put(backend: WasmBackend, asked: Instructions): Assembly {
  const first = !assemblies.has(backend);
  if (first) refuseMissingMemory(backend);
  const made = new Assembly(backend, asked);
  if (first) {
    const dispose = backend.dispose;
    backend.dispose = function (this: WasmBackend) {
      void assemblies.get(backend)?.dispose();
      assemblies.delete(backend);
      dispose.call(this);
    };
  }
  assemblies.set(backend, made);
  return made;
}

/** The kernels of a backend: those that `startAssembly` made, else new ones for one thread. */
export function assemblyOf(backend: WasmBackend): Assembly {
  return assemblies.get(backend) ?? put(backend, { fma: true, wide: true });
}

/** Gives a backend kernels with these settings, in the place of those that it may have. */
export async function startAssembly(backend: WasmBackend, options: AssemblyOptions): Promise<Assembly> {
  const known = assemblies.get(backend);
  const { threads = known?.threads ?? defaultThreads() } = options;
  const { fma = known?.asked.fma ?? true, wide = known?.asked.wide ?? true } = options;
  if (known?.threads === threads && known.asked.fma === fma && known.asked.wide === wide) return known;
  await known?.dispose();
  const made = put(backend, { fma, wide });
  await made.start(threads);
  return made;
}
