import {
  type GradConfig,
  getGradient,
  getKernel,
  type KernelConfig,
  registerGradient,
  registerKernel,
  unregisterKernel,
  version_core,
} from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { attentionOperation } from "../operations/attention.ts";
import { crossEntropyOperation } from "../operations/cross-entropy.ts";
import { csrOperation } from "../operations/csr.ts";
import { csrSoftmaxOperation } from "../operations/csr-softmax.ts";
import { denseOperation } from "../operations/dense.ts";
import type { FusedOperation } from "../operations/fused.ts";
import { gateOperation } from "../operations/gate.ts";
import { geluOperation } from "../operations/gelu.ts";
import { layerNormOperation } from "../operations/layer-norm.ts";
import { neighborsOperation } from "../operations/neighbors.ts";
import { piecewiseLinearOperation } from "../operations/piecewise-linear.ts";
import { randomOperation } from "../operations/random.ts";
import { sumOfSquaresOperation } from "../operations/sum-of-squares.ts";
import { type Assembly, type AssemblyOptions, startAssembly } from "./assembly.ts";
import { gather, pad, select, slice, split, tile } from "./copy.ts";
import { einsum } from "./einsum.ts";
import { whyNoHelpers } from "./helper-threads.ts";
import { cast, identity } from "./identity.ts";
import { asKernelFunc, type Kernel } from "./kernel.ts";
import { maps } from "./map.ts";
import { batchMatMul, fusedMatMul } from "./matrix-product.ts";
import { isThreadedBuild, missingInternals, type WasmBackend } from "./memory.ts";
import { segmentSum } from "./segment-sum.ts";
import { mean, sum } from "./sum.ts";

/** Every kernel of ours. */
const KERNELS: readonly Kernel[] = [
  batchMatMul,
  fusedMatMul,
  segmentSum,
  einsum,
  sum,
  mean,
  gather,
  slice,
  split,
  pad,
  tile,
  select,
  identity,
  cast,
  ...maps,
];

/** Operations that tfjs does not have, with their gradients. */
const OPERATIONS: readonly FusedOperation[] = [
  attentionOperation,
  crossEntropyOperation,
  csrOperation,
  csrSoftmaxOperation,
  denseOperation,
  gateOperation,
  geluOperation,
  layerNormOperation,
  neighborsOperation,
  piecewiseLinearOperation,
  randomOperation,
  sumOfSquaresOperation,
];

/** The TensorFlow.js whose internals the kernels were written for. */
const VERSION = "4.22.";

/** Which kernels run. */
export interface KernelReport {
  /** Names of the operations that run on WebAssembly kernels of ours; empty elsewhere, where `reason` says what is ours. */
  readonly ours: readonly string[];
  /** Why it is so. */
  readonly reason: string;
  /** Threads that share the work. */
  readonly threads: number;
  /** Whether they multiply and add in one instruction. */
  readonly fma: boolean;
  /** Whether they use vectors of 256 bits, not of 128. */
  readonly wide: boolean;
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

/** Our operations have gradients, but what computes these has none. */
function noGradient(kernelName: string): GradConfig {
  return {
    kernelName,
    gradFunc: () => {
      throw new BackendError({
        where: kernelName,
        expected: "gradients of the first order",
        received: "a gradient of a gradient",
        hint: 'for those, use TensorFlow.js\'s plain operations, or useBackend("cpu")',
      });
    },
  };
}

function stockKernels(why: string): KernelReport {
  const reason = `stock kernels: ours are not in force, because ${why}`;
  console.warn(`@l0gm/backend: ${reason}. Training is slow and gathers have no gradient.`);
  return { ours: [], reason, threads: 1, fma: false, wide: false };
}

/**
 * Puts our kernels in the place of the stock ones, with these threads. On another version of TensorFlow.js than they were written for,
 * or where they can not be compiled, the stock ones stay, with a warning.
 */
export async function installKernels(
  backend: object,
  versionWasm: string,
  options: AssemblyOptions,
): Promise<KernelReport> {
  const other = [version_core, versionWasm].find((version) => !version.startsWith(VERSION));
  if (other !== undefined) return stockKernels(`they were written for ${VERSION}x, this is ${other}`);
  if (isThreadedBuild(backend)) {
    return stockKernels(
      "TensorFlow.js has started its threaded build; call useBackend before anything starts the backend",
    );
  }
  const missing = missingInternals(backend);
  if (missing !== undefined) return stockKernels(`${missing} is not there`);
  let assembly: Assembly;
  try {
    assembly = await startAssembly(backend as WasmBackend, options);
  } catch (error) {
    return stockKernels(error instanceof Error ? error.message : String(error));
  }
  for (const kernel of KERNELS) install(kernel);
  for (const { kernels, gradient } of OPERATIONS) {
    for (const kernel of kernels) {
      install(kernel);
      const config = kernel.name === gradient?.kernelName ? gradient : noGradient(kernel.name);
      if (getGradient(kernel.name) === undefined) registerGradient(config);
    }
  }
  const { threads, fma, wide } = assembly;
  const { threads: asked = threads } = options;
  const fewer = threads < asked ? ` instead of ${asked}: ${whyOneThread(assembly)}` : "";
  const reason = `kernels for TensorFlow.js ${version_core}, ${fma ? "with" : "without"} FMA, vectors of ${wide ? 256 : 128} bits, on ${threads} ${
    threads === 1 ? "thread" : "threads"
  }${fewer}`;
  return { ours: KERNELS.map((kernel) => kernel.name), reason, threads, fma, wide };
}

function whyOneThread(assembly: Assembly): string {
  const cause = whyNoHelpers() ?? assembly.whyFewer;
  return cause ?? "the backend was started before, with memory that threads can not share";
}
