import { add, erf, type GradConfig, mul, square, type Tensor, tanh } from "@tensorflow/tfjs-core";
import { addressesOf, input, type Kernel } from "../kernels/kernel.ts";
import { SHARED_ELEMENTS } from "../kernels/map.ts";
import { allocate, sizeOf } from "../kernels/memory.ts";
import { GELU, GELU_TANH, MAP, MAP_GRADIENT } from "../kernels/tasks.ts";
import { canFuse, type FusedOperation, nth, runFused } from "./fused.ts";

/** The kernel of {@link gelu}. */
export const GELU_FORWARD = "L0gmGelu";
/** The kernel of its gradient. */
export const GELU_BACKWARD = "L0gmGeluGradient";

/** How {@link gelu} computes the normal distribution function: exactly, or by the hyperbolic tangent (as GPT-2 does). */
export type GeluForm = "erf" | "tanh";

/**
 * The Gaussian error linear unit x Phi(x) (Hendrycks and Gimpel, 2016), element by element.
 *
 * @param form - `"erf"`, as in BERT, or the approximation by `"tanh"`
 * @returns a tensor of x's shape, the caller's
 *
 * @example
 * ```ts
 * import { gelu } from "@l0gm/backend";
 * import { tensor1d } from "@tensorflow/tfjs-core";
 *
 * console.log(gelu(tensor1d([-100, 0, 100])).arraySync()); // 0, 0, 100
 * ```
 */
export function gelu<T extends Tensor>(x: T, form: GeluForm = "erf"): T {
  if (canFuse(GELU_FORWARD, x)) return runFused(GELU_FORWARD, { x }, { form }) as T;
  const inner =
    form === "erf"
      ? erf(mul(x, Math.SQRT1_2))
      : tanh(mul(Math.sqrt(2 / Math.PI), mul(x, add(1, mul(0.044715, square(x))))));
  return mul(mul(x, 0.5), add(1, inner)) as T;
}

function taskFor(form: unknown): number {
  return form === "tanh" ? GELU_TANH : GELU;
}

const forward: Kernel = {
  name: GELU_FORWARD,
  added: true,
  run(call) {
    const x = input(call, "x");
    const y = allocate(call.backend, x.shape);
    call.assembly.run(MAP, sizeOf(x.shape), SHARED_ELEMENTS, ...addressesOf(call, x, y), taskFor(call.attrs["form"]));
    return y;
  },
};

const backward: Kernel = {
  name: GELU_BACKWARD,
  added: true,
  run(call) {
    const [x, dy] = [input(call, "x"), input(call, "dy")];
    const dx = allocate(call.backend, x.shape);
    const task = taskFor(call.attrs["form"]);
    call.assembly.run(MAP_GRADIENT, sizeOf(x.shape), SHARED_ELEMENTS, ...addressesOf(call, x, dy, dx), task);
    return dx;
  },
};

export const geluGradient: GradConfig = {
  kernelName: GELU_FORWARD,
  inputsToSave: ["x"],
  gradFunc: (dy, saved, attrs) => ({ x: () => runFused(GELU_BACKWARD, { x: nth(saved, 0), dy: dy as Tensor }, attrs) }),
};

export const geluOperation: FusedOperation = { kernels: [forward, backward], gradient: geluGradient };
