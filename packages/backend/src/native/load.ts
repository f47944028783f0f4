/** Loads TensorFlow's native packages. Nothing here imports a native package in a way that a browser's bundler would see. */

import { findBackend, getBackend, setBackend } from "@tensorflow/tfjs-core";
import { findNative } from "./find.ts";

/** What came of looking for the native packages. */
export interface NativeOutcome {
  /** The package that was loaded. */
  readonly package?: string;
  readonly version?: string;
  /** What was found, or what went wrong with each package. */
  readonly reason: string;
}

/** What the native backend tells of itself. */
interface NativeBackend {
  readonly isGPUPackage: boolean;
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/** How to get the native backend. */
export const NATIVE_HINT =
  "npm install @tensorflow/tfjs-node-gpu (or @tensorflow/tfjs-node) in the application, and let its install script run; in L0GM's repository: pnpm setup:native";

/** tfjs-node 4.22 calls two functions that Node 23 removed from `util`. */
function supplyRemovedUtilFunctions(util: object): void {
  const supply = (name: string, value: (x: unknown) => boolean): void => {
    if (Reflect.get(util, name) === undefined) Reflect.set(util, name, value);
  };
  supply("isNullOrUndefined", (x) => x === null || x === undefined);
  supply("isArray", Array.isArray);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1).join("");
}

/** The native backend, where one is registered and tells of itself. */
function nativeBackend(): NativeBackend | undefined {
  const backend: object | null = findBackend("tensorflow");
  return backend !== null && "isUsingGpuDevice" in backend ? (backend as NativeBackend) : undefined;
}

/** What the native backend is and where it runs; undefined where it does not tell. */
export function describeNative(): string | undefined {
  const backend = nativeBackend();
  if (backend === undefined) return undefined;
  const { binding, isGPUPackage, isUsingGpuDevice } = backend;
  if (isUsingGpuDevice) return `native TensorFlow ${binding.TF_Version} on a GPU`;
  const why = isGPUPackage ? "the GPU package, but it found no GPU that it can use" : "the CPU package";
  return `native TensorFlow ${binding.TF_Version} on the CPU (${why})`;
}

/**
 * Loads tfjs-node-gpu or else tfjs-node, as the application sees them. The active backend stays: the packages make themselves the active
 * one on loading.
 */
export async function loadNative(): Promise<NativeOutcome> {
  const { process } = globalThis;
  if (process?.getBuiltinModule === undefined) return { reason: "needs Node" };
  const { createRequire } = process.getBuiltinModule("node:module");
  const { join } = process.getBuiltinModule("node:path");
  supplyRemovedUtilFunctions(process.getBuiltinModule("node:util"));
  // TensorFlow greets on standard error unless told to keep to warnings.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "1";
  const { installed, missing } = findNative(process);
  const failures: string[] = [];
  const active = getBackend();
  for (const { name, version, folder, library } of installed) {
    if (library === "missing") {
      failures.push(`${name} is installed but not built: its install script did not run`);
      continue;
    }
    try {
      createRequire(join(folder, "package.json"))(folder);
      const about = describeNative();
      const reason = `${name} ${version} is installed and loads${about === undefined ? "" : `: ${about}`}`;
      return { package: name, version, reason };
    } catch (error) {
      failures.push(`${name} is installed but does not load (${firstLine(error)})`);
    } finally {
      if (active) await setBackend(active);
    }
  }
  failures.push(...missing.map((name) => `${name} is not installed`));
  return { reason: failures.join("; ") };
}

/** Whether the system shows something that TensorFlow could use as a GPU; where it is not known how to tell, true. */
function mayHaveGpu(process: NodeJS.Process): boolean {
  if (process.platform === "darwin") return false;
  if (process.platform !== "linux") return true;
  const { existsSync } = process.getBuiltinModule("node:fs");
  // Without its driver's control device no process reaches a GPU of NVIDIA's; inside Windows the hypervisor's stands for it.
  return ["/dev/nvidiactl", "/dev/dxg"].some((device) => existsSync(device));
}

/**
 * Why native TensorFlow would run on the CPU, where it is measured slower than WebAssembly with our kernels; undefined where it has a GPU,
 * does not tell, or is not there. It takes half a second and 200 MB to load, so it is loaded only where there may be a GPU.
 */
export async function whyNativeIsSlower(): Promise<string | undefined> {
  const { process } = globalThis;
  if (process?.getBuiltinModule === undefined) return undefined;
  const slower = "on a CPU it is slower than WebAssembly with our kernels; ask for it by name";
  const first = findNative(process).installed.find(({ library }) => library !== "missing");
  if (first === undefined) return undefined;
  if (first.library === "there" && !mayHaveGpu(process)) {
    return `${first.name} ${first.version} is installed, but there is no GPU; ${slower}`;
  }
  await loadNative();
  return nativeBackend()?.isUsingGpuDevice === false ? `${describeNative()}; ${slower}` : undefined;
}
