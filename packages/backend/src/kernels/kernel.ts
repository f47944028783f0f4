import type { KernelFunc, NamedAttrMap, TensorInfo } from "@tensorflow/tfjs-core";
import { type Assembly, assemblyOf } from "./assembly.ts";
import { addressOf, type WasmBackend } from "./memory.ts";

/** What a kernel is called with. `stock` is tfjs's own kernel of that name, for the cases that ours does not take. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: NamedAttrMap;
  readonly backend: WasmBackend;
  readonly assembly: Assembly;
  readonly stock: () => TensorInfo | TensorInfo[];
}

/** A kernel of ours: replaces, or adds, the one of that name. */
export interface Kernel {
  /** tfjs's name of the operation, for example `BatchMatMul`. */
  readonly name: string;
  /** The stock backend has none: there is nothing to hand the call on to. */
  readonly added?: boolean;
  readonly run: (call: KernelCall) => TensorInfo | TensorInfo[];
}

/** An input that the operation always has. */
export function input(call: KernelCall, name: string): TensorInfo {
  const tensor = call.inputs[name];
  if (tensor === undefined) throw new TypeError(`kernel input "${name}" is missing`);
  return tensor;
}

/** Where tensors begin, in bytes, as the tasks of the compiled kernels want to know. */
export function addressesOf({ backend }: KernelCall, ...tensors: readonly TensorInfo[]): number[] {
  return tensors.map((tensor) => addressOf(backend, tensor));
}

/** How tfjs sees a kernel of ours. */
export function asKernelFunc(kernel: Kernel, stock: KernelFunc | undefined): KernelFunc {
  return (args) => {
    const backend = args.backend as WasmBackend;
    return kernel.run({
      inputs: args.inputs as Record<string, TensorInfo>,
      attrs: args.attrs ?? {},
      backend,
      assembly: assemblyOf(backend),
      stock: () => {
        if (stock === undefined) throw new TypeError(`${kernel.name} has no stock kernel`);
        return stock(args);
      },
    });
  };
}
