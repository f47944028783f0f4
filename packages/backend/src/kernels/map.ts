import { input, type Kernel } from "./kernel.ts";
import { addressOf, allocate, sizeOf } from "./memory.ts";
import { ERF, EXP, LOG, MAP, SIGMOID, TANH } from "./tasks.ts";

/** Elements that are worth a second thread; a multiple of the four in a vector. */
export const SHARED_ELEMENTS = 8192;

function mapKernel(name: string, task: number): Kernel {
  return {
    name,
    run(call) {
      const x = input(call, "x");
      if (x.dtype !== "float32") return call.stock();
      const out = allocate(call.backend, x.shape);
      const [from, to] = [addressOf(call.backend, x), addressOf(call.backend, out)];
      call.assembly.run(MAP, sizeOf(x.shape), SHARED_ELEMENTS, from, to, task);
      return out;
    },
  };
}

/** Functions of one variable that the stock backend computes one element at a time. */
export const maps: readonly Kernel[] = [
  mapKernel("Tanh", TANH),
  mapKernel("Exp", EXP),
  mapKernel("Log", LOG),
  mapKernel("Erf", ERF),
  mapKernel("Sigmoid", SIGMOID),
];
