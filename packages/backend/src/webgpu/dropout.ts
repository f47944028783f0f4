import {
  backend as activeBackend,
  getGradient,
  getKernel,
  type KernelConfig,
  registerGradient,
  registerKernel,
  type TensorInfo,
  util,
} from "@tensorflow/tfjs-core";
import { DROP, dropoutGradient } from "../operations/random.ts";

/** The part of TensorFlow.js's backend that runs shaders. */
interface ShaderBackend {
  runWebGPUProgram(
    program: object,
    inputs: readonly TensorInfo[],
    dtype: "float32",
    uniforms: readonly { readonly type: "uint32" | "float32"; readonly data: readonly number[] }[],
  ): TensorInfo;
}

const WORKGROUP = 64;

/** The hash of random-stream.ts. Its numbers are 32-bit integers, which wrap in WGSL as they do there. */
const SHADER = `
fn mix32(x : u32) -> u32 {
  var h = (x ^ (x >> 17u)) * 0xed5ad4bbu;
  h = (h ^ (h >> 11u)) * 0xac4c1b51u;
  h = (h ^ (h >> 15u)) * 0x31848babu;
  return h ^ (h >> 14u);
}

fn main(index : i32) {
  if (index < uniforms.size) {
    let bits = mix32(mix32((uniforms.first + u32(index)) ^ uniforms.low) ^ uniforms.high);
    setOutputAtIndex(index, select(x[index] * uniforms.scale, 0.0, bits < uniforms.threshold));
  }
}`;

function run(backend: ShaderBackend, x: TensorInfo, attrs: Readonly<Record<string, number>>): TensorInfo {
  const program = {
    variableNames: ["x"],
    uniforms: "low : u32, high : u32, first : u32, threshold : u32, scale : f32,",
    workgroupSize: [WORKGROUP, 1, 1],
    size: true,
    outputShape: x.shape,
    dispatchLayout: { x: x.shape.map((_, axis) => axis) },
    dispatch: [Math.ceil(util.sizeFromShape(x.shape) / WORKGROUP), 1, 1],
    shaderKey: DROP,
    getUserCode: () => SHADER,
  };
  const integer = (name: string) => ({ type: "uint32", data: [attrs[name] ?? 0] }) as const;
  return backend.runWebGPUProgram(program, [x], "float32", [
    ...["low", "high", "first", "threshold"].map(integer),
    { type: "float32", data: [attrs["scale"] ?? 1] },
  ]);
}

const config: KernelConfig = {
  kernelName: DROP,
  backendName: "webgpu",
  kernelFunc: ({ inputs, attrs, backend }) =>
    run(backend as ShaderBackend, inputs["x"] as TensorInfo, attrs as unknown as Record<string, number>),
};

/**
 * Gives the active WebGPU backend a dropout whose mask is made where it is used. Attention has hundreds of numbers a token to drop out: made
 * in JavaScript, they take longer than all the rest of a step.
 *
 * @returns whether the backend runs shaders in the way that this one needs
 */
export function installDropout(): boolean {
  if (!("runWebGPUProgram" in activeBackend())) return false;
  if (getKernel(DROP, "webgpu") === undefined) registerKernel(config);
  if (getGradient(DROP) === undefined) registerGradient(dropoutGradient);
  return true;
}
