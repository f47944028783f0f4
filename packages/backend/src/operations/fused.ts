/**
 * Fused operations: one kernel of ours where our kernels are in force (all on WebAssembly, some on WebGPU), plain TensorFlow.js
 * operations everywhere else, with the same results and gradients. Each file of this folder holds one: the function, its kernels and its gradient.
 */

import {
  engine,
  type GradConfig,
  getBackend,
  getKernel,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import type { Kernel } from "../kernels/kernel.ts";

/** What an operation registers when our kernels are put in force. */
export interface FusedOperation {
  readonly kernels: readonly Kernel[];
  readonly gradient?: GradConfig;
}

/** Whether the active backend has this kernel and the tensors are what our kernels compute with. */
export function canFuse(kernel: string, ...floats: readonly Tensor[]): boolean {
  return floats.every(({ dtype }) => dtype === "float32") && getKernel(kernel, getBackend()) !== undefined;
}

/** Runs a kernel of one result. */
export function runFused(kernel: string, inputs: NamedTensorMap, attrs: NamedAttrMap = {}): Tensor {
  return engine().runKernel(kernel, inputs, attrs);
}

/** Runs a kernel of several results. */
export function runFusedMany(kernel: string, inputs: NamedTensorMap, attrs: NamedAttrMap = {}): Tensor[] {
  return engine().runKernel(kernel, inputs, attrs);
}

/** One result of a kernel, or one tensor that a gradient saved. */
export function nth(tensors: readonly Tensor[], i: number): Tensor {
  const tensor = tensors[i];
  if (tensor === undefined) throw new TypeError(`tensor ${i} of ${tensors.length} is missing`);
  return tensor;
}

/** @throws BackendError unless `holds` */
export function requireShape(where: string, holds: boolean, expected: string, ...tensors: readonly Tensor[]): void {
  if (holds) return;
  throw new BackendError({ where, expected, received: tensors.map(({ shape }) => `[${shape}]`).join(" and ") });
}
