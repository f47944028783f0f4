import { backend as activeBackend, getGradient, registerGradient } from "@tensorflow/tfjs-core";
import { geluGradient } from "../operations/gelu.ts";
import { dropoutGradient } from "../operations/random.ts";
import { registerAdamW } from "./adamw.ts";
import { registerDropout } from "./dropout.ts";
import { registerGelu } from "./gelu.ts";
import { registerLayerNorm } from "./layer-norm.ts";
import { installPool } from "./pool.ts";
import { installUploads } from "./upload.ts";

let registered = false;

/**
 * Gives the active WebGPU backend what training needs: shaders for operations that are dozens of TensorFlow.js's, quick uploads of small tensors,
 * and memory that stays bounded. A step is bound by the calls that JavaScript makes, far more than by the GPU.
 *
 * @returns what there is of ours; less than all where the backend is not as we know it
 */
export function installWebGpu(): readonly string[] {
  const shaders = "runWebGPUProgram" in activeBackend();
  if (shaders && !registered) {
    for (const register of [registerAdamW, registerDropout, registerGelu, registerLayerNorm]) register();
    for (const gradient of [dropoutGradient, geluGradient]) {
      if (getGradient(gradient.kernelName) === undefined) registerGradient(gradient);
    }
    registered = true;
  }
  return [
    ...(shaders ? ["shaders for AdamW, dropout, GELU and layer normalisation"] : []),
    ...(installUploads() ? ["uploads of small tensors"] : []),
    ...(installPool() ? ["a bound on idle memory"] : []),
  ];
}
