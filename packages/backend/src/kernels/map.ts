import type { TensorInfo } from "@tensorflow/tfjs-core";
import { input, type Kernel, type KernelCall } from "./kernel.ts";
import { addressOf, allocate, sizeOf, wordOffset } from "./memory.ts";
import { ERF, EXP, LOG, MAP, SIGMOID, TANH } from "./tasks.ts";

/** Elements that are worth a second thread; a multiple of the four in a vector. */
export const SHARED_ELEMENTS = 8192;

function mapKernel(name: string, task: number): Kernel {
  return {
    name,
    run(call) {
      const x = input(call, "x");
      if (x.dtype !== "float32" && x.dtype !== "bool") return call.stock();
      const out = allocate(call.backend, x.shape);
      const to = addressOf(call.backend, out);
      if (x.dtype === "bool") writeFloats(call, x, out);
      const from = x.dtype === "bool" ? to : addressOf(call.backend, x);
      call.assembly.run(MAP, sizeOf(x.shape), SHARED_ELEMENTS, from, to, task);
      return out;
    },
  };
}

/** Truth values, which are bytes, as 0 and 1; the stock kernels leave what was in memory. */
function writeFloats({ backend }: KernelCall, x: TensorInfo, out: TensorInfo): void {
  const { HEAPF32 } = backend.wasm;
  const from = addressOf(backend, x);
  HEAPF32.set(new Uint8Array(HEAPF32.buffer).subarray(from, from + sizeOf(x.shape)), wordOffset(backend, out));
}

/** Functions of one variable that the stock backend computes one element at a time. */
export const maps: readonly Kernel[] = [
  mapKernel("Tanh", TANH),
  mapKernel("Exp", EXP),
  mapKernel("Log", LOG),
  mapKernel("Erf", ERF),
  mapKernel("Sigmoid", SIGMOID),
];
