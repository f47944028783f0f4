/**
 * The few internals of tfjs's WebAssembly backend that our kernels stand on, in one place, with the check that they are there.
 * Views of the memory (`HEAP32`, `HEAPF32`) are detached when it grows: allocate first, then read them from the backend.
 */

import { type DataType, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import type { Memory } from "./web-assembly.ts";

/** What we use of tfjs's `BackendWasm`, most of which its own types leave out. */
export interface WasmBackend {
  readonly dataIdMap: {
    get(dataId: object): { readonly id: number; readonly memoryOffset: number; readonly refCount: number };
  };
  /** Registers memory at `address`, or allocates some. */
  makeOutput(shape: number[], dtype: DataType, address?: number): TensorInfo;
  incRef(dataId: object): void;
  disposeData(dataId: object): boolean;
  dispose(): void;
  /** Absent once the backend is disposed. */
  readonly wasm: {
    readonly HEAP32: Int32Array;
    readonly HEAPF32: Float32Array;
    readonly asm: { readonly memory: Memory };
    _malloc(bytes: number): number;
    _free(address: number): void;
    readonly tfjs: { registerTensor(id: number, size: number, address: number): void; disposeData(id: number): void };
  };
}

/** Types whose elements take four bytes, and so can be moved as 32-bit words whatever they mean. */
export function isWord(dtype: DataType): boolean {
  return dtype === "float32" || dtype === "int32";
}

/** Where the tensor begins, in bytes. Addresses above 2 GiB may arrive as negative numbers. */
export function addressOf(backend: WasmBackend, tensor: TensorInfo): number {
  return backend.dataIdMap.get(tensor.dataId).memoryOffset >>> 0;
}

/** Where the tensor begins in `HEAP32` and `HEAPF32`. */
export function wordOffset(backend: WasmBackend, tensor: TensorInfo): number {
  return addressOf(backend, tensor) >>> 2;
}

/** A fresh tensor with undefined contents; the caller's to return or to free with `backend.disposeData`. */
export function allocate(backend: WasmBackend, shape: readonly number[], dtype: DataType = "float32"): TensorInfo {
  return backend.makeOutput([...shape], dtype);
}

/** The same data under another shape; counts as one more reference to it. */
export function share(backend: WasmBackend, tensor: TensorInfo, shape: readonly number[] = tensor.shape): TensorInfo {
  backend.incRef(tensor.dataId);
  return { dataId: tensor.dataId, shape: [...shape], dtype: tensor.dtype };
}

/**
 * Makes tfjs forget what it has derived from a tensor's data, such as XNNPACK's packed weights, after the data were changed in place. The
 * data themselves stay.
 */
export function renew(backend: WasmBackend, tensor: TensorInfo): void {
  const { id, memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  backend.wasm.tfjs.disposeData(id);
  backend.wasm.tfjs.registerTensor(id, sizeOf(tensor.shape), memoryOffset);
}

/**
 * Makes the backend refuse a tensor for which its memory has no room. tfjs takes the address 0, which `malloc` then gives, for memory like
 * any other: results would be written over its own data and our control block, numbers be wrong and threads wait for ever.
 */
export function refuseMissingMemory({ wasm }: WasmBackend): void {
  // The first call replaces itself by the module's function.
  wasm._free(wasm._malloc(4));
  const malloc = wasm._malloc;
  wasm._malloc = (bytes) => {
    // Of a larger number WebAssembly would take the lower 32 bits.
    const address = bytes < 2 ** 32 ? malloc(bytes) : 0;
    if (address !== 0 || bytes === 0) return address;
    throw new BackendError({
      where: "WebAssembly memory",
      expected: `${bytes} free bytes of its 4 GiB, or of what the machine has`,
      received: "less",
      hint: "use smaller batches, and tf.tidy or dispose for tensors that are no longer needed",
    });
  };
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return util.sizeFromShape([...shape]);
}

/** tfjs's own build with threads, of an isolated page. Its memory comes from outside its module, which does not show it. */
export function isThreadedBuild(backend: object): boolean {
  return Reflect.has(Object(Reflect.get(backend, "wasm")), "PThread");
}

/**
 * Names what is missing of {@link WasmBackend} in what is said to be one.
 *
 * @returns nothing when all is there
 */
export function missingInternals(backend: object): string | undefined {
  const owners: readonly (readonly [path: string, members: Readonly<Record<string, "function" | "object">>])[] = [
    ["", { makeOutput: "function", incRef: "function", disposeData: "function", dispose: "function" }],
    ["dataIdMap", { get: "function" }],
    ["wasm", { HEAP32: "object", HEAPF32: "object", _malloc: "function", _free: "function" }],
    ["wasm.asm.memory", { buffer: "object" }],
    ["wasm.tfjs", { registerTensor: "function", disposeData: "function" }],
  ];
  for (const [path, members] of owners) {
    const names = path === "" ? [] : path.split(".");
    const owner = names.reduce<unknown>((value, name) => Reflect.get(Object(value), name), backend);
    for (const [name, type] of Object.entries(members)) {
      if (typeof Reflect.get(Object(owner), name) !== type) return ["backend", ...names, name].join(".");
    }
  }
  return undefined;
}
