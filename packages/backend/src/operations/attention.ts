import {
  customGrad,
  expandDims,
  matMul,
  mul,
  reshape,
  softmax,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  transpose,
} from "@tensorflow/tfjs-core";
import { BackendError } from "../errors.ts";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { allocate } from "../kernels/memory.ts";
import { ATTENTION, ATTENTION_GRADIENT } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, nth, requireShape, runFusedMany } from "./fused.ts";
import { dropout, droppingArguments, droppingOf, type RandomSource } from "./random.ts";

const FORWARD = "L0gmAttention";
const BACKWARD = "L0gmAttentionGradient";

/** Multiply-adds that are worth a second thread. */
const SHARED_WORK = 2 ** 15;

/** Dropout of the attention's probabilities, `[batch, heads, queries, keys]`. */
export interface AttentionDropout {
  /** From 0 up to, but not including, 1. */
  readonly rate: number;
  /** One per layer and step; probability i takes number i. */
  readonly source: RandomSource;
}

/** Settings of {@link attention}. */
export interface AttentionOptions {
  /** Heads that lie side by side in the last axis. */
  readonly heads: number;
  /** `[batch, keys]`, float32: 0 hides a key, as padding wants it. A row without a key gives zeros. */
  readonly mask?: Tensor2D;
  /** For training; default none. */
  readonly dropout?: AttentionDropout;
}

/**
 * Multi-head scaled dot-product attention (Vaswani et al., 2017): in each head `softmax(q k' / sqrt(width / heads)) v`, over the keys
 * that the mask leaves. The heads are read where they are, so nothing is split or transposed. The mask has no gradient.
 *
 * @param q - `[batch, queries, width]`
 * @param k - `[batch, keys, width]`
 * @param v - `[batch, keys, width]`
 * @returns `[batch, queries, width]`, the caller's
 * @throws BackendError when the shapes do not fit, the width is no multiple of the heads, or rate or source of the dropout are out of range
 *
 * @example
 * ```ts
 * import { attention } from "@l0gm/backend";
 * import { type Rank, randomNormal, tensor2d } from "@tensorflow/tfjs-core";
 *
 * const tokens = randomNormal<Rank.R3>([2, 3, 8]);
 * const y = attention(tokens, tokens, tokens, { heads: 2, mask: tensor2d([[1, 1, 1], [1, 0, 0]]) }); // [2, 3, 8]
 * ```
 */
export function attention(q: Tensor3D, k: Tensor3D, v: Tensor3D, options: AttentionOptions): Tensor3D {
  const { heads, mask, dropout } = options;
  const [batch, queries, width] = q.shape;
  const keys = k.shape[1];
  const same = [k, v].every(({ shape }) => shape[0] === batch && shape[1] === keys && shape[2] === width);
  const masked = mask === undefined || (mask.shape[0] === batch && mask.shape[1] === keys);
  requireShape("attention", same && masked, "q [batch, queries, width], k and v [batch, keys, width]", q, k, v);
  if (!(Number.isInteger(heads) && heads >= 1 && width % heads === 0)) {
    throw new BackendError({ where: "attention", expected: `heads that divide the width ${width}`, received: heads });
  }
  const floats = [q, k, v, ...(mask === undefined ? [] : [mask])];
  const dropping = dropout && droppingOf("attention", dropout.rate, dropout.source, batch * heads * queries * keys);
  if (!canFuse(FORWARD, ...floats) || batch * queries * keys === 0) return plainAttention(q, k, v, options);
  const attrs = { heads, ...dropping };
  const run = customGrad((...args) => {
    const [q, k, v, save] = args as unknown as [Tensor, Tensor, Tensor, (tensors: Tensor[]) => void];
    const [y, p] = runFusedMany(FORWARD, { q, k, v, ...(mask === undefined ? {} : { mask }) }, attrs);
    save([q, k, v, p as Tensor]);
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [q, k, v, p] = [0, 1, 2, 3].map((i) => nth(saved, i)) as [Tensor, Tensor, Tensor, Tensor];
      return runFusedMany(BACKWARD, { q, k, v, p, dy }, attrs);
    };
    return { value: y as Tensor, gradFunc };
  });
  return run(q, k, v) as Tensor3D;
}

function plainAttention(q: Tensor3D, k: Tensor3D, v: Tensor3D, options: AttentionOptions): Tensor3D {
  const { heads, mask, dropout: drop } = options;
  const [batch, queries, width] = q.shape;
  const split = (x: Tensor3D): Tensor4D =>
    transpose(reshape(x, [batch, x.shape[1], heads, width / heads]), [0, 2, 1, 3]) as Tensor4D;
  const scores = mul(matMul(split(q), split(k), false, true), Math.sqrt(heads / width));
  let weights: Tensor;
  if (mask === undefined) weights = softmax(scores);
  else {
    const open = expandDims(expandDims(mask, 1), 1);
    // Far below every score, so that a hidden key has probability 0; the product below settles rows without any key.
    weights = mul(softmax(sub(scores, mul(sub(1, open), 1e9))), open);
  }
  if (drop !== undefined) weights = dropout(weights, drop.rate, drop.source);
  return reshape(transpose(matMul(weights, split(v)), [0, 2, 1, 3]), [batch, queries, width]);
}

const forward: Kernel = {
  name: FORWARD,
  added: true,
  run(call) {
    const [q, k, v] = [input(call, "q"), input(call, "k"), input(call, "v")];
    const [batch, queries, width] = q.shape as [number, number, number];
    const keys = k.shape[1] ?? 0;
    const heads = Number(call.attrs["heads"]);
    const y = allocate(call.backend, q.shape);
    const p = allocate(call.backend, [batch * heads, queries, keys]);
    const mask = call.inputs["mask"];
    const [hidden = 0] = mask === undefined ? [] : addressesOf(call, mask);
    const addresses = addressesOf(call, q, k, v, y, p);
    const grain = (SHARED_WORK * heads) / (queries * keys * width);
    const drops = call.attrs["threshold"] !== undefined;
    const temporary = drops ? allocate(call.backend, [call.assembly.threads, queries, keys]) : undefined;
    const sizes = [queries, keys, heads, width / heads];
    const [room = 0] = temporary === undefined ? [] : addressesOf(call, temporary);
    const values = [...addresses, hidden, ...sizes, room, ...droppingArguments(call)];
    call.assembly.run(ATTENTION, batch * heads, grain, ...values);
    if (temporary !== undefined) call.backend.disposeData(temporary.dataId);
    return [y, p];
  },
};

const backward: Kernel = {
  name: BACKWARD,
  added: true,
  run(call) {
    const [q, k, v] = [input(call, "q"), input(call, "k"), input(call, "v")];
    const [batch, queries, width] = q.shape as [number, number, number];
    const keys = k.shape[1] ?? 0;
    const heads = Number(call.attrs["heads"]);
    const gradients = [q, k, v].map(({ shape }) => allocate(call.backend, shape));
    const temporary = allocate(call.backend, [call.assembly.threads, queries, keys]);
    const addresses = addressesOf(call, q, k, v, input(call, "p"), input(call, "dy"), ...gradients, temporary);
    const grain = (SHARED_WORK * heads) / (queries * keys * width);
    const sizes = [queries, keys, heads, width / heads];
    const drops = Number(call.attrs["threshold"] !== undefined);
    const values = [...addresses, ...sizes, drops, ...droppingArguments(call)];
    call.assembly.run(ATTENTION_GRADIENT, batch * heads, grain, ...values);
    call.backend.disposeData(temporary.dataId);
    return gradients;
  },
};

export const attentionOperation: FusedOperation = { kernels: [forward, backward] };
