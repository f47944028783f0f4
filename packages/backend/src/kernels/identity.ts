import { input, type Kernel } from "./kernel.ts";
import { share } from "./memory.ts";

/** A clone shares its data under a reference count, as on the other backends; the stock kernel copies it. Nothing writes in place. */
export const identity: Kernel = {
  name: "Identity",
  run(call) {
    const x = input(call, "x");
    return x.dtype === "string" ? call.stock() : share(call.backend, x);
  },
};

/** A cast to the type that is already there, as in the gradient of ReLU, is a clone. */
export const cast: Kernel = {
  name: "Cast",
  run(call) {
    const x = input(call, "x");
    return x.dtype === "string" || x.dtype !== call.attrs["dtype"] ? call.stock() : share(call.backend, x);
  },
};
