import { DROP } from "../operations/random.ts";
import { inputOf, registerShaders, runShader, type Shader } from "./shader.ts";

/** The hash of random-stream.ts. Its numbers are 32-bit integers, which wrap in WGSL as they do there. */
const DROPOUT: Shader = {
  name: DROP,
  inputs: ["x"],
  uniforms: { low: "uint32", high: "uint32", first: "uint32", threshold: "uint32", scale: "float32" },
  code: `
    fn mix32(x : u32) -> u32 {
      var h = (x ^ (x >> 17u)) * 0xed5ad4bbu;
      h = (h ^ (h >> 11u)) * 0xac4c1b51u;
      h = (h ^ (h >> 15u)) * 0x31848babu;
      return h ^ (h >> 14u);
    }

    fn value(index : i32) -> f32 {
      let bits = mix32(mix32((uniforms.first + u32(index)) ^ uniforms.low) ^ uniforms.high);
      return select(x[index] * uniforms.scale, 0.0, bits < uniforms.threshold);
    }`,
};

/**
 * Dropout whose mask is made where it is used. Attention has hundreds of numbers a token to drop out: made in JavaScript, they take longer
 * than all the rest of a step.
 */
export function registerDropout(): void {
  registerShaders(DROP, (call) => {
    const x = inputOf(call, "x");
    return runShader(call.backend, DROPOUT, [x], x.shape, call.attrs as Record<string, number>);
  });
}
