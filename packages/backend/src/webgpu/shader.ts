import { type KernelConfig, type NamedAttrMap, registerKernel, type TensorInfo, util } from "@tensorflow/tfjs-core";

/** The part of TensorFlow.js's backend that runs shaders. */
export interface ShaderBackend {
  runWebGPUProgram(
    program: object,
    inputs: readonly TensorInfo[],
    dtype: "float32",
    uniforms: readonly { readonly type: UniformType; readonly data: readonly number[] }[],
  ): TensorInfo;
  disposeData(dataId: object): void;
}

type UniformType = "int32" | "uint32" | "float32";

/** WGSL's names. */
const TYPES: Readonly<Record<UniformType, string>> = { int32: "i32", uint32: "u32", float32: "f32" };

/** Computes each number of a result on its own. */
export interface Shader {
  /** Unique, for the compiled ones are kept by it. */
  readonly name: string;
  /** The names by which `code` reads the inputs, as arrays of f32. */
  readonly inputs: readonly string[];
  /** What `code` reads as `uniforms.NAME`. */
  readonly uniforms: Readonly<Record<string, UniformType>>;
  /** WGSL that has `fn value(index : i32) -> f32`: the result's number of that index. */
  readonly code: string;
}

const WORKGROUP = 64;

/** Runs a shader on the GPU; nothing waits for it. */
export function runShader(
  backend: ShaderBackend,
  { name, inputs: variableNames, uniforms, code }: Shader,
  inputs: readonly TensorInfo[],
  shape: readonly number[],
  values: Readonly<Record<string, number>>,
): TensorInfo {
  const entries = Object.entries(uniforms);
  const program = {
    variableNames: [...variableNames],
    ...(entries.length === 0 ? {} : { uniforms: entries.map(([key, type]) => `${key} : ${TYPES[type]},`).join(" ") }),
    workgroupSize: [WORKGROUP, 1, 1],
    size: true,
    outputShape: [...shape],
    dispatchLayout: { x: shape.map((_, axis) => axis) },
    dispatch: [Math.ceil(util.sizeFromShape([...shape]) / WORKGROUP), 1, 1],
    shaderKey: name,
    getUserCode: () => `${code}
      fn main(index : i32) {
        if (index < uniforms.size) { setOutputAtIndex(index, value(index)); }
      }`,
  };
  const data = entries.map(([key, type]) => ({ type, data: [values[key] ?? Number.NaN] }));
  return backend.runWebGPUProgram(program, inputs, "float32", data);
}

/** What a kernel is called with. */
export interface ShaderCall {
  readonly backend: ShaderBackend;
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: NamedAttrMap;
}

/** A kernel of ours for WebGPU; several results come in the order of the kernel for WebAssembly. */
export function registerShaders(kernelName: string, run: (call: ShaderCall) => TensorInfo | TensorInfo[]): void {
  const config: KernelConfig = {
    kernelName,
    backendName: "webgpu",
    kernelFunc: ({ inputs, attrs, backend }) =>
      run({ backend: backend as ShaderBackend, inputs: inputs as Record<string, TensorInfo>, attrs: attrs ?? {} }),
  };
  registerKernel(config);
}

/** An input that the operation always has. */
export function inputOf({ inputs }: ShaderCall, name: string): TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new TypeError(`kernel input "${name}" is missing`);
  return tensor;
}
