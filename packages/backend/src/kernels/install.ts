import { getKernel, type KernelConfig, registerKernel, unregisterKernel, version_core } from "@tensorflow/tfjs-core";
import { gather, slice, tile } from "./copy.ts";
import { cast, identity } from "./identity.ts";
import { asKernelFunc, type Kernel } from "./kernel.ts";
import { batchMatMul } from "./matrix-product.ts";
import { missingInternals } from "./memory.ts";
import { segmentSum } from "./segment-sum.ts";
import { mean, sum } from "./sum.ts";

/** Every kernel of ours. */
const KERNELS: readonly Kernel[] = [batchMatMul, segmentSum, sum, mean, gather, slice, tile, identity, cast];

/** The TensorFlow.js whose internals the kernels were written for. */
const VERSION = "4.22.";

/** Which kernels run on the WebAssembly backend. */
export interface KernelReport {
  /** Names of the operations that run on kernels of ours; empty when the stock kernels are in force. */
  readonly ours: readonly string[];
  /** Why it is so. */
  readonly reason: string;
}

/** What we registered, so that a second call finds it and a kernel that someone else put over it is left alone. */
const installed = new Map<string, KernelConfig>();

function install(kernel: Kernel): void {
  const stock = getKernel(kernel.name, "wasm");
  if (installed.has(kernel.name)) return;
  if (stock !== undefined) unregisterKernel(kernel.name, "wasm");
  // Keeps setupFunc, which binds the stock kernel to a backend that is initialised later.
  const config = {
    ...stock,
    kernelName: kernel.name,
    backendName: "wasm",
    kernelFunc: asKernelFunc(kernel, stock?.kernelFunc),
  };
  registerKernel(config);
  installed.set(kernel.name, config);
}

/**
 * Puts our kernels in the place of the stock ones, once. On another version of TensorFlow.js than they were written for, the stock
 * ones stay, with a warning.
 */
export function installKernels(backend: object, versionWasm: string): KernelReport {
  const other = [version_core, versionWasm].find((version) => !version.startsWith(VERSION));
  const missing = other === undefined ? missingInternals(backend) : undefined;
  if (other !== undefined || missing !== undefined) {
    const why = other === undefined ? `${missing} is not there` : `they were written for ${VERSION}x, this is ${other}`;
    const reason = `stock kernels: ours are not in force, because ${why}`;
    console.warn(`@l0gm/backend: ${reason}. Training is slow and gathers have no gradient.`);
    return { ours: [], reason };
  }
  for (const kernel of KERNELS) install(kernel);
  return { ours: KERNELS.map((kernel) => kernel.name), reason: `kernels for TensorFlow.js ${version_core}` };
}
