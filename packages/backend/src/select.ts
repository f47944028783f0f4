import {
  backend as activeBackend,
  env,
  findBackendFactory,
  getBackend,
  getGradient,
  setBackend,
} from "@tensorflow/tfjs-core";
import { BackendError } from "./errors.ts";
import { registerMissingGradients, replaceSlowGradients } from "./gradients/register.ts";
import { defaultThreads, whyNoHelpers } from "./kernels/helper-threads.ts";
import { installKernels, type KernelReport } from "./kernels/install.ts";
import { withSharedMemory } from "./kernels/shared-memory.ts";
import { describeNative, loadNative, NATIVE_HINT, whyNativeIsSlower } from "./native/load.ts";
import { installWebGpu } from "./webgpu/install.ts";
import { loadWebGpu, webGpuHint } from "./webgpu/load.ts";

/** The backends that {@link useBackend} can choose. */
export type BackendName = "tensorflow" | "webgpu" | "wasm" | "cpu";

/** What to ask {@link useBackend} for: a backend by name, or the fastest that is there. */
export type BackendChoice = "auto" | BackendName;

/** Settings of {@link useBackend}. */
export interface BackendOptions {
  /**
   * Where a browser finds tfjs's `.wasm` files: a folder's address, ending in a slash. Node finds them by itself.
   */
  readonly wasmFolder?: string;
  /**
   * Threads that share the work of the WebAssembly kernels, this one included; results do not depend on their number. More than one needs
   * Node or a page that is cross-origin isolated, and a WebAssembly backend that is first started here. Left out, it stays as it is, at
   * first 2 where there are two cores, and 1 in a worker.
   */
  readonly threads?: number;
  /**
   * Multiply and add in one instruction (relaxed SIMD) where engine and machine can. Faster, but the last bits then differ between
   * machines. Left out, it stays as it is, at first true.
   */
  readonly fma?: boolean;
  /**
   * With `fma`, vectors of 256 bits, twice as fast at products: in Node 24, 25 and 26 on x86 with AVX2, where V8 joins vectors of 128 bits
   * when told to. Results are the same bits. Left out, it stays as it is, at first true.
   */
  readonly wide?: boolean;
}

/** One backend that was tried. */
export interface BackendAttempt {
  readonly name: BackendName;
  readonly available: boolean;
  readonly reason: string;
}

/** What {@link useBackend} chose, and why. */
export interface BackendReport {
  /** The backend in force. */
  readonly backend: BackendName;
  readonly choice: BackendChoice;
  readonly reason: string;
  /** The backends tried, in order; the last is the one in force. */
  readonly attempts: readonly BackendAttempt[];
  readonly kernels: KernelReport;
}

/** From the fastest to the one that always runs. */
export const BACKENDS: readonly BackendName[] = ["tensorflow", "webgpu", "wasm", "cpu"];

/** The same where native TensorFlow has no GPU: it then comes after WebAssembly. */
const BACKENDS_WITHOUT_GPU: readonly BackendName[] = BACKENDS.flatMap((name): BackendName[] => {
  if (name === "tensorflow") return [];
  return name === "wasm" ? ["wasm", "tensorflow"] : [name];
});

/**
 * Makes a backend known to TensorFlow.js without starting it.
 *
 * @param automatic - nobody has asked for this one by name
 * @returns why it is available
 * @throws Error saying why it is not
 */
export async function loadBackend(name: BackendName, automatic = false): Promise<string> {
  switch (name) {
    case "tensorflow": {
      const native = await loadNative();
      if (native.package === undefined) throw new Error(native.reason);
      return native.reason;
    }
    case "webgpu": {
      const { software, reason } = await loadWebGpu();
      if (automatic && software) throw new Error(`${reason}; slower than WebAssembly, it has to be asked for by name`);
      return reason;
    }
    case "wasm":
      if (!Reflect.has(globalThis, "WebAssembly")) throw new Error("this engine has no WebAssembly");
      await import("@tensorflow/tfjs-backend-wasm");
      return "the engine has WebAssembly";
    case "cpu":
      await import("@tensorflow/tfjs-backend-cpu");
      return "plain JavaScript runs everywhere";
  }
}

/** The backend's package is loaded, but registers it in TensorFlow.js only when it is loaded for the first time. */
class UnregisteredError extends Error {
  readonly hint: string;

  constructor(name: BackendName) {
    super(`TensorFlow.js does not know it: removeBackend("${name}") was called, or there are two copies of tfjs-core`);
    this.hint =
      `start a new process, or call tf.registerBackend("${name}", factory) with what tf.findBackendFactory("${name}") gave ` +
      "before the removal; with two copies of tfjs-core, have the package manager install one";
  }
}

async function activate(name: BackendName): Promise<void> {
  if (findBackendFactory(name) === null) throw new UnregisteredError(name);
  if (!(await setBackend(name))) throw new Error(`TensorFlow.js could not initialise its backend "${name}"`);
}

async function startWasm({ wasmFolder, threads, fma, wide }: BackendOptions): Promise<KernelReport> {
  const { setWasmPaths, version_wasm } = await import("@tensorflow/tfjs-backend-wasm");
  if (wasmFolder !== undefined) setWasmPaths(wasmFolder);
  // An isolated page would get tfjs's threaded build, whose memory is out of our kernels' reach. Ours have threads of their own.
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  const start = (): Promise<void> => activate("wasm");
  const wanted = threads ?? defaultThreads();
  await (wanted > 1 && whyNoHelpers() === undefined ? withSharedMemory(start) : start());
  return await installKernels(activeBackend(), version_wasm, { threads, fma, wide });
}

/** What computes on the backends whose kernels are not all ours. */
const OTHER_KERNELS: Readonly<Record<Exclude<BackendName, "wasm">, string>> = {
  tensorflow: "TensorFlow's own kernels",
  webgpu: "TensorFlow.js's kernels for WebGPU",
  cpu: "plain JavaScript kernels",
};

async function start(name: BackendName, options: BackendOptions): Promise<KernelReport> {
  if (name === "wasm") return await startWasm(options);
  await activate(name);
  const ours = name === "webgpu" ? installWebGpu() : [];
  const reason = name === "tensorflow" ? describeNative() : undefined;
  return {
    ours: [],
    reason: reason ?? [OTHER_KERNELS[name], ...ours].join("; ours: "),
    threads: 1,
    fma: false,
    wide: false,
  };
}

/** How to get a backend that is not there. */
export function hintFor(name: BackendName): string {
  switch (name) {
    case "tensorflow":
      return NATIVE_HINT;
    case "webgpu":
      return webGpuHint();
    case "wasm":
      return "use an engine with WebAssembly; in a browser, serve tfjs's .wasm files and pass their address as wasmFolder";
    case "cpu":
      return "reinstall @tensorflow/tfjs-backend-cpu";
  }
}

/** tfjs-core registers no gradients in Node; tfjs-layers, which our models need anyway, registers all that tfjs has. */
async function registerGradients(): Promise<void> {
  if (getGradient("BatchMatMul") === undefined) await import("@tensorflow/tfjs-layers");
  registerMissingGradients();
  replaceSlowGradients();
}

let inForce: BackendReport | undefined;
let settings = "";
/** Calls follow one another: of two at once, tfjs would drop the backend that the first one is starting, and both would start threads. */
let lastCall: Promise<unknown> = Promise.resolve();

/** The report of the last {@link useBackend}, as long as its backend is still the active one. */
export function reportInForce(): BackendReport | undefined {
  return inForce !== undefined && getBackend() === inForce.backend ? inForce : undefined;
}

/** What went wrong, in one line. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  // tfjs's WebAssembly loader rejects with a plain object.
  return String(Reflect.get(Object(error), "message") ?? error);
}

/**
 * Chooses and starts the TensorFlow.js backend, registers the gradients, and, on WebAssembly, puts our faster kernels in force.
 * `"auto"` takes native TensorFlow where `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node` is installed, loads and has a GPU, else
 * WebGPU where the application has brought `@tensorflow/tfjs-backend-webgpu` and there is a GPU for it, else WebAssembly (measured faster
 * than native TensorFlow on a CPU), else plain JavaScript. Call it before the first tensor is made; a second call with the same choice
 * costs nothing, and calls at the same time wait for one another.
 *
 * TensorFlow.js's WebAssembly backend has no kernel for the gradient of a convolution: models with convolutions are trained with `"cpu"`
 * or `"tensorflow"`. Gradients of gradients pass through our fused operations neither there nor on WebGPU.
 *
 * @returns what was chosen and why, with every backend that was tried
 * @throws BackendError when the backend asked for by name cannot be had, saying how to get it, or an option is unknown or impossible
 *
 * @example
 * ```ts
 * import { useBackend } from "@l0gm/backend";
 *
 * const report = await useBackend();
 * console.log(report.backend, report.reason);
 * ```
 */
export async function useBackend(choice: BackendChoice = "auto", options: BackendOptions = {}): Promise<BackendReport> {
  const call = lastCall.then(() => choose(choice, options));
  lastCall = call.catch(() => undefined);
  return await call;
}

/** More threads than that are a mistake, for example a count of something else. */
const MOST_THREADS = 256;

/** What an option may be. */
const OPTIONS: Readonly<Record<keyof BackendOptions, readonly [expected: string, holds: (value: unknown) => boolean]>> =
  {
    wasmFolder: ["an address", (value) => typeof value === "string"],
    threads: [
      `an integer from 1 to ${MOST_THREADS}`,
      (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_THREADS,
    ],
    fma: ["true or false", (value) => typeof value === "boolean"],
    wide: ["true or false", (value) => typeof value === "boolean"],
  };

/** @throws BackendError when an option is unknown, or is what it can not be */
function checkOptions(options: BackendOptions): void {
  const where = "useBackend";
  const names = Object.keys(OPTIONS).join(", ");
  if (typeof options !== "object" || options === null) {
    throw new BackendError({ where, expected: `an object with any of ${names}`, received: options });
  }
  for (const [name, value] of Object.entries(options)) {
    const known = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as keyof BackendOptions] : undefined;
    if (known === undefined) throw new BackendError({ where, expected: `any of ${names}`, received: name });
    const [expected, holds] = known;
    if (value === undefined || holds(value)) continue;
    const received = typeof value === "string" ? JSON.stringify(value) : value;
    throw new BackendError({ where, expected: `${name} to be ${expected}`, received });
  }
}

async function choose(choice: BackendChoice, options: BackendOptions): Promise<BackendReport> {
  if (choice !== "auto" && !BACKENDS.includes(choice)) {
    throw new BackendError({
      where: "useBackend",
      expected: `one of "auto", ${BACKENDS.map((name) => `"${name}"`).join(", ")}`,
      received: choice,
    });
  }
  checkOptions(options);
  const current = reportInForce();
  const asked = JSON.stringify([choice, options.threads, options.fma, options.wide]);
  if (current !== undefined && settings === asked) return current;
  await registerGradients();
  const attempts: BackendAttempt[] = [];
  const slower = choice === "auto" ? await whyNativeIsSlower() : undefined;
  const order = slower === undefined ? BACKENDS : BACKENDS_WITHOUT_GPU;
  for (const name of choice === "auto" ? order : [choice]) {
    try {
      const reason = await loadBackend(name, choice === "auto");
      const kernels = await start(name, options);
      attempts.push({ name, available: true, reason });
      const passedOver = attempts.slice(0, -1).map((attempt) => `${attempt.name} is not available: ${attempt.reason}`);
      if (slower !== undefined && name !== "tensorflow") passedOver.unshift(`tensorflow is passed over: ${slower}`);
      const why = choice === "auto" ? ["the fastest that is available", ...passedOver].join("; ") : "asked for by name";
      settings = asked;
      inForce = { backend: name, choice, reason: why, attempts, kernels };
      return inForce;
    } catch (error) {
      const reason = messageOf(error);
      if (choice !== "auto") {
        const hint = error instanceof UnregisteredError ? error.hint : hintFor(name);
        throw new BackendError(
          { where: "useBackend", expected: `backend "${name}"`, received: reason, hint },
          { cause: error },
        );
      }
      attempts.push({ name, available: false, reason });
    }
  }
  throw new BackendError({
    where: "useBackend",
    expected: `one of ${BACKENDS.join(", ")} to start`,
    received: attempts.map((attempt) => `${attempt.name}: ${attempt.reason}`).join("; "),
  });
}
