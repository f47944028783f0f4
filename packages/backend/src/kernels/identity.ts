import type { TensorInfo } from "@tensorflow/tfjs-core";
import { input, type Kernel, type KernelCall } from "./kernel.ts";
import { addressOf, allocate, isWord, share, sizeOf, wordOffset } from "./memory.ts";

/** A clone shares its data under a reference count, as on the other backends; the stock kernel copies it. Nothing writes in place. */
export const identity: Kernel = {
  name: "Identity",
  run(call) {
    const x = input(call, "x");
    return x.dtype === "string" ? call.stock() : share(call.backend, x);
  },
};

/** A cast to the type that is already there, as in the gradient of ReLU, is a clone; one to bool asks what is not 0. */
export const cast: Kernel = {
  name: "Cast",
  run(call) {
    const x = input(call, "x");
    const { dtype } = call.attrs;
    if (x.dtype === "string") return call.stock();
    if (x.dtype === dtype) return share(call.backend, x);
    // The stock kernel cuts numbers down to a byte.
    return dtype === "bool" && isWord(x.dtype) ? notZero(call, x) : call.stock();
  },
};

function notZero({ backend }: KernelCall, x: TensorInfo): TensorInfo {
  const out = allocate(backend, x.shape, "bool");
  const { HEAPF32, HEAP32 } = backend.wasm;
  const bytes = new Uint8Array(HEAP32.buffer);
  const [from, to] = [wordOffset(backend, x), addressOf(backend, out)];
  // As floats, since -0 is 0, too.
  const heap = x.dtype === "float32" ? HEAPF32 : HEAP32;
  for (let i = 0; i < sizeOf(x.shape); i++) bytes[to + i] = Number(heap[from + i] !== 0);
  return out;
}
