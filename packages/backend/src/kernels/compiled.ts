/**
 * tfjs's compiled functions, called directly: on parts of a tensor and into memory that is already there, which its kernels do not
 * offer.
 */

import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type WasmBackend, wordOffset } from "./memory.ts";

type Compiled = ReturnType<WasmBackend["wasm"]["cwrap"]>;

/** Binds a compiled function once for every instance of the WebAssembly module. */
function binding(name: string, types: readonly string[]): (backend: WasmBackend) => Compiled {
  const known = new WeakMap<object, Compiled>();
  return ({ wasm }) => {
    const bound = known.get(wasm) ?? wasm.cwrap(name, null, types);
    known.set(wasm, bound);
    return bound;
  };
}

/** How every compiled function of two operands begins: each as an id, its shape's bytes and its rank. */
const OPERANDS = ["number", "array", "number", "number", "array", "number"];

function operands(backend: WasmBackend, ...tensors: readonly TensorInfo[]): (number | Uint8Array)[] {
  return tensors.flatMap(({ dataId, shape }) => [
    backend.dataIdMap.get(dataId).id,
    new Uint8Array(Int32Array.from(shape).buffer),
    shape.length,
  ]);
}

const product = binding("BatchMatMul", [...OPERANDS, "number", "number", "number"]);

/**
 * Writes the product of two untransposed matrices, `[1, rows, inner]` and `[1, inner, columns]`, into `out`, by XNNPACK. The second is
 * first packed, at some 4 ns an element, and stays packed for as long as its tensor lives.
 */
export function multiplyMatrices(backend: WasmBackend, a: TensorInfo, b: TensorInfo, out: TensorInfo): void {
  const [transposeA, transposeB] = [0, 0];
  product(backend)(...operands(backend, a, b), transposeA, transposeB, backend.dataIdMap.get(out.dataId).id);
}

const sum = binding("Add", [...OPERANDS, "number", "number"]);

/** Writes the sum of two float32 tensors of one shape into `out`. */
export function addTensors(backend: WasmBackend, a: TensorInfo, b: TensorInfo, out: TensorInfo): void {
  const float32 = 0;
  sum(backend)(...operands(backend, a, b), float32, backend.dataIdMap.get(out.dataId).id);
}

/** A part of a tensor's memory, from element `offset` on, as a tensor of its own. To be given to {@link forget} while the whole lives. */
export function partOf(backend: WasmBackend, whole: TensorInfo, offset: number, shape: readonly number[]): TensorInfo {
  return backend.makeOutput([...shape], whole.dtype, (wordOffset(backend, whole) + offset) * 4);
}

/** Ends the use of parts made by {@link partOf}; the memory stays. */
export function forget(backend: WasmBackend, ...parts: readonly TensorInfo[]): void {
  for (const { dataId } of parts) {
    const { id } = backend.dataIdMap.get(dataId);
    backend.dataIdMap.delete(dataId);
    backend.wasm.tfjs.disposeData(id);
  }
}
